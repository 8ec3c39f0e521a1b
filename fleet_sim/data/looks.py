"""How images look when the weather or the light is bad."""

from typing import Literal, NamedTuple

Kind = Literal["clear", "fog", "blur", "noise", "night"]
SEVERITIES = 5


class Look(NamedTuple):
    """How images look; severity 1 to 5, 0 for clear ones."""

    kind: Kind
    severity: int


CLEAR = Look("clear", 0)
