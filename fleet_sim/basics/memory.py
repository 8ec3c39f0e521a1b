"""How much memory there is, and memory that a process frees and takes again at every step."""

import ctypes
from pathlib import Path

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h of glibc
_KEPT_BYTES = 1 << 30
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def free_bytes() -> int | None:
    """What this machine, or the container around this process, can still give; None where it does not say.

    Linux says it in /proc/meminfo, and of a container in its memory.max, less what memory.stat counts as
    held: cached files are not, since they give way.
    """
    said = [1024 * kib for name, kib in _figures(_MEMINFO) if name == "MemAvailable:"]
    limit = _CGROUP / "memory.max"
    if limit.is_file() and (most := limit.read_text().strip()) != "max":
        held = sum(count for name, count in _figures(_CGROUP / "memory.stat") if name in ("anon", "shmem"))
        said.append(max(0, int(most) - held))
    return min(said, default=None)


def _figures(file: Path) -> list[tuple[str, int]]:
    """The name and number that begin each line; none where there is no such file."""
    lines = file.read_text().splitlines() if file.is_file() else []
    return [(name, int(number)) for name, number, *_ in (line.split() for line in lines)]


def keep_memory() -> None:
    """Have freed memory stay with this process, up to a gigabyte, to be used again.

    glibc gives large arrays back to the system as soon as they are freed. A member that steps needs as much
    again at once, and page faults would take up to a third of its time. Does nothing without glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_ARENA_MAX, 1)  # only the first arena holds large arrays
