"""A member's own side: it runs what it is told and knows how much it was told."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

from fleet_sim.cluster.host import MemberLost


class State(NamedTuple):
    """How much a member was told."""

    lasting: int  # calls that hold for the whole run
    open: bool  # is a sweep point open?
    steps: int  # of that point


NEW = State(0, False, 0)


class Resident(ABC):
    """All calls come through `do` and `forget`."""

    _at = NEW

    def do(self, state: State, to: State, method: str, *args: object) -> Any:
        """Run a method that takes this member from one state into another; MemberLost if not there."""
        if self._at != state:
            raise MemberLost(f"was told {self._at} instead of {state}")
        result = getattr(self, method)(*args)
        self._at = to
        return result

    def forget(self) -> None:
        """Be as new."""
        self._at = NEW
        self.reset()

    @abstractmethod
    def reset(self) -> None:
        """Drop all that was told."""
