"""`fleet-sim models`: look at the versions of a registry, verify, compare and tidy them.

The registry is imported by the commands, since its hashes are compiled and other commands start without it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fleet_sim.basics.errors import UserError
from fleet_sim.report import words

if TYPE_CHECKING:
    from fleet_sim.registry import Registry, Summary

SHORT = 16

app = typer.Typer(
    help="Look at versions: encoders and heads, as a run or a training has left them.",
    epilog="Start with: fleet-sim models list RUN",
    no_args_is_help=True,
)

_Folder = Annotated[
    Path, typer.Argument(metavar="MODELS", help="A folder of versions, or of a run that has one.")
]
_Version = Annotated[str, typer.Argument(metavar="ID", help="The first digits of a version's id.")]


@app.command("list", epilog="Example: fleet-sim models list runs/update-20260101-120000")
def list_versions(folder: _Folder) -> None:
    """What is there, and what of it is in the field. Refused versions are shown as such."""
    from fleet_sim.codec.contract import serves
    from fleet_sim.registry.deployment import deployed

    registry = _registry(folder)
    in_field = deployed(registry)
    table, refused = _table("version", "kind", "recipe", "head", "contract", "bytes", "deployed"), []
    for name in registry.names():
        try:
            summary = registry.summary(name)
        except UserError as error:
            refused.append(f"{name} refused: {error}")
            continue
        made = summary.manifest
        table.add_row(
            name,
            summary.kind,
            str(made.get("recipe", "")),
            str(made.get("head", {}).get("name", "")),
            ", ".join(contract[:8] for contract in serves(made)),
            words.number(_size(summary)),
            "yes" if summary.id in in_field.encoders | in_field.heads else "",
        )
    _print(table)
    for line in refused:
        typer.echo(line)


@app.command(epilog="Example: fleet-sim models show runs/update-20260101-120000 3f0c")
def show(folder: _Folder, version: _Version) -> None:
    """The manifest of one version, verified with all its files."""
    from fleet_sim.registry.compare import leaves

    bundle = _registry(folder).load(version)
    table = _table("field", "value")
    table.add_row("id", bundle.id)
    for field, value in sorted(bundle.manifest.items()):
        for path, leaf in leaves(field, value):
            table.add_row(path, escape(str(leaf)))
    _print(table)


@app.command(epilog="Example: fleet-sim models verify runs/update-20260101-120000")
def verify(folder: _Folder) -> None:
    """Read every byte of every version; status 2 if one is refused."""
    registry = _registry(folder)
    refused = 0
    for name in registry.names():
        try:
            registry.verify(name)
            typer.echo(f"{name} good")
        except UserError as error:
            refused += 1
            typer.echo(f"{name} refused: {error}")
    if refused:
        raise UserError(f"refused: {refused} of {len(registry.names())} versions in {registry.root}")


@app.command(epilog="Example: fleet-sim models diff runs/update-20260101-120000 3f0c 77ab")
def diff(
    folder: _Folder,
    first: _Version,
    second: Annotated[str, typer.Argument(metavar="OTHER", help="Those of another.")],
) -> None:
    """In what two versions differ: manifests, ranking, tables, weights."""
    from fleet_sim.registry.compare import differences

    registry = _registry(folder)
    found = differences(registry.load(first), registry.load(second))
    if not found:
        typer.echo("the same version")
        return
    table = _table("part", "name", first, second)
    for row in found:
        table.add_row(*map(escape, row))
    _print(table)


@app.command(epilog="Example: fleet-sim models delta runs/update-20260101-120000 3f0c 77ab")
def delta(
    folder: _Folder,
    old: Annotated[str, typer.Argument(metavar="OLD", help="What a camera has.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="What it is to have.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the delta there.")] = None,
) -> None:
    """How many bytes take a camera from one version to another, whole and as a delta that was tried."""
    from fleet_sim.registry.delta import delta_of, rebuilt, whole

    registry = _registry(folder)
    before, after = registry.load(old), registry.load(new)
    made, entire = delta_of(before, after), len(whole(after))
    if rebuilt(before, made).id != after.id:
        raise RuntimeError("a delta rebuilt another version")
    typer.echo(f"whole {entire:,} bytes\ndelta {len(made):,} bytes, {len(made) / entire:.1%} of it")
    if out is not None:
        out.write_bytes(made)


@app.command(epilog="Example: fleet-sim models sign old-run 3f0c 77ab")
def sign(
    folder: _Folder,
    versions: Annotated[list[str], typer.Argument(metavar="ID...", help="Versions that nobody has signed.")],
) -> None:
    """Vouch for versions with the key of this fleet, hashes verified: only if you know their origin."""
    registry = _registry(folder)
    for version in versions:
        typer.echo(f"signed {registry.sign(version)}")


@app.command(epilog="Example: fleet-sim models gc runs/update-20260101-120000 --keep 3f0c")
def gc(
    folder: _Folder,
    keep: Annotated[
        list[str], typer.Option("--keep", metavar="ID", help="Keep this version too; may be repeated.")
    ] = [],  # noqa: B006  typer never changes it
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete versions that are not deployed, nor kept, nor needed by one that is, and what the dead left."""
    from fleet_sim.registry.drafts import clear_drafts
    from fleet_sim.registry.keeping import rubbish

    registry = _registry(folder)
    found = rubbish(registry, keep)
    if dead := clear_drafts(registry.root):
        typer.echo(f"cleared {dead} draft{'s' * (dead > 1)} of publishers that are gone")
    if not found.versions:
        typer.echo("no version to delete")
        return
    for version in found.versions:
        typer.echo(version[:SHORT])
    much = f"{len(found.versions)} version{'s' * (len(found.versions) > 1)} of {found.size_bytes:,} bytes"
    if not yes and not typer.confirm(f"delete {much}?"):
        typer.echo("nothing was deleted")
        return
    for version in found.versions:
        registry.remove(version)
    typer.echo(f"deleted {much}")


def _registry(folder: Path) -> "Registry":
    from fleet_sim.registry.shipped import opened

    place = folder / "models" if (folder / "models").is_dir() else folder
    if not place.is_dir():
        raise UserError(f"there is no folder {folder}")
    registry = opened(place)
    if not registry.names():
        raise UserError(f"{place} holds no versions")
    return registry


def _size(summary: "Summary") -> int:
    return sum(entry["bytes"] for entry in summary.manifest["files"].values())


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=place == 0)
    return table


def _print(table: Table) -> None:
    Console().print(table)
