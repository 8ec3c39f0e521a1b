"""Shards, servers and the registry as the driver holds them: set up again after a death, never twice told.

A member keeps nothing that it was not told. `lasting` calls hold for the whole run, `begin` opens a sweep
point, `advance` moves it on and now and then leaves a snapshot. After a death all of these are replayed in
this order, steps from the last snapshot on, once however many calls were under way, and the lost calls are
sent again; a step is a function of the state before it, so the repetition gives what the first call would
have given. A snapshot that is gone with its machine is done without: steps are then replayed from the first.

A process that Ray has started again looks like any other. So every call says how much the member must have
been told; one that knows less or more says that it is lost.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
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
    """A member on a host, and what it has been told.

    `snapshots_here`: keep its snapshots on the driver's machine, for a member whose steps cannot be replayed
    from the first, since what they were given is no longer there.
    """

    def __init__(
        self,
        host: Host,
        name: str,
        resident: type[Resident],
        *args: object,
        cpus: float,
        gpus: float = 0,
        beside_driver: bool = False,
        snapshots_here: bool = False,
    ):
        self.name = name
        self.restarts = 0
        self.snapshots_here = snapshots_here
        self.handle: Handle = host.spawn(
            name, resident, *args, cpus=cpus, gpus=gpus, beside_driver=beside_driver
        )
        self._host = host
        self._lasting: list[Told] = []
        self._begin: Told | None = None
        self._steps: list[Pending] = []  # of this point, done
        self._snapshot: Ref | None = None
        self._steps_in_snapshot = 0

    def lasting(self, method: str, *args: object) -> None:
        """Call a method whose effect outlives sweep points, and wait for it."""
        Pending(self, "learn", method, args).wait()
        self._lasting.append((method, args))

    def begin(self, method: str, *args: object) -> None:
        """Call the method that opens a sweep point, and wait for it."""
        self._begin, self._steps, self._snapshot, self._steps_in_snapshot = None, [], None, 0
        Pending(self, "do", method, args).wait()
        self._begin = (method, args)

    def ask(self, method: str, *args: object, returns: int = 1) -> "Pending":
        """Begin a call that changes no state."""
        return Pending(self, "do", method, args, returns)

    def advance(self, method: str, *args: object, returns: int, snapshot: bool = True) -> "Pending":
        """Begin a call that moves the state on; the second part of its result is a snapshot if there is one.

        Of one member only one such call may be under way.
        """
        return Pending(self, "do", method, args, returns, moves=True, snapshot=snapshot)

    def settle(self) -> None:
        """Nobody will ask any more for what the steps done so far have given."""
        unsettled = self._steps[self._steps_in_snapshot :]
        for number, step in enumerate(unsettled, start=self._steps_in_snapshot + 1):
            if step.snapshot is not None:
                self._snapshot, self._steps_in_snapshot = step.snapshot, number
            step.drop_results()

    def send(self, way: str, method: str, args: Sequence[object], returns: int) -> list[Ref]:
        """Begin a call, without waiting."""
        return self._host.call(self.handle, way, len(self._lasting), method, *args, returns=returns)

    def value(self, ref: Ref) -> Any:
        """What a reference stands for; raises MemberLost."""
        return self._host.get(ref)

    def moved(self, step: "Pending") -> None:
        """A step is done."""
        self._steps.append(step)

    def set_up_again(self) -> None:
        """Tell whoever answers now everything, from the start; raises MemberLost if it dies over it."""
        self.value(self._host.call(self.handle, "forget")[0])
        for told, (method, args) in enumerate(self._lasting):
            self.value(self._host.call(self.handle, "learn", told, method, *args)[0])
        if self._begin:
            self.value(self.send("do", *self._begin, 1)[0])
        if self._snapshot is not None and not self._snapshot_readable():
            self._snapshot, self._steps_in_snapshot = None, 0
        if self._snapshot is not None:
            self.value(self.send("do", "restore", (self._snapshot,), 1)[0])
        for step in self._steps[self._steps_in_snapshot :]:
            step.repeat()
        self.restarts += 1

    def _snapshot_readable(self) -> bool:
        if not self.snapshots_here:
            try:
                self.value(self._snapshot)
            except MemberLost:
                return False
        return True


@dataclass(frozen=True)
class Part:
    """An argument: a part of what another member's step gave, made again if it is gone."""

    step: "Pending"
    place: int

    def here(self) -> None:
        """Repeat the step unless this part can be read; raises MemberLost if its member dies over it."""
        self.step.restore_part(self.place)


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
        snapshot: bool = False,
    ):
        self._member, self._way, self._method, self._args = member, way, method, args
        self._returns, self._moves, self._leaves_snapshot = returns, moves, snapshot
        self.snapshot: Any = None
        self.refs: list[Ref] = []
        self._send()

    def _send(self) -> None:
        self._life = self._member.restarts
        args = [arg.step.refs[arg.place] if isinstance(arg, Part) else arg for arg in self._args]
        self.refs = self._member.send(self._way, self._method, args, self._returns)

    def wait(self) -> list[Ref]:
        """References to the parts of the result; after a death the call is repeated.

        Raises RunError when the member dies over it again and again.
        """
        deaths = 0
        while True:
            try:
                self._member.value(self.refs[0])
                if self._moves and self._member.restarts != self._life:
                    self._send()  # the member has been taken back to before this step
                    continue
                self._take_snapshot()
                break
            except MemberLost as error:
                deaths += 1
                if deaths > MOST_DEATHS_IN_A_ROW:
                    raise RunError(
                        f"{self._member.name} died {deaths} times in {self._method}: {error}"
                    ) from error
                self._recover(PAUSE_S * 2**deaths)
        if self._moves:
            self._member.moved(self)
        return self.refs

    def repeat(self) -> None:
        """Do a step again that was done; raises MemberLost."""
        kept = len(self.refs)
        self._send()
        self._member.value(self.refs[0])
        self._take_snapshot()
        del self.refs[kept:]

    def drop_results(self) -> None:
        """Let go of all that the step gave but its own account of it."""
        del self.refs[1:]
        self.snapshot = None

    def restore_part(self, place: int) -> None:
        """Have this part of the result made again if it cannot be read; raises MemberLost."""
        try:
            self._member.value(self.refs[place])
        except MemberLost:
            self._member.set_up_again()

    def _take_snapshot(self) -> None:
        if self._leaves_snapshot:
            here = self._member.snapshots_here
            self.snapshot = self._member.value(self.refs[1]) if here else self.refs[1]

    def _recover(self, pause_s: float) -> None:
        try:
            if self._member.restarts == self._life:  # else another call has set the member up since
                time.sleep(pause_s)
                self._member.set_up_again()
            for arg in self._args:
                if isinstance(arg, Part):
                    arg.here()
        except MemberLost:
            return  # the call is still lost, which counts this death too
        self._send()
