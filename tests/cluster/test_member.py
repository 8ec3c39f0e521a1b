"""Members die and results are lost with their machine, at any call: nothing is counted twice or missed."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_sim.cluster import member
from fleet_sim.cluster.host import Handle, MemberLost, Ref
from fleet_sim.cluster.member import Member, Part
from fleet_sim.cluster.resident import Resident

STEPS = 12


class Maker(Resident):
    """Adds up what it is given, scaled by what it was told to know, and hands out the sums."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._scales: list[int] = []
        self._total = -1

    def scale(self, by: int) -> None:
        self._scales.append(by)

    def begin(self, start: int) -> None:
        self._total = start

    def step(self, more: int, known: int, snapshot: bool) -> list[Any]:
        self._total = sum(self._scales[:known]) * self._total % 1_000_003 + more
        return [more, self._total if snapshot else None, [self._total, more]]

    def restore(self, snapshot: int) -> None:
        self._total = snapshot

    def finish(self) -> int:
        return self._total


class Taker(Resident):
    """Adds up what makers hand out."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._taken: list[int] = []

    def begin(self) -> None:
        self._taken = []

    def step(self, *parts: list[int]) -> list[Any]:
        self._taken += [sum(part) for part in parts]
        return [len(self._taken), list(self._taken)]

    def restore(self, snapshot: list[int]) -> None:
        self._taken = list(snapshot)

    def finish(self) -> list[int]:
        return self._taken


class Stored:
    """A result on the machine of the member that made it."""

    def __init__(self, value: Any, machine: int):
        self.value, self.machine = value, machine


class LossyHost:
    """Each member has a machine of its own, lost at certain calls with all that lies there.

    `losses` says which: (number of the call, machine). An empty member is there in its place at once.
    """

    def __init__(self, losses: set[tuple[int, int]]):
        self._losses, self._calls = losses, 0
        self._members: list[tuple[type, Any]] = []
        self._lost: set[int] = set()
        self._stored: list[Stored] = []

    def spawn(self, name: str, member: type, *args: object, **reserved: object) -> Handle:
        self._members.append((member, member(*args)))
        return len(self._members) - 1

    def call(self, handle: Handle, method: str, *args: object, returns: int = 1) -> list[Ref]:
        self._calls += 1
        for machine in [machine for call, machine in self._losses if call == self._calls]:
            if machine < len(self._members):
                kind, _ = self._members[machine]
                self._members[machine] = (kind, kind())
                for stored in self._stored:
                    if stored.machine == machine:
                        stored.value = MemberLost("its machine is lost")
        try:
            told = [self.get(arg) for arg in args]
            result = copy.deepcopy(getattr(self._members[handle][1], method)(*told))
        except MemberLost as lost:
            return [lost] * returns
        if returns == 1:
            return [result]
        # A step's account is small, so it travels at once; all else stays where it was made.
        refs = [result[0], *(Stored(value, handle) for value in result[1:])]
        self._stored += refs[1:]
        return refs

    def get(self, ref: Ref) -> Any:
        value = ref.value if isinstance(ref, Stored) else ref
        if isinstance(value, MemberLost):
            raise value
        return copy.deepcopy(value)

    def put(self, value: object) -> Ref:
        return value

    def close(self) -> None: ...


def worked(losses: set[tuple[int, int]], every: int) -> tuple[list[Any], int]:
    """What two makers and a taker have at the end, and how often any was set up again."""
    host = LossyHost(losses)
    makers = [Member(host, f"maker-{i}", Maker, cpus=1) for i in range(2)]
    taker = Member(host, "taker", Taker, cpus=1, snapshots_here=True)
    for maker in makers:
        maker.lasting("scale", 31)
        maker.begin("begin", 5)
    taker.begin("begin")
    accounts: list[Any] = []

    def step(number: int) -> list[Any]:
        keep = number % every == 0
        return [
            maker.advance("step", 10 * number + i, known, keep, returns=3, snapshot=keep)
            for i, maker in enumerate(makers)
        ]

    known = 1
    making = step(1)
    for number in range(1, STEPS + 1):
        made = [pending.wait()[0] for pending in making]
        taking = taker.advance("step", *(Part(pending, 2) for pending in making), returns=2)
        if number == STEPS // 2:
            for maker in makers:
                maker.lasting("scale", 7)
            known = 2
        if number < STEPS:
            making = step(number + 1)
        accounts += [host.get(ref) for ref in [*made, taking.wait()[0]]]
        for each in [*makers, taker]:
            each.settle()
    ends = [host.get(each.ask("finish").wait()[0]) for each in [*makers, taker]]
    return [accounts, ends], sum(each.restarts for each in [*makers, taker])


@settings(max_examples=400, deadline=None)
@given(st.sets(st.tuples(st.integers(8, 90), st.integers(0, 2)), max_size=5), st.integers(1, 5))
def test_losses_at_any_call_change_nothing(losses: set[tuple[int, int]], every: int) -> None:
    pause_s, member.PAUSE_S = member.PAUSE_S, 0.0
    try:
        result, _ = worked(losses, every)
    finally:
        member.PAUSE_S = pause_s
    assert result == worked(set(), every)[0]


def test_members_are_lost_and_set_up_again_in_this_test() -> None:
    _, restarts = worked({(20, 0), (33, 1), (34, 2), (50, 0)}, every=3)
    assert restarts >= 4
