"""Where the fleet's members run: Ray actors, or objects in this process. The driver sees no difference."""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

Ref = Any  # a Ray object reference; in process, the value itself
Handle = Any  # a Ray actor handle; in process, the object itself
PAUSE_S = 0.2  # after the first death in a row; doubled after each
MOST_AWAY_S = 120.0  # a lost machine is given up by Ray after half a minute or so


class MemberLost(Exception):
    """A member died, or came back without its state: set it up again and repeat the call."""


class MemberAway(MemberLost):
    """Nobody answers, for now: whether the member died is not known yet."""


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

    def cores(self) -> int:
        """How many cores all members together can use."""

    def close(self) -> None:
        """End the members."""


class LocalHost:
    """Everything in this process: a thread for each member, which takes its calls one after the other.

    What members compute is compiled and holds no lock, so they use as many cores as there are.
    """

    def __init__(self) -> None:
        self._threads: dict[int, ThreadPoolExecutor] = {}  # by the member's id()

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
        handle = member(*args)
        self._threads[id(handle)] = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        return handle

    def call(self, handle: Handle, method: str, *args: object, returns: int = 1) -> list[Ref]:
        """Begin a call."""

        parts: list[Future[Any]] = [Future() for _ in range(returns)]

        def work() -> None:
            try:
                result = getattr(handle, method)(*(self.get(arg) for arg in args))
                values = [result] if returns == 1 else list(result)
                if len(values) != returns:
                    raise ValueError(f"{method} returned {len(values)} parts instead of {returns}")
                for part, value in zip(parts, values, strict=True):
                    part.set_result(value)
            except BaseException as error:  # noqa: BLE001 - whoever asks for a part is told
                for part in parts:
                    if not part.done():
                        part.set_exception(error)

        self._threads[id(handle)].submit(work)
        return parts

    def get(self, ref: Ref) -> Any:
        """The value, waited for; raises what its call raised."""
        return ref.result() if isinstance(ref, Future) else ref

    def put(self, value: object) -> Ref:
        """The value itself."""
        return value

    def cores(self) -> int:
        """Those of this machine that this process may use."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def close(self) -> None:
        """Begin no more calls."""
        for thread in self._threads.values():
            thread.shutdown(wait=False, cancel_futures=True)
