"""Memory that a process frees and takes again at every step."""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h of glibc
_KEPT_BYTES = 1 << 30


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
