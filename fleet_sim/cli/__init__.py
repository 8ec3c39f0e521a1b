"""The commands: parse, call, print. What needs torch or Ray is imported by the command that needs it."""

import signal

from fleet_sim import models
from fleet_sim.cli import jobs, measuring, results  # help lists their commands in this order
from fleet_sim.cli.app import app

__all__ = ["app", "jobs", "main", "measuring", "results"]

app.add_typer(models.app, name="models")


def main() -> None:
    """Entry point of `fleet-sim`. A request to end, as service managers send it, is taken as Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app()
