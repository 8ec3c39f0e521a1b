"""Shards, servers and the registry as the driver holds them: set up again after a death, never twice told.

A member keeps nothing that it was not told. `lasting` calls hold for the whole run, `begin` opens a sweep
point, and each `advance` leaves a snapshot. After a death all of these are replayed in this order, once
however many calls were under way, and the lost calls are sent again; a step is a function of the state before
it, so the repetition gives what the first call would have given.

A process that Ray has started again looks like any other. So every call says how much the member must have
been told; one that knows less or more says that it is lost.
"""

import time
from abc import ABC, abstractmethod
from typing import Any

from fleet_sim.basics.errors import RunError
from fleet_sim.cluster.host import Handle, Host, MemberLost, Ref

MOST_DEATHS_IN_A_ROW = 5
PAUSE_S = 0.2  # after the first death in a row; doubled after each

Told = tuple[str, tuple[object, ...]]


class Resident(ABC):
    """The member's own side: all calls come through `do`, `learn` and `forget`."""

    _told = 0

    def do(self, told: int, method: str, *args: object) -> Any:
        """Run a method, if this member has been told `told` things; MemberLost if not."""
        if self._told != told:
            raise MemberLost(f"was told {self._told} things of {told}")
        return getattr(self, method)(*args)

    def learn(self, told: int, method: str, *args: object) -> None:
        """The same for a method whose effect lasts."""
        self.do(told, method, *args)
        self._told = told + 1

    def forget(self) -> None:
        """Be as new."""
        self._told = 0
        self.reset()

    @abstractmethod
    def reset(self) -> None:
        """Drop all that was told."""


class Member:
    """A member on a host, and what it has been told."""

    def __init__(
        self,
        host: Host,
        name: str,
        resident: type[Resident],
        *args: object,
        cpus: float,
        gpus: float = 0,
        beside_driver: bool = False,
    ):
        self.name = name
        self.restarts = 0
        self.handle: Handle = host.spawn(
            name, resident, *args, cpus=cpus, gpus=gpus, beside_driver=beside_driver
        )
        self._host = host
        self._lasting: list[Told] = []
        self._begin: Told | None = None
        self._snapshot: Ref | None = None

    def lasting(self, method: str, *args: object) -> None:
        """Call a method whose effect outlives sweep points, and wait for it."""
        Pending(self, "learn", method, args).wait()
        self._lasting.append((method, args))

    def begin(self, method: str, *args: object) -> None:
        """Call the method that opens a sweep point, and wait for it."""
        self._begin, self._snapshot = None, None
        Pending(self, "do", method, args).wait()
        self._begin = (method, args)

    def ask(self, method: str, *args: object, returns: int = 1) -> "Pending":
        """Begin a call that changes no state."""
        return Pending(self, "do", method, args, returns)

    def advance(self, method: str, *args: object, returns: int) -> "Pending":
        """Begin a call that moves the state on; the second part of its result is the new snapshot."""
        return Pending(self, "do", method, args, returns, moves=True)

    def send(self, way: str, method: str, args: tuple[object, ...], returns: int) -> list[Ref]:
        """Begin a call, without waiting."""
        return self._host.call(self.handle, way, len(self._lasting), method, *args, returns=returns)

    def value(self, ref: Ref) -> Any:
        """What a reference stands for; raises MemberLost."""
        return self._host.get(ref)

    def moved_to(self, snapshot: Ref) -> None:
        """Keep the state after a step."""
        self._snapshot = snapshot

    def set_up_again(self) -> None:
        """Tell whoever answers now everything, from the start; raises MemberLost if it dies over it."""
        self.value(self._host.call(self.handle, "forget")[0])
        for told, (method, args) in enumerate(self._lasting):
            self.value(self._host.call(self.handle, "learn", told, method, *args)[0])
        point = [self._begin] if self._begin else []
        point += [("restore", (self._snapshot,))] if self._snapshot is not None else []
        for method, args in point:
            self.value(self.send("do", method, args, 1)[0])
        self.restarts += 1


class Pending:
    """A call under way."""

    def __init__(
        self,
        member: Member,
        way: str,
        method: str,
        args: tuple[object, ...],
        returns: int = 1,
        moves: bool = False,
    ):
        self._member, self._way, self._method, self._args = member, way, method, args
        self._returns, self._moves = returns, moves
        self._send()

    def _send(self) -> None:
        self._life = self._member.restarts
        self._refs = self._member.send(self._way, self._method, self._args, self._returns)

    def wait(self) -> list[Ref]:
        """References to the parts of the result; after a death the call is repeated.

        Raises RunError when the member dies over it again and again.
        """
        deaths = 0
        while True:
            try:
                self._member.value(self._refs[0])
                break
            except MemberLost as error:
                deaths += 1
                if deaths > MOST_DEATHS_IN_A_ROW:
                    raise RunError(
                        f"{self._member.name} died {deaths} times in {self._method}: {error}"
                    ) from error
                self._recover(PAUSE_S * 2**deaths)
        if self._moves:
            self._member.moved_to(self._refs[1])
        return self._refs

    def _recover(self, pause_s: float) -> None:
        if self._member.restarts == self._life:  # else another call has set the member up since
            time.sleep(pause_s)
            try:
                self._member.set_up_again()
            except MemberLost:
                return  # the call is still lost, which counts this death too
        self._send()
