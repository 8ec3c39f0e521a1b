"""Where the fleet's members run: Ray actors, or objects in this process. The driver sees no difference."""

from collections.abc import Sequence
from typing import Any, Protocol

Ref = Any  # a Ray object reference; in process, the value itself
Handle = Any  # a Ray actor handle; in process, the object itself


class MemberLost(Exception):
    """A member died, or came back without its state: set it up again and repeat the call."""


class Host(Protocol):
    """Starts members, calls them and moves values between them."""

    def spawn(
        self,
        name: str,
        member: type,
        *args: object,
        cpus: float,
        gpus: float = 0,
        beside_driver: bool = False,
    ) -> Handle:
        """A new member of this class; `beside_driver`: on the driver's own machine, whose files it shares."""

    def call(self, handle: Handle, method: str, *args: object, returns: int = 1) -> list[Ref]:
        """Begin a call; `returns` references to the parts of its result. Arguments may be references."""

    def get(self, ref: Ref) -> Any:
        """The value; raises MemberLost if its maker is gone."""

    def put(self, value: object) -> Ref:
        """Keep a value where every member can read it."""


class LocalHost:
    """Everything in this process, one call after the other."""

    def spawn(
        self,
        name: str,
        member: type,
        *args: object,
        cpus: float,
        gpus: float = 0,
        beside_driver: bool = False,
    ) -> Handle:
        """A new object of this class; reserves nothing."""
        return member(*args)

    def call(self, handle: Handle, method: str, *args: object, returns: int = 1) -> list[Ref]:
        """Run the call now."""
        result = getattr(handle, method)(*args)
        return [result] if returns == 1 else _parts(result, returns)

    def get(self, ref: Ref) -> Any:
        """The value itself."""
        return ref

    def put(self, value: object) -> Ref:
        """The value itself."""
        return value


def _parts(result: Sequence[Any], returns: int) -> list[Any]:
    if len(result) != returns:
        raise ValueError(f"a call returned {len(result)} parts instead of {returns}")
    return list(result)
