"""Where the fleet's members run: Ray actors, or objects in this process. The driver sees no difference."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
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

    def background(self, work: Callable[[], Any]) -> "Future[Any]":
        """Begin work beside the simulation."""

    def close(self) -> None:
        """End all members."""


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

    def background(self, work: Callable[[], Any]) -> "Future[Any]":
        """Run the work now: in one process nothing runs beside."""
        future: Future[Any] = Future()
        future.set_result(work())
        return future

    def close(self) -> None:
        """Nothing to end."""


def _parts(result: Sequence[Any], returns: int) -> list[Any]:
    if len(result) != returns:
        raise ValueError(f"a call returned {len(result)} parts instead of {returns}")
    return list(result)


class Member:
    """A shard or server with what is needed to set it up again after its death.

    `lasting` calls hold for the whole run, `begin` opens a sweep point, and each `advance` leaves a snapshot.
    After a death all of these are replayed, in this order, and the failed call is repeated; since a step is a
    function of the state before it, the repetition gives what the first call would have given.
    """

    def __init__(self, host: Host, name: str, member: type, *args: object, cpus: float, gpus: float = 0):
        self.name = name
        self._host = host
        self._handle = host.spawn(name, member, *args, cpus=cpus, gpus=gpus)
        self._lasting: list[tuple[str, tuple[object, ...]]] = []
        self._begin: tuple[str, tuple[object, ...]] | None = None
        self._snapshot: Ref | None = None
        self.restarts = 0

    def lasting(self, method: str, *args: object) -> None:
        """Call a method whose effect outlives sweep points."""
        self._lasting.append((method, args))
        self._insist(method, args, 1, self._host.call(self._handle, method, *args))

    def begin(self, method: str, *args: object) -> None:
        """Call the method that opens a sweep point."""
        self._begin, self._snapshot = (method, args), None
        self._insist(method, args, 1, self._host.call(self._handle, method, *args))

    def ask(self, method: str, *args: object, returns: int = 1) -> "Pending":
        """Begin a call that changes no state."""
        return Pending(
            self, method, args, returns, self._host.call(self._handle, method, *args, returns=returns)
        )

    def advance(self, method: str, *args: object, returns: int) -> "Pending":
        """Begin a call that moves the state on; the second part of its result is the new snapshot."""
        refs = self._host.call(self._handle, method, *args, returns=returns)
        return Pending(self, method, args, returns, refs, moves=True)

    def _insist(self, method: str, args: tuple[object, ...], returns: int, refs: list[Ref]) -> list[Ref]:
        """Wait for the first part of the result, setting the member up again as often as it dies."""
        while True:
            try:
                self._host.get(refs[0])
                return refs
            except MemberLost:
                self.restarts += 1
                try:
                    self._set_up_again()
                except MemberLost:
                    continue
                refs = self._host.call(self._handle, method, *args, returns=returns)

    def _set_up_again(self) -> None:
        calls = [*self._lasting, *([self._begin] if self._begin else [])]
        if self._snapshot is not None:
            calls.append(("restore", (self._snapshot,)))
        for method, args in calls:
            self._host.get(self._host.call(self._handle, method, *args)[0])


class Pending:
    """A call under way."""

    def __init__(
        self,
        member: Member,
        method: str,
        args: tuple[object, ...],
        returns: int,
        refs: list[Ref],
        moves: bool = False,
    ):
        self._member, self._method, self._args, self._returns = member, method, args, returns
        self._refs, self._moves = refs, moves

    def wait(self) -> list[Ref]:
        """References to the parts of the result; the call is repeated until it has one."""
        refs = self._member._insist(self._method, self._args, self._returns, self._refs)
        if self._moves:
            self._member._snapshot = refs[1]
        return refs
