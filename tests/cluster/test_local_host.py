"""Members in this process: side by side, each one call after the other, errors to whoever asks."""

import threading

import pytest

from fleet_sim.cluster.host import LocalHost


class Adder:
    def __init__(self, start: int) -> None:
        self.total = start

    def add(self, more: int) -> int:
        self.total += more
        return self.total

    def split(self, parts: int) -> list[int]:
        return list(range(parts))

    def meet(self, barrier: threading.Barrier) -> None:
        barrier.wait(timeout=30)


def test_results_are_arguments_before_they_are_there() -> None:
    host = LocalHost()
    one, two = (host.spawn("adder", Adder, start, cpus=1) for start in (1, 100))
    [first] = host.call(one, "add", 1)
    [second] = host.call(two, "add", first)
    [third] = host.call(one, "add", second)
    assert [host.get(ref) for ref in (first, second, third)] == [2, 102, 104]
    host.close()


def test_two_members_work_at_the_same_time() -> None:
    host = LocalHost()
    barrier = threading.Barrier(2)  # broken unless both calls are under way together
    refs = [host.call(host.spawn("adder", Adder, 0, cpus=1), "meet", barrier)[0] for _ in range(2)]
    assert [host.get(ref) for ref in refs] == [None, None]
    host.close()


def test_results_come_in_as_many_parts_as_were_asked_for() -> None:
    host = LocalHost()
    adder = host.spawn("adder", Adder, 0, cpus=1)
    assert [host.get(ref) for ref in host.call(adder, "split", 3, returns=3)] == [0, 1, 2]
    for ref in host.call(adder, "split", 3, returns=2):
        with pytest.raises(ValueError, match="split returned 3 parts instead of 2"):
            host.get(ref)
    host.close()


def test_an_error_reaches_whoever_asks_for_the_result_or_uses_it() -> None:
    host = LocalHost()
    adder = host.spawn("adder", Adder, 0, cpus=1)
    [wrong] = host.call(adder, "add", "one")
    [after] = host.call(adder, "add", wrong)
    for ref in (wrong, after):
        with pytest.raises(TypeError):
            host.get(ref)
    host.close()
