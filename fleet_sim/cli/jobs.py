"""Commands that train and simulate."""

import json
import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer

from fleet_sim.basics.errors import UserError
from fleet_sim.cli.app import Out, Overrides, ScenarioFile, app, load

Dataset = Literal["cifar10", "cifar100"]
Preset = Literal["cpu", "paper"]


@app.command(epilog="Example: fleet-sim run scenarios/bandlimited.yaml --set link.budget_bps='20 kbit/s'")
def run(
    scenario: Annotated[
        Path | None, typer.Argument(metavar="SCENARIO", help="Scenario file in YAML.", show_default=False)
    ] = None,
    overrides: Overrides = [],  # noqa: B006  typer never changes it
    out: Out = Path("runs"),
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
        chosen = load(scenario, [*overrides, *where])
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
    scenario: ScenarioFile,
    overrides: Overrides = [],  # noqa: B006
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Models and checkpoints; runs/NAME-training.")
    ] = None,
) -> None:
    """Only train; a later run takes the models up by train.use. The same command goes on after a stop."""
    chosen = load(scenario, overrides)
    out = out or Path("runs") / f"{chosen.name}-training"
    from fleet_sim.report.view import open_view
    from fleet_sim.run import train as train_scenario

    with open_view() as view:
        folder = train_scenario(chosen, out, view)
    settings = [word for text in (*overrides, f"train.use={folder}") for word in ("--set", text)]
    typer.echo(f"models  {folder}\nuse     {shlex.join(['fleet-sim', 'run', str(scenario), *settings])}")


@app.command(
    epilog="Example: fleet-sim size scenarios/bandlimited.yaml --find fleet.cameras --target "
    "accuracy_on_time=0.9 --set link.budget_bps='8 kbit/s'"
)
def size(
    scenario: ScenarioFile,
    find: Annotated[
        str, typer.Option(metavar="FIELD", help="What to size: fleet.cameras or link.budget_bps.")
    ],
    target: Annotated[
        str,
        typer.Option(metavar="FIGURE=BOUND", help="accuracy_on_time=0.9, latency_ms.p99=500, ..."),
    ],
    overrides: Overrides = [],  # noqa: B006
    out: Out = Path("runs"),
) -> None:
    """The most cameras, or the least budget, with which a target is met; 5 seeds unless the scenario says."""
    from fleet_sim.sizing.target import read_target

    wanted = read_target(target)
    chosen = load(scenario, overrides)
    from fleet_sim.report.view import open_view
    from fleet_sim.sizing.size import size as size_fleet

    with open_view() as view:
        answer, folder = size_fleet(chosen, find, wanted, out, view)
    typer.echo(f"{answer.sentence}\n{json.dumps(answer.json())}\nmodels  {folder / 'models'}")


@app.command(epilog="Example: fleet-sim reproduce table1 --preset cpu --seeds 1 --data cifar10.npz")
def reproduce(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Table or figure: see docs/learning.md.")],
    dataset: Annotated[Dataset, typer.Option(help="Images.")] = "cifar10",
    preset: Annotated[
        Preset, typer.Option(help="cpu: a narrow network; paper: the paper's, on a GPU.")
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
