"""The two kinds of error that end a command with one line instead of a traceback."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """What was asked for cannot be done; the message says what would be right. The command exits with 2."""


class RunError(RuntimeError):
    """The run itself failed although the input was right. The command exits with 1."""


def instead(name: str, names: Iterable[str]) -> str:
    """What to write in place of `name`: the nearest of `names`, or all of them where none is near.

    >>> instead("budget_bsp", ["budget_bps", "profile"])
    'did you mean budget_bps?'
    >>> instead("mtu", ["mtu_bytes", "profile"])
    'did you mean mtu_bytes?'
    >>> instead("x", ["ce", "kl"])
    'there are ce, kl'
    """
    known = list(names)
    near = get_close_matches(name, known, n=1) or [other for other in known if other.startswith(f"{name}_")]
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with a word on what was kept."""
