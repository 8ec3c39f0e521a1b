"""A scenario: every room's part of the YAML, together."""

from typing import Literal

from pydantic import Field, model_validator

from fleet_sim.basics.spec import Strict
from fleet_sim.basics.units import Microseconds
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.control.names import INLINE, estimates
from fleet_sim.control.spec import ControlSpec
from fleet_sim.data.spec import DataSpec
from fleet_sim.network.downlink_spec import AirSpec
from fleet_sim.network.spec import LinkSpec
from fleet_sim.scenario.camera import CameraSpec
from fleet_sim.scenario.consistent import refuse_contradictions
from fleet_sim.scenario.heads import HeadSpec
from fleet_sim.scenario.parts import ClusterSpec, FleetSpec, ReportSpec, TrainSpec
from fleet_sim.scenario.rollout import RolloutSpec
from fleet_sim.scenario.sweep_spec import SweepSpec
from fleet_sim.serving.spec import ServingSpec

CELLS = 10  # where a scenario does not say how many
SWEEPABLE = ("duration_us", "camera", "fleet", "link", "control", "serving", "rollout")


class Scenario(Strict):
    """One simulation, or a sweep of them over a grid of values."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,60}$")
    seed: int = Field(1, ge=0, lt=2**63)
    duration_us: Microseconds = Field(
        60_000_000, ge=1000, le=7 * 86_400_000_000, description="virtual time simulated at each point"
    )
    mode: Literal["bank", "live"] = Field("bank", description="look frames up, or run the networks for each")
    audit: float = Field(
        0.002, ge=0, le=1, description="share of a bank run's answers done again live and compared"
    )
    data: DataSpec = DataSpec()
    codec: CodecSpec = CodecSpec()
    camera: CameraSpec = CameraSpec()
    train: TrainSpec = TrainSpec()
    fleet: FleetSpec = FleetSpec()
    link: LinkSpec = LinkSpec()
    control: ControlSpec = ControlSpec()
    serving: ServingSpec = ServingSpec()
    rollout: RolloutSpec | None = None
    cluster: ClusterSpec = ClusterSpec()
    report: ReportSpec = ReportSpec()
    sweep: SweepSpec = SweepSpec()

    @property
    def cells(self) -> int:
        """Uplinks of the fleet: `fleet.cells`, or what stands for it where that is left out."""
        if self.link.sharing == "dedicated":
            return self.fleet.cameras
        return CELLS if self.fleet.cells is None else self.fleet.cells

    @property
    def heads(self) -> tuple[HeadSpec, ...]:
        """All heads, each at its place: those trained at first, then those retrained."""
        return (*self.train.heads, *(retrain.head for retrain in self.train.retrain))

    @property
    def air(self) -> AirSpec | None:
        """How encoders travel to cameras; None where none do, or every camera has each at once."""
        return self.rollout.air if self.rollout and self.train.updates else None

    @property
    def observes(self) -> bool:
        """Whether some point of the sweep has a controller that observes, and so has to be calibrated."""
        names = (self.control.controller, *self.sweep.axes.get("control.controller", ()))
        return any(name not in INLINE for name in names)

    @property
    def allocates(self) -> bool:
        """Whether base stations allocate at some point of the sweep, by hulls that take a calibration."""
        kinds = (self.control.allocation, *self.sweep.axes.get("control.allocation", ()))
        return any(kind != "equal" for kind in kinds)

    @property
    def estimates(self) -> bool:
        """Whether some point of the sweep has a controller that gets estimates of each frame."""
        names = (self.control.controller, *self.sweep.axes.get("control.controller", ()))
        return any(estimates(name) for name in names)

    @property
    def unlabelled(self) -> bool:
        """Whether releases are guarded without labels."""
        return self.rollout is not None and self.rollout.guard.kind == "unlabelled"

    @property
    def compares(self) -> bool:
        """Whether releases are guarded without labels at some point of the sweep."""
        return self.unlabelled or "unlabelled" in self.sweep.axes.get("rollout.guard.kind", ())

    @model_validator(mode="after")
    def _consistent(self) -> "Scenario":
        refuse_contradictions(self)
        return self
