"""The `link.capacity` part of a scenario: how much a cell carries over time.

Weights say how rates relate to each other; they are scaled so that the mean over time is `link.budget_bps`.
So links of different shape compare at the same mean capacity.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from fleet_sim.basics.spec import Strict, misfit
from fleet_sim.basics.units import BitRate, Bytes, Microseconds
from fleet_sim.network.markov import Rows, exact_rows, rows_of_dwelling, stationary

LONGEST_US = 7 * 86_400_000_000  # as long as a run may last
MOST_STATES = 16
Weight = Annotated[float, Field(ge=0, le=1000)]
Probability = Annotated[float, Field(ge=0, le=1)]


class ConstantSpec(Strict):
    """The same at all times: `link.budget_bps`."""

    kind: Literal["constant"] = "constant"


class StepSpec(Strict):
    """From this time of the lap on, this weight."""

    at_us: Microseconds = Field(ge=0, lt=LONGEST_US)
    weight: Weight


class PiecewiseSpec(Strict):
    """A rate that steps from value to value, and again from the start after `repeat_us`."""

    kind: Literal["piecewise"]
    steps: tuple[StepSpec, ...] = Field(description="the first at 0: `at_us` and `weight` of each rate")
    repeat_us: Microseconds = Field(ge=1000, le=LONGEST_US, description="the steps start again after this")

    @model_validator(mode="after")
    def _rising(self) -> "PiecewiseSpec":
        times = [step.at_us for step in self.steps]
        if not times or times[0] != 0 or times != sorted(set(times)) or times[-1] >= self.repeat_us:
            raise misfit("steps must start at 0 and rise, all before repeat_us", "steps", "repeat_us")
        if not any(step.weight for step in self.steps):
            raise misfit("at least one step must have a weight above 0", "steps")
        return self


class TraceSpec(Strict):
    """What was measured, from a file, over and over."""

    kind: Literal["trace"]
    path: Path = Field(description="a Mahimahi file, or lines of seconds and Mbit/s")
    scale: float | None = Field(
        None, ge=1e-6, le=1e6, description="times what was measured; empty: its mean becomes link.budget_bps"
    )
    offset: Literal["cell", "none"] = Field(
        "cell", description="cells start each at its own drawn place of the trace, or all at its start"
    )


class MarkovSpec(Strict):
    """A rate that changes at random every `slot_us`, by the state it is in."""

    kind: Literal["markov"]
    slot_us: Microseconds = Field(ge=1000, le=LONGEST_US, description="time between two changes")
    weights: tuple[Weight, ...] = Field(description="rate of each state")
    transitions: tuple[tuple[Probability, ...], ...] | None = Field(
        None, description="a row a state: probabilities of the next"
    )
    dwell_us: tuple[Microseconds, ...] | None = Field(
        None, description="instead: mean time in each state, from which any other is equally likely"
    )

    @model_validator(mode="after")
    def _a_chain(self) -> "MarkovSpec":
        states = len(self.weights)
        if not 2 <= states <= MOST_STATES or not any(self.weights):
            raise misfit(f"2 to {MOST_STATES} states are needed, one with a weight above 0", "weights")
        if (self.transitions is None) == (self.dwell_us is None):
            raise misfit(
                "either transitions or dwell_us says how states change", "transitions", "dwell_us", "weights"
            )
        for row in self.transitions or ():
            if len(row) != states or abs(sum(row) - 1) > 1e-9:
                raise misfit(f"each row must be {states} probabilities that sum to 1", "transitions")
        if self.transitions is not None and len(self.transitions) != states:
            raise misfit(f"{states} weights need {states} rows", "transitions", "weights")
        if self.dwell_us is not None and (len(self.dwell_us) != states or min(self.dwell_us) < self.slot_us):
            raise misfit(
                f"each of {states} states needs a mean time of at least slot_us", "dwell_us", "slot_us"
            )
        try:
            stationary(self.rows())
        except ValueError as error:
            raise misfit(str(error), "transitions") from None
        return self

    def rows(self) -> Rows:
        """Row s: exact probabilities of the state a slot after s."""
        if self.transitions is not None:
            return exact_rows(self.transitions)
        return rows_of_dwelling(self.dwell_us or (), self.slot_us)


class TokenBucketSpec(Strict):
    """Tokens come at `link.budget_bps`; a packet that finds enough of them leaves at `line_bps`."""

    kind: Literal["token_bucket"]
    bucket_bytes: Bytes = Field(ge=1, le=10**9, description="most bytes that may leave at once")
    line_bps: BitRate = Field(ge=100, le=10**12, description="rate at which a packet leaves")


class LoraSpec(Strict):
    """LoRa's time on air in place of a rate."""

    kind: Literal["lora"]
    spreading_factor: int = Field(ge=7, le=12)
    bandwidth_hz: Literal[125_000, 250_000, 500_000] = 125_000
    coding_rate: int = Field(1, ge=1, le=4, description="n of 4 / (4 + n)")
    preamble_symbols: int = Field(8, ge=6, le=65535)


CapacitySpec = Annotated[
    ConstantSpec | PiecewiseSpec | TraceSpec | MarkovSpec | TokenBucketSpec | LoraSpec,
    Field(discriminator="kind"),
]
