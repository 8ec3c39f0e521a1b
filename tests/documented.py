"""Pages of docs/ as a reader follows them: their files are written, their commands run, from top to bottom.

A fenced block ``sh`` is run by bash, one with a name after its language is written as that file, and ``text``
after commands is what they print. Figures depend on the machine, so of each printed line the words must be
there, in their order, and numbers may be others.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    name: str
    text: str


def blocks(page: Path) -> list[Block]:
    """The page's fenced blocks."""
    return [Block(*found) for found in _BLOCK.findall(page.read_text(encoding="utf-8"))]


def follow(page: Path, folder: Path) -> None:
    """Do all that the page says in `folder`, which stands for the checkout; AssertionError where it fails."""
    for name in ("scenarios", "tests"):
        (folder / name).symlink_to(ROOT / name)
    printed = ""
    for block in blocks(page):
        if block.name:
            (folder / block.name).write_text(block.text, encoding="utf-8")
        elif block.language == "sh":
            printed = _run(block.text, folder)
        elif block.language == "text" and printed:
            _check(block.text, printed)


def _run(commands: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, f"{commands}ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def _check(quoted: str, printed: str) -> None:
    said = {_words(line) for line in printed.splitlines()}
    for line in quoted.splitlines():
        assert line.strip() == "..." or _words(line) in said, f"not printed: {line}\nbut:\n{printed}"


def _words(line: str) -> tuple[str, ...]:
    return tuple(word for word in line.split() if not re.search(r"\d", word))
