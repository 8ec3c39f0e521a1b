"""The `sweep:` part of a scenario."""

from typing import Any

from pydantic import ConfigDict, Field

from fleet_sim.basics.spec import Strict


class SweepSpec(Strict):
    """What is simulated again and again: a list of values for each field path, every combination a point."""

    model_config = ConfigDict(extra="allow", frozen=True, validate_default=True, allow_inf_nan=False)
    __pydantic_extra__: dict[str, tuple[Any, ...]] = Field(init=False)  # type: ignore[assignment]

    seeds: int = Field(
        1,
        ge=1,
        le=1000,
        description="times that every point is simulated, each with draws of its own that all points share",
    )

    @property
    def axes(self) -> dict[str, tuple[Any, ...]]:
        """The swept fields' values by their paths, in the order written."""
        return dict(self.__pydantic_extra__)
