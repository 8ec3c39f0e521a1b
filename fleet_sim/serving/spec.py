"""The `serving:` part of a scenario."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from fleet_sim.basics.spec import Strict, misfit
from fleet_sim.basics.units import Microseconds
from fleet_sim.serving.alarm_spec import AlarmSpec, NoAlarmSpec


class HeadSwitch(Strict):
    """From this virtual time on, servers answer with this head."""

    at_us: Microseconds = Field(ge=0)
    head: str


class HeadShare(Strict):
    """A head that reads a share of the cameras, chosen by a hash of the camera."""

    head: str
    share: float = Field(gt=0, lt=1, description="of the cameras; `serving.head` reads those that are left")


MOST_REPLICAS = 64
Replicas = Annotated[int, Field(ge=1, le=MOST_REPLICAS)]


class FailureSpec(Strict):
    """A replica that works for nobody for a while; what it was doing is done again by others."""

    server: int = Field(0, ge=0)
    replica: int = Field(0, ge=0, lt=MOST_REPLICAS)
    from_us: Microseconds = Field(ge=0)
    to_us: Microseconds = Field(gt=0)

    @model_validator(mode="after")
    def _ends(self) -> "FailureSpec":
        if self.to_us <= self.from_us:
            raise misfit("a failure must end after it begins", "to_us", "from_us")
        return self


class NoScalingSpec(Strict):
    """As many replicas as `serving.replicas` says, all the time."""

    kind: Literal["none"] = "none"


class Scaling(Strict):
    """What the rules have in common."""

    least: Replicas = Field(1, description="replicas that are always there")
    most: Replicas = Field(description="replicas that there may be")
    startup_us: Microseconds = Field(
        30_000_000, ge=0, le=3_600_000_000, description="time from the decision to the first frame"
    )

    @model_validator(mode="after")
    def _ordered(self) -> "Scaling":
        if self.least > self.most:
            raise misfit(f"at most {self.most} replicas cannot be at least {self.least}", "least", "most")
        return self


class UtilisationSpec(Scaling):
    """As many replicas as would have been busy for this share of the last period"""

    kind: Literal["utilisation"]
    target: float = Field(0.7, gt=0, le=1, description="busy share of a replica")


class QueueSpec(Scaling):
    """As many replicas as have this many waiting frames each"""

    kind: Literal["queue"]
    target_frames: int = Field(32, ge=1, le=10**6, description="waiting frames a replica")


ScalingSpec = Annotated[NoScalingSpec | UtilisationSpec | QueueSpec, Field(discriminator="kind")]


class ServingSpec(Strict):
    """The servers that decode and classify."""

    servers: int = Field(2, ge=1, le=1000, description="a cell's frames go to server (cell modulo servers)")
    num_gpus: float = Field(0, ge=0, le=16, description="GPUs a server reserves; 0 on a CPU machine")
    deadline_us: Microseconds = Field(500_000, ge=1000, description="from capture to answer")
    batch: int = Field(32, ge=1, le=4096, description="most frames in one batch")
    max_wait_us: Microseconds = Field(
        5_000, ge=0, description="longest wait of a frame for its batch to fill"
    )
    batch_us: Microseconds = Field(3_000, ge=0, description="service time of a batch: this ...")
    frame_us: Microseconds = Field(200, ge=1, description="... plus this for each of its frames")
    table: Path | None = Field(
        None,
        description="measured service times in place of that line: `default`, which comes with the package, "
        "or a file that fleet-sim calibrate wrote",
    )
    replicas: Replicas = Field(1, description="decoders side by side behind each server, each with its queue")
    routing: Literal["least_loaded", "hash"] = Field(
        "least_loaded",
        description="which replica a frame goes to: that with the fewest frames, or always its camera's",
    )
    priority: Literal["none", "importance"] = Field(
        "none", description="importance: a batch takes frames of more important groups first"
    )
    shed: Literal["none", "late", "predicted"] = Field(
        "none",
        description="frames given up; late: what could not be on time when its batch starts; predicted: also "
        "when it arrives, by the queue before it",
    )
    queue_limit: int | None = Field(
        None,
        ge=1,
        le=10**9,
        description="most waiting frames of a replica; of more the newest of the least important is shed",
    )
    autoscale: ScalingSpec = NoScalingSpec()
    failures: tuple[FailureSpec, ...] = Field((), description="when replicas do not work")
    resident: int | None = Field(
        None,
        ge=1,
        le=64,
        description="decoders (a version's head) that a replica holds, those used last; empty: all",
    )
    load_us: Microseconds = Field(
        0, ge=0, le=3_600_000_000, description="time that a batch takes longer for each decoder not held"
    )
    standby: bool = Field(
        False,
        description="a head that is switched to is first loaded beside those in use, from the switch on, and "
        "answers once it is there",
    )
    alarm: AlarmSpec = NoAlarmSpec()
    head: str = Field("ce", description="name of the head that answers")
    split: tuple[HeadShare, ...] = Field(
        (), description="heads beside it, each for a share of the cameras, until the first of the switches"
    )
    switches: tuple[HeadSwitch, ...] = Field((), description="heads taken up while running")

    @model_validator(mode="after")
    def _replicas_exist(self) -> "ServingSpec":
        if isinstance(self.autoscale, Scaling) and not (
            self.autoscale.least <= self.replicas <= self.autoscale.most
        ):
            raise misfit(
                f"{self.replicas} replicas at first must be {self.autoscale.least} to {self.autoscale.most}",
                "replicas",
                "autoscale.least",
                "autoscale.most",
            )
        most = self.autoscale.most if isinstance(self.autoscale, Scaling) else self.replicas
        for i, failure in enumerate(self.failures):
            if failure.server >= self.servers:
                raise misfit(
                    f"there is no server {failure.server}; servers are 0 to {self.servers - 1}",
                    f"failures.{i}.server",
                    "servers",
                )
            if failure.replica >= most:
                raise misfit(
                    f"there is no replica {failure.replica}; replicas are 0 to {most - 1}",
                    f"failures.{i}.replica",
                    "replicas",
                    "autoscale.most",
                )
        if self.load_us and self.resident is None:
            raise misfit("nothing is loaded where all decoders are held: set resident", "load_us", "resident")
        if self.standby and (self.resident is None or self.resident < 2):
            raise misfit(
                "there is room beside a decoder in use where resident is 2 or more", "standby", "resident"
            )
        return self

    @model_validator(mode="after")
    def _shares_fit(self) -> "ServingSpec":
        names = [self.head, *(part.head for part in self.split)]
        if len(set(names)) < len(names):
            raise misfit(
                "each head of the split once, and `head` not among them: it reads what they leave",
                "split",
                "head",
            )
        if self.split and self.resident is not None:
            raise misfit("the heads of a split are all held: leave resident out", "resident", "split")
        total = sum(part.share for part in self.split)
        if total > 1 + 1e-9:
            raise misfit(f"the shares make {total:g}; together they may be 1 at most", "split")
        return self
