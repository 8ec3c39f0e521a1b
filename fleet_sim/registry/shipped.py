"""The versions that come with the package, and how they get there.

They are made by `fleet-sim train` like any other; their manifests also say by which command (`made_by`). They
are not signed: a public key in the package would vouch for no more than the list of ids there does, since an
id is a hash of all that a version is, and there is no private key to be kept or lost.
"""

import sys
from pathlib import Path

from fleet_sim.registry.keys import Pinned
from fleet_sim.registry.store import Registry

NAME = Path("shipped")
"""What stands for them in `train.use`; a folder of that name is given by its full path."""
FOLDER = Path(__file__).parent / "versions"
PINNED = "pinned.txt"
"""In a folder of shipped versions, the ids of those that belong there."""


def opened(folder: Path) -> Registry:
    """The registry in `folder`: the package's own believes its list of ids, any other the user's keys."""
    own = folder.exists() and folder.resolve() == FOLDER.resolve()
    return Registry(folder, Pinned(folder / PINNED) if own else None)


def ship(source: Path, made_by: str, target: Path = FOLDER) -> tuple[str, ...]:
    """Publish every version in `source` into `target` with the command that made it; gives the new ids.

    Raises RegistryError where a version is not what was published.
    """
    taken, shipped = Registry(source), Registry(target, Pinned(target / PINNED))
    new_ids: dict[str, str] = {}
    for kind in ("encoder", "head"):  # a head names its encoder, so that comes first
        for summary in taken.list():
            if summary.kind != kind:
                continue
            bundle = taken.load(summary.id)
            manifest = {
                name: value for name, value in bundle.manifest.items() if name not in ("kind", "files")
            }
            if kind == "head":
                manifest["encoder"] = new_ids[manifest["encoder"]]
            new_ids[bundle.id] = shipped.publish(kind, {**manifest, "made_by": made_by}, bundle.tensors)
    return tuple(new_ids.values())


if __name__ == "__main__":
    print("\n".join(ship(Path(sys.argv[1]), sys.argv[2])))
