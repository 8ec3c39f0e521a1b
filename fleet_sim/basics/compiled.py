"""`compiled`: numba's njit with a cache that never outlives the sources it was made from.

Numba keeps compiled code beside its source and throws it away when that one file changes; a changed function
in another file, or a changed constant, would go unnoticed inside whatever had taken it up. So the cache's
folder is named after all sources in rooms that hold compiled code.
"""

import hashlib
import re
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

import numba
import numpy as np

T = TypeVar("T")
HOUSE = Path(__file__).parents[1]
_DECORATED = re.compile(rb"^@(compiled|bare|inlined)\b", re.MULTILINE)


def sources_hash(house: Path) -> str:
    """16 hex digits over every module of the rooms in `house` that hold compiled functions."""
    paths = sorted(house.rglob("*.py"))
    rooms = {path.parent for path in paths if _DECORATED.search(path.read_bytes())}
    hasher = hashlib.sha256()
    for path in paths:
        if path.parent in rooms:
            content = path.read_bytes()
            hasher.update(f"{path.relative_to(house)} {len(content)}\n".encode() + content)
    return hasher.hexdigest()[:16]


# A folder that cannot be written leaves numba with its own choice of one.
numba.config.CACHE_DIR = str(
    Path(numba.config.CACHE_DIR or HOUSE / "__pycache__") / f"numba-{sources_hash(HOUSE)}"
)
# Without the interpreter's lock, so that members of one process can compute side by side.
compiled = partial(numba.njit, cache=True, nogil=True)
# For what allocates nothing. Without counting references to the arrays of a state at every call, and with
# calls written out in their callers, the cameras' step is ten times as fast.
bare = partial(compiled, _nrt=False, error_model="numpy")
inlined = partial(bare, forceinline=True)
# An unsigned index spares numba the look at whether it counts from the end: a quarter of a step's time.
at = np.uint32


def read_only(value: T) -> T:
    """`value`, an array or a named tuple, with views that nobody may write to for all arrays in it.

    Numba compiles anew for arrays that may be written to, and those that come by shared memory may not.
    """
    if isinstance(value, np.ndarray):
        view = value.view()
        view.flags.writeable = False
        return cast(T, view)
    if isinstance(value, tuple) and hasattr(value, "_make"):
        return cast(T, value._make(map(read_only, value)))
    return value
