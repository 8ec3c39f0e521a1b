"""Shards, servers and the registry as the driver holds them: set up again after a death, never twice told.

A member keeps nothing that it was not told. `lasting` calls hold for the whole run, `begin` opens a sweep
point, `advance` moves it on and now and then leaves a snapshot. After a death all of these are replayed in
this order, steps from the last snapshot on, once however many calls were under way, and the lost calls are
sent again; a step is a function of the state before it, so the repetition gives what the first call would
have given. A snapshot that is gone with its machine is done without: steps are then replayed from the first.

A process that Ray has started again looks like any other. So every call says in which state the member must
be; one in another state says that it is lost.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fleet_sim.basics.errors import RunError
from fleet_sim.cluster.host import MOST_AWAY_S, PAUSE_S, Handle, Host, MemberAway, MemberLost, Ref
from fleet_sim.cluster.resident import NEW, Resident, State

MOST_DEATHS_IN_A_ROW = 5
Move = Callable[[State], State]
Call = tuple[str, tuple[object, ...]]


def _stay(state: State) -> State:
    return state


def _learn(state: State) -> State:
    return state._replace(lasting=state.lasting + 1)


def _open(state: State) -> State:
    return state._replace(open=True, steps=0)


def _step(state: State) -> State:
    return state._replace(steps=state.steps + 1)


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
        self._state = NEW  # once the member has done all that was sent
        self._lasting: list[Call] = []
        self._begin: Call | None = None
        self._steps: list[Pending] = []  # of this point, done
        self._snapshot: Ref | None = None
        self._steps_in_snapshot = 0

    def lasting(self, method: str, *args: object) -> None:
        """Call a method whose effect outlives sweep points, and wait for it."""
        Pending(self, method, args, move=_learn).wait()
        self._lasting.append((method, args))

    def begin(self, method: str, *args: object) -> None:
        """Call the method that opens a sweep point, and wait for it."""
        self._begin, self._steps, self._snapshot, self._steps_in_snapshot = None, [], None, 0
        Pending(self, method, args, move=_open).wait()
        self._begin = (method, args)

    def ask(self, method: str, *args: object, returns: int = 1) -> "Pending":
        """Begin a call that changes no state."""
        return Pending(self, method, args, returns)

    def advance(self, method: str, *args: object, returns: int, snapshot: bool = True) -> "Pending":
        """Begin a step; the second part of its result is a snapshot if it leaves one.

        Of one member only one step may be under way.
        """
        return Pending(self, method, args, returns, move=_step, snapshot=snapshot)

    def settle(self) -> None:
        """Nobody will ask any more for what the steps done so far have given."""
        unsettled = self._steps[self._steps_in_snapshot :]
        for number, step in enumerate(unsettled, start=self._steps_in_snapshot + 1):
            if step.snapshot is not None:
                self._snapshot, self._steps_in_snapshot = step.snapshot, number
            step.drop_results()

    def send(self, method: str, args: Sequence[object], returns: int, move: Move) -> list[Ref]:
        """Begin a call that takes the member into another state, without waiting."""
        before, self._state = self._state, move(self._state)
        return self._host.call(self.handle, "do", before, self._state, method, *args, returns=returns)

    def value(self, ref: Ref) -> Any:
        """What a reference stands for; raises MemberLost."""
        return self._host.get(ref)

    def done(self, step: "Pending") -> None:
        """A step is done."""
        self._steps.append(step)

    def set_up_again(self) -> None:
        """Tell whoever answers now everything, from the start; raises MemberLost if it dies over it."""
        self._empty()
        for method, args in self._lasting:
            self.value(self.send(method, args, 1, _learn)[0])
        if self._begin:
            self.value(self.send(*self._begin, 1, _open)[0])
        if self._snapshot is not None and not self._snapshot_readable():
            self._snapshot, self._steps_in_snapshot = None, 0
        if self._snapshot is not None:
            steps = self._steps_in_snapshot
            restored = self.send("restore", (self._snapshot,), 1, lambda state: state._replace(steps=steps))
            self.value(restored[0])
        for step in self._steps[self._steps_in_snapshot :]:
            step.repeat()
        self.restarts += 1

    def _empty(self) -> None:
        """Have whoever answers be as new, once anybody answers; raises MemberLost."""
        give_up = time.monotonic() + MOST_AWAY_S
        while True:
            try:
                self.value(self._host.call(self.handle, "forget")[0])
                break
            except MemberAway:
                if time.monotonic() > give_up:
                    raise
                time.sleep(PAUSE_S)
        self._state = NEW

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


class Pending:
    """A call under way."""

    def __init__(
        self,
        member: Member,
        method: str,
        args: tuple[object, ...],
        returns: int = 1,
        move: Move = _stay,
        snapshot: bool = False,
    ):
        self._member, self._method, self._args = member, method, args
        self._returns, self._move, self._leaves_snapshot = returns, move, snapshot
        self.snapshot: Any = None
        self.refs: list[Ref] = []
        self._send()

    def _send(self) -> None:
        self._life = self._member.restarts
        args = [arg.step.refs[arg.place] if isinstance(arg, Part) else arg for arg in self._args]
        self.refs = self._member.send(self._method, args, self._returns, self._move)

    def wait(self) -> list[Ref]:
        """References to the parts of the result; after a death the call is repeated.

        Raises RunError when the member dies over it again and again.
        """
        deaths = 0
        while True:
            try:
                self._receive()
                if self._move is _stay or self._member.restarts == self._life:
                    break
                self._send()  # the member has been taken back to before this call
            except MemberLost as error:
                deaths += 1
                if deaths > MOST_DEATHS_IN_A_ROW:
                    raise RunError(
                        f"{self._member.name} died {deaths} times in {self._method}: {error}"
                    ) from error
                self._recover(PAUSE_S * 2**deaths)
        if self._move is _step:
            self._member.done(self)
        return self.refs

    def repeat(self) -> None:
        """Do a step again that was done; raises MemberLost."""
        kept = len(self.refs)
        self._send()
        self._receive()
        del self.refs[kept:]

    def drop_results(self) -> None:
        """Let go of all that the step gave but its own account of it."""
        del self.refs[1:]
        self.snapshot = None

    def _receive(self) -> None:
        """Raises MemberLost."""
        self._member.value(self.refs[0])
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
                    arg.step.remake(arg.place)
        except MemberLost:
            return  # the call is still lost, which counts this death too
        self._send()

    def remake(self, place: int) -> None:
        """Have the step done again if this part of its result cannot be read; raises MemberLost."""
        try:
            self._member.value(self.refs[place])
        except MemberLost:
            self._member.set_up_again()
