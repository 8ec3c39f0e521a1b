"""The `serving:` part of a scenario."""

from pathlib import Path

from pydantic import Field

from fleet_sim.basics.spec import Strict
from fleet_sim.basics.units import Microseconds


class HeadSwitch(Strict):
    """From this virtual time on, servers answer with this head."""

    at_us: Microseconds = Field(ge=0)
    head: str


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
    head: str = Field("ce", description="name of the head that answers")
    switches: tuple[HeadSwitch, ...] = Field((), description="heads taken up while running")
