"""The folder of a run's results: where it may be, and its name."""

import tempfile
from datetime import datetime
from itertools import count
from pathlib import Path

from fleet_sim.basics.errors import UserError


def check_place(out: Path) -> None:
    """UserError where `out` cannot be a folder to write in.

    Tried out, since permissions do not say all: nobody can write in /proc. Nothing is left behind.
    """
    place = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
    try:
        with tempfile.TemporaryDirectory(dir=place):
            pass
    except OSError:
        raise UserError(f"--out {out}: {place} is not a folder that can be written in") from None


def new_folder_name(out: Path, name: str) -> Path:
    """`out`/name-time, numbered where a run of the same second has that name; not made yet."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    candidates = (out / (f"{name}-{stamp}" if i == 1 else f"{name}-{stamp}-{i}") for i in count(1))
    return next(folder for folder in candidates if not folder.exists())
