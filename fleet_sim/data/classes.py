"""The classes of data sources that always have the same, known without reading an image."""

from fleet_sim.data.groups import GROUPS
from fleet_sim.data.spec import DataSpec

DIGITS = tuple("0123456789")


def known_classes(spec: DataSpec) -> tuple[str, ...] | None:
    """Names of the classes, in no order; None where only the images tell."""
    if spec.labels != "own":
        return tuple(GROUPS[spec.labels])
    if spec.source == "digits":
        return DIGITS
    if spec.source in ("npz", "folder") or (spec.path is not None and spec.path.suffix == ".npz"):
        return None
    # CIFAR's groups name each of its classes once.
    members = GROUPS["coarse" if spec.source == "cifar100" else "animals"].values()
    return tuple(name for group in members for name in group.split())
