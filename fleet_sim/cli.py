"""The commands: parse, call, print. What needs torch or Ray is imported by the command that needs it."""

import json
import shlex
import signal
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from fleet_sim import models
from fleet_sim.basics.errors import Interrupted, RunError, UserError
from fleet_sim.scenario import Scenario, json_schema, load_scenario, points


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

app.add_typer(models.app, name="models")

_File = Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file in YAML.")]
_Set = Annotated[
    list[str],
    typer.Option("--set", metavar="FIELD=VALUE", help="Override a field; may be repeated. VALUE is YAML."),
]
_Dataset = Literal["cifar10", "cifar100"]
_Device = Literal["cpu", "cuda"]
_Preset = Literal["cpu", "paper"]
_Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Results go into a new folder there.")]


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


@app.command(epilog="Example: fleet-sim run scenarios/bandlimited.yaml --set link.budget_bps='20 kbit/s'")
def run(
    scenario: Annotated[
        Path | None, typer.Argument(metavar="SCENARIO", help="Scenario file in YAML.", show_default=False)
    ] = None,
    overrides: _Set = [],  # noqa: B006  typer never changes it
    out: _Out = Path("runs"),
    address: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A running Ray cluster; without it one starts here."),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Go on with a run that was stopped or killed.")
    ] = None,
) -> None:
    """Train, simulate every point of the sweep, and report."""
    where = [] if address is None else [f"cluster.address={json.dumps(address)}"]
    if resume is not None:
        if scenario is not None or overrides:
            raise UserError("--resume goes on with the run's own scenario: leave SCENARIO and --set out")
        from fleet_sim.report.progress import scenario_of

        chosen = scenario_of(resume, where)
    elif scenario is not None:
        chosen = _load(scenario, [*overrides, *where])
    else:
        raise UserError("name a scenario, or a stopped run with --resume RUN")
    from fleet_sim.report.results import read_results
    from fleet_sim.report.view import open_view
    from fleet_sim.run import run as run_scenario

    with open_view() as view:
        folder = run_scenario(chosen, out, view, resume)
    view.closing_table(read_results(folder).summary, folder)


@app.command(epilog="Example: fleet-sim train scenarios/bandlimited.yaml --out models")
def train(
    scenario: _File,
    overrides: _Set = [],  # noqa: B006
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Models and checkpoints; runs/NAME-training.")
    ] = None,
) -> None:
    """Only train; a later run takes the models up by train.use. The same command goes on after a stop."""
    chosen = _load(scenario, overrides)
    out = out or Path("runs") / f"{chosen.name}-training"
    from fleet_sim.report.view import open_view
    from fleet_sim.run import train as train_scenario

    with open_view() as view:
        folder = train_scenario(chosen, out, view)
    settings = [word for text in (*overrides, f"train.use={folder}") for word in ("--set", text)]
    typer.echo(f"models  {folder}\nuse     {shlex.join(['fleet-sim', 'run', str(scenario), *settings])}")


@app.command(epilog="Example: fleet-sim reproduce table1 --preset cpu --seeds 1 --data cifar10.npz")
def reproduce(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Table or figure: see docs/learning.md.")],
    dataset: Annotated[_Dataset, typer.Option(help="Images.")] = "cifar10",
    preset: Annotated[
        _Preset, typer.Option(help="cpu: a narrow network; paper: the paper's, on a GPU.")
    ] = "cpu",
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Trainings, from seeds 0, 1 and so on.")] = 1,
    data: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="torchvision's folder or an .npz file; downloaded without it."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Results and trained models.")] = Path(
        "results"
    ),
) -> None:
    """Make a table or figure of the paper from real trainings. The same command goes on after a stop."""
    from trainers.reproduce.experiments import reproduce as make

    made = make(name, dataset, preset, seeds, data, out, typer.echo)
    typer.echo(f"figures {made.figures}\nplot    {made.plot}")


@app.command(epilog="Example: fleet-sim validate scenarios/bandlimited.yaml --set fleet.cameras=500")
def validate(scenario: _File, overrides: _Set = []) -> None:  # noqa: B006
    """Check a scenario and every point of its sweep; run nothing."""
    chosen = _load(scenario, overrides)
    count = len(points(chosen))
    typer.echo(f"{scenario}: a valid scenario of {count} point{'' if count == 1 else 's'}")


@app.command(epilog="Example: fleet-sim schema > scenario.schema.json")
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    typer.echo(json.dumps(json_schema(), indent=2))


@app.command(epilog="Example: fleet-sim conformance --seed 7")
def conformance(
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of the random draws.")] = 1,
) -> None:
    """Check every model of links and servers against theory; status 1 if one does not hold."""
    from fleet_sim.conformance import all_checks, heading, line

    typer.echo(heading())
    failed = 0
    for check in all_checks(seed):
        typer.echo(line(check))
        failed += not check.holds
    if failed:
        raise RunError(f"{failed} of these checks do not hold")


@app.command(epilog="Example: fleet-sim calibrate scenarios/cifar10.yaml --out here.json")
def calibrate(
    scenarios: Annotated[
        list[Path],
        typer.Argument(metavar="[SCENARIO]...", help="Whose decoders to measure; the usual ones without."),
    ] = [],  # noqa: B006
    device: Annotated[_Device, typer.Option(help="Where heads run.")] = "cpu",
    batch: Annotated[int, typer.Option(min=1, max=4096, metavar="N", help="Frames of the largest.")] = 128,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The table.")] = Path(
        "service-times.json"
    ),
) -> None:
    """Measure how long heads take for a batch here, and write a table for serving.table."""
    from fleet_sim.cluster.calibrate import USUAL, measured
    from fleet_sim.report.folder import check_place
    from fleet_sim.serving.table import Decoder, ServiceTable, write_table

    check_place(out.parent)
    out.parent.mkdir(parents=True, exist_ok=True)
    codecs = [_load(scenario, []).codec for scenario in scenarios]
    decoders = list(dict.fromkeys(Decoder(c.depth, c.width, c.neurons) for c in codecs)) or USUAL
    rows = []
    for row in measured(decoders, device, batch):
        rows.append(row)
        times = ", ".join(f"{n}: {us}" for n, us in zip(row.batches, row.service_us, strict=True))
        typer.echo(f"{row.head} {row.depth} width {row.width}, us by frames: {times}")
    typer.echo(f"table  {write_table(out, ServiceTable(made_by='fleet-sim calibrate', rows=tuple(rows)))}")


@app.command(epilog="Example: fleet-sim report runs/bandlimited-20260101-120000")
def report(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
) -> None:
    """Write report.html again from the results of a run."""
    from fleet_sim.report.html import write_html

    typer.echo(write_html(folder))


@app.command(
    epilog="Example: fleet-sim size scenarios/bandlimited.yaml --find fleet.cameras --target "
    "accuracy_on_time=0.9 --set link.budget_bps='8 kbit/s'"
)
def size(
    scenario: _File,
    find: Annotated[
        str, typer.Option(metavar="FIELD", help="What to size: fleet.cameras or link.budget_bps.")
    ],
    target: Annotated[
        str,
        typer.Option(metavar="FIGURE=BOUND", help="accuracy_on_time=0.9, latency_ms.p99=500, ..."),
    ],
    overrides: _Set = [],  # noqa: B006
    out: _Out = Path("runs"),
) -> None:
    """The most cameras, or the least budget, with which a target is met; 5 seeds unless the scenario says."""
    from fleet_sim.sizing.target import read_target

    wanted = read_target(target)
    chosen = _load(scenario, overrides)
    from fleet_sim.report.view import open_view
    from fleet_sim.sizing.size import size as size_fleet

    with open_view() as view:
        answer, folder = size_fleet(chosen, find, wanted, out, view)
    typer.echo(f"{answer.sentence}\n{json.dumps(answer.json())}\nmodels  {folder / 'models'}")


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


def _load(file: Path, overrides: list[str]) -> Scenario:
    return load_scenario(file, overrides, note=lambda text: typer.echo(f"note: {text}", err=True))


def main() -> None:
    """Entry point of `fleet-sim`. A request to end, as service managers send it, is taken as Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app()
