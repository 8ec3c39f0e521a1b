"""What is written before it has its place, and clearing away what publishers that died have left of it."""

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DRAFT = ".draft-"


@contextmanager
def draft(root: Path) -> Iterator[Path]:
    """A hidden place in `root` that nobody else has, safe from `clear_drafts` while the block lasts."""
    with _holding(root, fcntl.LOCK_SH):
        yield root / f"{_DRAFT}{uuid.uuid4().hex}"


def drafts(root: Path) -> list[Path]:
    """Those that are there, of publishers at work or gone."""
    return sorted(root.glob(f"{_DRAFT}*"))


def clear_drafts(root: Path) -> int:
    """Delete what publishers that are gone have left, after waiting for those at work; how many drafts.

    A publisher holds a shared lock on the folder, which the system takes from it when it dies.
    """
    with _holding(root, fcntl.LOCK_EX):
        dead = drafts(root)
        for place in dead:
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink()
        return len(dead)


@contextmanager
def _holding(root: Path, how: int) -> Iterator[None]:
    folder = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(folder, how)
        yield
    finally:
        os.close(folder)
