"""Commands that check or measure without simulating a scenario."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from fleet_sim.basics.errors import RunError
from fleet_sim.cli.app import Overrides, ScenarioFile, app, load
from fleet_sim.scenario import Scenario, json_schema, points

Device = Literal["cpu", "cuda"]
SHIPPED = Path("shipped")  # as in registry/shipped.py, which would take numba to read


@app.command(epilog="Example: fleet-sim validate scenarios/bandlimited.yaml --set fleet.cameras=500")
def validate(scenario: ScenarioFile, overrides: Overrides = []) -> None:  # noqa: B006
    """Check a scenario and every point of its sweep; run nothing."""
    chosen = load(scenario, overrides)
    count = len(points(chosen))
    for field, path in _absent(chosen).items():
        typer.echo(f"note: {field}: there is no {path} yet, which a run needs", err=True)
    typer.echo(f"{scenario}: a valid scenario of {count} point{'' if count == 1 else 's'}")


def _absent(scenario: Scenario) -> dict[str, Path]:
    """Files and folders to be read by a run that are not there, by their fields."""
    data, use = scenario.data, scenario.train.use
    wanted = {
        "data.path": data.path if data.source in ("npz", "folder") else None,
        "data.labels_path": data.labels_path,
        "train.use": None if use == SHIPPED else use,
    }
    return {field: path for field, path in wanted.items() if path is not None and not path.exists()}


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
    device: Annotated[Device, typer.Option(help="Where heads run.")] = "cpu",
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
    codecs = [load(scenario, []).codec for scenario in scenarios]
    decoders = list(dict.fromkeys(Decoder(c.depth, c.width, c.neurons) for c in codecs)) or USUAL
    rows = []
    for row in measured(decoders, device, batch):
        rows.append(row)
        times = ", ".join(f"{n}: {us}" for n, us in zip(row.batches, row.service_us, strict=True))
        typer.echo(f"{row.head} {row.depth} width {row.width}, us by frames: {times}")
    typer.echo(f"table  {write_table(out, ServiceTable(made_by='fleet-sim calibrate', rows=tuple(rows)))}")
