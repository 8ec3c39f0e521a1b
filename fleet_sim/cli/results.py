"""Commands about results."""

from pathlib import Path
from typing import Annotated

import typer

from fleet_sim.cli.app import app


@app.command(epilog="Example: fleet-sim report runs/bandlimited-20260101-120000")
def report(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
) -> None:
    """Write report.html again from the results of a run."""
    from fleet_sim.report.html import write_html

    typer.echo(write_html(folder))


@app.command(epilog="Example: fleet-sim compare runs/before-20260101-120000 runs/after-20260101-130000")
def compare(
    run_a: Annotated[Path, typer.Argument(metavar="RUN_A", help="Folder of a finished run.")],
    run_b: Annotated[Path, typer.Argument(metavar="RUN_B", help="The run that is held against it.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Page to write; RUN_B/compare.html.")
    ] = None,
) -> None:
    """How two runs differ, how sure that is, and which differences matter; best with sweep.seeds of 5."""
    from rich.console import Console

    from fleet_sim.report.compare import compare as compare_results
    from fleet_sim.report.compare_view import table, verdict, write_page
    from fleet_sim.report.results import read_results

    found = compare_results(run_a.name, read_results(run_a), run_b.name, read_results(run_b))
    console = Console() if Console().is_terminal else Console(width=200)
    console.print(table(found))
    typer.echo(f"{verdict(found)}\npage  {write_page(found, out or run_b / 'compare.html')}")


@app.command(epilog="Example: fleet-sim dashboard monitoring")
def dashboard(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write them.")],
) -> None:
    """Write a Grafana dashboard and Prometheus settings, and how to use them."""
    from fleet_sim.report.dashboard import write_dashboard

    for file in write_dashboard(folder):
        typer.echo(file)
