"""Parts of `link:` that say when packets do not get through: loss, fading, outages."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fleet_sim.basics.spec import Strict, misfit
from fleet_sim.basics.units import Microseconds
from fleet_sim.network.capacity_spec import LONGEST_US, Probability, Weight


class NoLossSpec(Strict):
    """Every packet gets through."""

    kind: Literal["none"] = "none"


class BernoulliSpec(Strict):
    """Every packet is lost with the same probability, whatever became of others."""

    kind: Literal["bernoulli"]
    p: Probability = Field(description="probability that a packet is lost")


class GilbertElliottSpec(Strict):
    """Losses in bursts: two states, changing from packet to packet, each with its own loss.

    The model of E. N. Gilbert (1960) and E. O. Elliott (1963), with the parameters of tc-netem's `gemodel`;
    netem takes 1 - h and 1 - k where here stand `h` and `k`.
    """

    kind: Literal["gilbert_elliott"]
    p: Probability = Field(description="probability that a good state turns bad after a packet")
    r: Probability = Field(description="probability that a bad state turns good")
    h: Probability = Field(0.0, description="probability that a packet gets through in the bad state")
    k: Probability = Field(1.0, description="probability that a packet gets through in the good state")

    @model_validator(mode="after")
    def _changes(self) -> "GilbertElliottSpec":
        if self.p == 0 or self.r == 0:
            raise misfit("a state that never ends needs no second one: use bernoulli", "p", "r")
        return self


LossSpec = Annotated[NoLossSpec | BernoulliSpec | GilbertElliottSpec, Field(discriminator="kind")]


class NoFadingSpec(Strict):
    """Every camera of a cell can be served at the cell's rate."""

    kind: Literal["none"] = "none"


class BlockFadingSpec(Strict):
    """The rate at which a camera can be served, beside the cell's, drawn anew for each block of time."""

    kind: Literal["blocks"]
    coherence_us: Microseconds = Field(ge=1000, le=LONGEST_US, description="length of a block")
    weights: tuple[Weight, ...] = Field(description="equally likely rates, scaled to a mean of 1")

    @model_validator(mode="after")
    def _positive(self) -> "BlockFadingSpec":
        if not self.weights or min(self.weights) <= 0:
            raise misfit("at least one weight, each above 0, is needed", "weights")
        return self


FadingSpec = Annotated[NoFadingSpec | BlockFadingSpec, Field(discriminator="kind")]


class OutageSpec(Strict):
    """A time in which no cell carries anything."""

    from_us: Microseconds = Field(ge=0, lt=LONGEST_US)
    to_us: Microseconds = Field(gt=0, le=LONGEST_US)

    @model_validator(mode="after")
    def _ends(self) -> "OutageSpec":
        if self.to_us <= self.from_us:
            raise misfit("an outage must end after it begins", "to_us", "from_us")
        return self
