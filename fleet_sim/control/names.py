"""What a scenario may call a controller, and a user's own as it stands in its file. Knows no numba."""

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

from fleet_sim.basics.errors import UserError, instead

INLINE = ("budget", "fixed")
"""Controllers that the step itself has: they need no observation, so the usual fleet pays for none."""
OBSERVING = ("throughput", "aimd", "buffer", "predictive", "drop", "frame_bits", "value")
"""Controllers that the step calls."""
ESTIMATING = ("value",)
"""Those that want an estimate of each frame's answer, which takes a camera `control.confidence_us`."""
_OWN = re.compile(r"(?P<path>.+\.py):(?P<function>[A-Za-z_]\w*)")
MOST_BYTES = 1_000_000


class Own(NamedTuple):
    """A user's own controller: where it stands, and its text, which travels to where it is compiled."""

    path: str
    function: str
    source: str

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) of the text and the function's name."""
        return hashlib.sha256(f"{self.function}\n{self.source}".encode()).hexdigest()


def is_own(controller: str) -> bool:
    """Whether this names a function in a file, as FILE.py:FUNCTION does."""
    return _OWN.fullmatch(controller) is not None


def estimates(controller: str) -> bool:
    """Whether this controller gets estimates of each frame: `value` does, and whatever is one's own."""
    return controller in ESTIMATING or is_own(controller)


def check_name(controller: str) -> str:
    """The name of a controller, or FILE.py:FUNCTION; raises ValueError for anything else."""
    names = [*INLINE, *OBSERVING]
    if controller not in names and not is_own(controller):
        raise ValueError(
            f"there is no controller '{controller}'; {instead(controller, names)} "
            "(one of your own is FILE.py:FUNCTION)"
        )
    return controller


def own(controller: str) -> Own | None:
    """The user's own controller of this name, read from its file; None for one of the package's.

    Raises UserError where the file cannot be read.
    """
    match = _OWN.fullmatch(controller)
    if match is None:
        return None
    path = match["path"]
    try:
        content = Path(path).read_bytes()
        if len(content) > MOST_BYTES:
            raise UserError(f"{path}: {len(content)} bytes; a controller may have {MOST_BYTES}")
        return Own(path, match["function"], content.decode())
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(f"{path}: cannot be read: {reason}") from None
