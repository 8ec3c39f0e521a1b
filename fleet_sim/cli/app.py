"""What all commands share: how they end, and the options they have in common."""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from fleet_sim.basics.errors import Interrupted, RunError, UserError
from fleet_sim.scenario import Scenario, load_scenario


class _Commands(TyperGroup):
    """Ends a command with one message and a status: 2 bad input, 1 a failed run, 130 interrupted."""

    def invoke(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command; see the class for what becomes of errors."""
        try:
            return super().invoke(*args, **kwargs)
        except UserError as error:
            message, status = str(error), 2
        except RunError as error:
            message, status = f"failed: {error}", 1
        except BrokenPipeError:
            raise
        except OSError as error:
            message, status = f"failed: {error}", 1
        except Interrupted as error:
            message, status = str(error), 130
        except KeyboardInterrupt:
            message, status = "interrupted", 130
        typer.echo(message, err=True)
        raise typer.Exit(status)


app = typer.Typer(
    cls=_Commands,
    help="How well does a fleet of cameras see through a narrow pipe?",
    epilog="Start with: fleet-sim run scenarios/bandlimited.yaml",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ScenarioFile = Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file in YAML.")]
Overrides = Annotated[
    list[str],
    typer.Option("--set", metavar="FIELD=VALUE", help="Override a field; may be repeated. VALUE is YAML."),
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Results go into a new folder there.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fleet-sim {version('fleet-sim')}")
        raise typer.Exit


@app.callback()
def _all(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """How well does a fleet of cameras see through a narrow pipe?"""


def load(file: Path, overrides: list[str]) -> Scenario:
    """The scenario of a command; notes about it go to stderr."""
    return load_scenario(file, overrides, note=lambda text: typer.echo(f"note: {text}", err=True))
