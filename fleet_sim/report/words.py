"""Numbers and field paths as a reader wants to see them."""

NOTHING = "-"

_NAMES = {
    "link.budget_bps": "link budget",
    "fleet.frame_period_us": "frame period",
    "fleet.encode_us": "encode time",
    "duration_us": "duration",
    "serving.frame_us": "service time of a frame",
    "serving.batch_us": "service time of a batch",
    "serving.max_wait_us": "longest wait for a batch",
    "control.level": "fixed level",
}
_COUNTED = {"fleet.cameras": "camera", "fleet.cells": "cell", "serving.servers": "server"}


def bit_rate(bps: float) -> str:
    """Bits per second with the unit that keeps the number short.

    >>> bit_rate(12_500)
    '12.5 kbit/s'
    """
    return _scaled(bps, ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (1, "bit/s")))


def time(us: float) -> str:
    """Microseconds with the unit that keeps the number short.

    >>> time(500_000)
    '500 ms'
    """
    return _scaled(us, ((60e6, "min"), (1e6, "s"), (1e3, "ms"), (1, "us")))


def moment(at_us: float) -> str:
    """A virtual time, in seconds as along all axes.

    >>> moment(4_387_333_000)
    '4,387.3 s'
    """
    return f"{round(at_us / 1e6, 1):,} s".replace(".0 s", " s")


def percent(share: float | None, digits: int = 1) -> str:
    """A share in percent; a dash where there is none."""
    return NOTHING if share is None else f"{100 * share:.{digits}f} %"


def number(value: float | None, digits: int = 0) -> str:
    """A number with thousands apart; a dash where there is none."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def milliseconds(ms: float | None) -> str:
    """A latency given in milliseconds; a dash where nothing was answered."""
    return NOTHING if ms is None else time(float(f"{1000 * ms:.3g}"))


def counted(count: int, noun: str) -> str:
    """So many of what a noun with a plural in s names.

    >>> counted(1, "frame"), counted(2000, "class")
    ('1 frame', '2,000 classes')
    """
    plural = "es" if noun.endswith("s") else "s"
    return f"{number(count)} {noun}{'' if count == 1 else plural}"


def title(path: str) -> str:
    """What the field at `path` is called on an axis, without its unit.

    >>> title("serving.deadline_us"), title("link.loss.kind")
    ('deadline', 'loss')
    """
    if path in _COUNTED:
        return f"{_COUNTED[path]}s"
    bare = path.removesuffix(".kind").rsplit(".", 1)[-1]
    for unit in ("_us", "_bps", "_bytes"):
        bare = bare.removesuffix(unit)
    return _NAMES.get(path, bare.replace("_", " "))


def value(path: str, what: str | float | None) -> str:
    """A value of the field at `path` with its unit."""
    if what is None:
        return NOTHING
    if isinstance(what, str | bool):
        return str(what).lower() if isinstance(what, bool) else what
    if path.endswith("_bps"):
        return bit_rate(what)
    if path.endswith("_us"):
        return time(what)
    if path.endswith("_bytes"):
        return f"{what:,} bytes"
    return f"{what:,}"


def label(path: str, what: str | float | None) -> str:
    """A value that says by itself what it is of: ``20 kbit/s``, ``200 cameras``, ``deadline 500 ms``."""
    if path in _COUNTED:
        return f"{value(path, what)} {_COUNTED[path]}{'' if what == 1 else 's'}"
    if path == "link.budget_bps":
        return value(path, what)
    return f"{title(path)} {value(path, what)}"


def labels(swept: dict[str, str | int | float | None]) -> str:
    """All values of a sweep point in one line; ``the one point`` without a sweep."""
    return ", ".join(label(path, what) for path, what in swept.items()) or "the one point"


def _scaled(amount: float, units: tuple[tuple[float, str], ...]) -> str:
    size, unit = next(((s, u) for s, u in units if abs(amount) >= s), units[-1])
    scaled = amount / size
    return f"{scaled:.0f} {unit}" if abs(scaled) >= 1000 else f"{scaled:.4g} {unit}"
