"""A scenario: every room's part of the YAML, together."""

from typing import Literal

from pydantic import Field, model_validator

from fleet_sim.basics.errors import instead
from fleet_sim.basics.spec import Strict, misfit
from fleet_sim.basics.units import Microseconds
from fleet_sim.camera.radios import RADIOS
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.control.names import INLINE, estimates
from fleet_sim.control.spec import ControlSpec
from fleet_sim.data.classes import known_classes
from fleet_sim.data.spec import DataSpec
from fleet_sim.network.downlink_spec import AirSpec
from fleet_sim.network.spec import LinkSpec
from fleet_sim.scenario.camera import CameraSpec
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
    def shadows(self) -> bool:
        """Whether canary cameras are answered by the head before as well."""
        return self.rollout is not None and self.rollout.guard.kind == "unlabelled"

    @property
    def compares(self) -> bool:
        """Whether at some point of the sweep answers of two heads are compared."""
        return self.shadows or "unlabelled" in self.sweep.axes.get("rollout.guard.kind", ())

    @model_validator(mode="after")
    def _cells_filled(self) -> "Scenario":
        cameras, written = self.fleet.cameras, self.fleet.cells
        if self.link.sharing == "dedicated" and written not in (None, cameras):
            raise misfit(
                f"dedicated links make {cameras} cells of {cameras} cameras, not {written}: leave cells out",
                "fleet.cells",
                "link.sharing",
                "link.profile",
            )
        if self.cells > cameras:
            raise misfit(
                f"{self.cells} cells cannot be filled by {cameras} cameras", "fleet.cells", "fleet.cameras"
            )
        return self

    @model_validator(mode="after")
    def _classes_are_there(self) -> "Scenario":
        known = known_classes(self.data)
        for g, group in enumerate(self.fleet.groups if known else ()):
            for v, view in enumerate(group.sees):
                for name in view.classes:
                    if known and name not in known:
                        raise misfit(
                            f"the images have no class '{name}'; {instead(name, known)}",
                            f"fleet.groups.{g}.sees.{v}.classes",
                            "data.source",
                        )
        return self

    @model_validator(mode="after")
    def _can_roll_out(self) -> "Scenario":
        if self.rollout is None:
            return self
        if not self.serving.switches and not self.train.updates and not self.train.retrain:
            raise misfit(
                "nothing is rolled out: name a head and its time in serving.switches, or an update",
                "rollout",
                "serving.switches",
                "train.updates",
            )
        if self.rollout.waves[0] * self.fleet.cameras < 1:
            raise misfit(
                f"a canary of {self.rollout.waves[0]:g} of {self.fleet.cameras} cameras is not one camera",
                "rollout.waves",
                "fleet.cameras",
                "rollout",
            )
        if self.train.updates and self.camera.codec != "latent":
            raise misfit(
                f"cameras that send {self.camera.codec} have no encoder to roll out: leave rollout out",
                "camera.codec",
                "train.updates",
                "rollout",
            )
        if self.shadows and (self.train.updates or self.train.retrain):
            raise misfit(
                "a guard without labels knows how often heads agree on validation images only of heads that "
                "are there from the start: leave train.updates and train.retrain out, or use labels",
                "rollout.guard.kind",
                "train.updates",
                "train.retrain",
            )
        if self.shadows and self.camera.codec == "label":
            raise misfit(
                "cameras that send a label have been answered already: there is no head to compare with",
                "rollout.guard.kind",
                "camera.codec",
            )
        if self.serving.split:
            raise misfit(
                "a rollout shares the cameras out itself: leave the split out", "serving.split", "rollout"
            )
        if self.serving.resident is not None:
            raise misfit(
                "both heads of a rollout are held: leave resident out", "serving.resident", "rollout"
            )
        return self

    @model_validator(mode="after")
    def _shared_as_allocated(self) -> "Scenario":
        if self.control.allocation != "equal" and self.link.sharing in ("aloha", "dedicated"):
            raise misfit(
                f"only cameras that take turns can be told what to plan with, not {self.link.sharing}",
                "control.allocation",
                "link.sharing",
                "link.profile",
            )
        if self.control.allocation != "equal" and self.control.controller == "fixed":
            raise misfit(
                "fixed heeds nothing that it is told: leave allocation at equal",
                "control.allocation",
                "control.controller",
            )
        if self.control.allocation != "equal" and self.rollout is not None and self.train.updates:
            raise misfit(
                "a base station allocates by one encoder, not by those that cameras have got so far: leave "
                "allocation at equal",
                "control.allocation",
                "rollout",
            )
        train, serving = self.train, self.serving
        several = train.updates or train.retrain or serving.switches or serving.split or self.rollout
        if self.report.oracle and (several or self.mode == "live"):
            raise misfit(
                "an oracle knows the answers of one version and one head from a bank: leave it out of live "
                "runs and of those whose versions or heads change",
                "report.oracle",
            )
        for i, group in enumerate(self.fleet.groups):
            if group.link.rate < 1 and (self.link.sharing == "aloha" or self.link.capacity.kind == "lora"):
                raise misfit(
                    "rates differ only where cameras take turns or have links of their own, without LoRa",
                    f"fleet.groups.{i}.link.rate",
                    "link.sharing",
                    "link.profile",
                )
        return self

    @model_validator(mode="after")
    def _consistent(self) -> "Scenario":
        heads = [h.name for h in self.train.heads]
        named = {"serving.head": self.serving.head}
        named |= {f"serving.split.{i}.head": s.head for i, s in enumerate(self.serving.split)}
        named |= {f"serving.switches.{i}.head": s.head for i, s in enumerate(self.serving.switches)}
        for field, head in named.items():
            if head not in heads:
                raise misfit(f"no head '{head}' in train.heads; {instead(head, heads)}", field, "train.heads")
        if self.serving.priority == "importance" and not self.fleet.groups:
            raise misfit("all cameras are alike without fleet.groups", "serving.priority", "fleet.groups")
        if self.camera.device and not self.camera.radio and self.link.profile not in RADIOS:
            raise misfit(
                f"the link profile {self.link.profile} has no radio: say in camera.radio what one takes, "
                "as in radio: {pj_per_bit: 100000, wake_nj: 1000000}",
                "camera.device",
                "link.profile",
            )
        if self.serving.alarm.kind != "none" and self.camera.codec != "latent":
            raise misfit(
                f"an alarm weighs the bits of latents, not of {self.camera.codec}",
                "serving.alarm.kind",
                "camera.codec",
            )
        top = self.camera.levels(len(self.codec.ladder), self.data.image_size) - 1
        if self.control.controller == "fixed" and self.control.level > top:
            raise misfit(
                f"there is no level {self.control.level}; the ladder ends at {top}",
                "control.level",
                "codec.ladder",
                "camera.codec",
            )
        if self.data.image_size % 2**self.codec.wavelet_levels:
            step = 2**self.codec.wavelet_levels
            raise misfit(
                f"the wavelet needs an image size that is a multiple of {step}",
                "data.image_size",
                "codec.wavelet_levels",
            )
        for i, update in enumerate(self.train.updates):
            if self.control.boundary_us(update.at_us) >= self.duration_us:
                raise misfit(
                    "the run is over before the fleet could take this version up",
                    f"train.updates.{i}.at_us",
                    "duration_us",
                    "control.period_us",
                )
        self._can_retrain()
        if len(set(self.report.cells)) != len(self.report.cells):
            raise misfit("a cell is named twice", "report.cells")
        for cell in self.report.cells:
            if not 0 <= cell < self.cells:
                raise misfit(
                    f"there is no cell {cell}; cells are 0 to {self.cells - 1}",
                    "report.cells",
                    "fleet.cells",
                )
        return self

    def _can_retrain(self) -> None:
        for i, retrain in enumerate(self.train.retrain):
            fields = [f"train.retrain.{i}.{name}" for name in ("at_us", "after_alarm_us")]
            if self.camera.codec != "latent":
                raise misfit(
                    f"heads are retrained on latents; cameras send {self.camera.codec}",
                    *fields,
                    "camera.codec",
                )
            if retrain.at_us is None:
                if self.serving.alarm.kind == "none":
                    raise misfit("there is no alarm: set serving.alarm", *fields, "serving.alarm.kind")
            elif self.control.boundary_us(retrain.at_us) >= self.duration_us:
                raise misfit(
                    "the run is over before this head could answer",
                    *fields,
                    "duration_us",
                    "control.period_us",
                )
