"""Parts of a scenario whose rooms lie above this one, or that are no room's own."""

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from fleet_sim.basics.spec import Strict, misfit
from fleet_sim.basics.units import Microseconds
from fleet_sim.scenario.capture import DAY_US, BurstsSpec, CaptureSpec, PeriodicSpec
from fleet_sim.scenario.groups import GroupSpec
from fleet_sim.scenario.heads import HeadSpec, RetrainSpec

Share = Annotated[float, Field(gt=0, lt=1)]
Recipe = Literal["e2e", "duphil", "joint", "ordered"]


class E2eSpec(Strict):
    """End-to-end training by cross-entropy; defaults are the paper's."""

    epochs: int = Field(200, ge=1)
    batch: int = Field(200, ge=2)
    learning_rate: float = Field(0.1, gt=0)
    milestones: tuple[Share, ...] = Field(
        (0.5, 0.75, 0.9), description="shares of the epochs after which the rate falls to a tenth"
    )


class DuphilSpec(Strict):
    """Dual-phase training from the E2E weights; defaults are the paper's."""

    epochs: int = Field(100, ge=1)
    batch: int = Field(1000, ge=2)
    learning_rate: float = Field(1e-4, gt=0)
    milestones: tuple[Share, ...] = Field((0.25, 0.5, 0.75), description="as above")
    alternate: Literal["batch", "epoch"] = Field("batch", description="the paper: epoch; its code: batch")
    features: int = Field(128, ge=8, le=1024, description="dimension of the side branch's z")
    epsilon_squared: float = Field(0.5, gt=0)


class OrderedSpec(Strict):
    """Training of one set of weights for every level from the E2E weights, with bits as part of the loss."""

    epochs: int = Field(100, ge=1)
    batch: int = Field(200, ge=2)
    learning_rate: float = Field(0.03, gt=0)
    milestones: tuple[Share, ...] = Field((0.5, 0.75, 0.9), description="as above")
    rate_weight: float = Field(
        0.003,
        ge=0,
        description="nats of cross-entropy that a bit is worth, levels averaged; what tells nothing of the "
        "labels trained on falls silent, so a small weight leaves more to other tasks",
    )


class JointSpec(Strict):
    """Cross-entropy and MCR2 in one loss, from the E2E weights; the side branch is that of `duphil`."""

    weight: float = Field(0.01, gt=0, description="of MCR2 beside cross-entropy: the paper's lambda")
    epochs: int = Field(100, ge=1)
    batch: int = Field(1000, ge=2)
    learning_rate: float = Field(1e-4, gt=0)
    milestones: tuple[Share, ...] = Field((0.25, 0.5, 0.75), description="as above")


class HeadTrainingSpec(Strict):
    """How heads are fitted to frozen latents."""

    epochs: int = Field(20, ge=1)
    batch: int = Field(200, ge=2)
    learning_rate: float = Field(0.05, gt=0)
    tail_drop: bool = Field(
        True, description="train each latent at a random level, so that pruned frames are read well"
    )


class UpdateSpec(Strict):
    """A training job that runs beside the simulation, goes on from the version before, and publishes then."""

    at_us: Microseconds = Field(gt=0)
    recipe: Literal["duphil", "joint", "ordered"] = "duphil"


class TrainSpec(Strict):
    """What is trained, and how."""

    recipe: Recipe = "duphil"
    e2e: E2eSpec = E2eSpec()
    duphil: DuphilSpec = DuphilSpec()
    joint: JointSpec = JointSpec()
    ordered: OrderedSpec = OrderedSpec()
    head_training: HeadTrainingSpec = HeadTrainingSpec()
    heads: tuple[HeadSpec, ...] = (
        HeadSpec(name="ce", kind="ce"),
        HeadSpec(name="kl", kind="kl"),
        HeadSpec(name="svm", kind="svm"),
    )
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(5e-4, ge=0)
    crop_padding: int = Field(4, ge=0, le=32, description="random crop after padding by this many pixels")
    flip: bool = Field(True, description="random horizontal flip; wrong for digits")
    workers: int = Field(1, ge=1, le=64, description="data-parallel workers; part of the result")
    threads: int = Field(1, ge=1, le=256, description="torch threads a worker; part of the result")
    device: Literal["cpu", "cuda"] = "cpu"
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="of layers while training, part of the result; bfloat16 suits GPUs and processors that "
        "have it. Weights, losses and what is deployed are float32",
    )
    weight_bits: int | None = Field(
        None,
        ge=4,
        le=16,
        description="grid of the encoder's weights as released, so that an update is a small delta; empty: "
        "float32",
    )
    use: Path | None = Field(
        None,
        description="no training: a models folder of an earlier run or training, or `shipped` for the "
        "versions that come with the package",
    )
    updates: tuple[UpdateSpec, ...] = Field((), description="versions published while the fleet works")
    retrain: tuple[RetrainSpec, ...] = Field(
        (), description="heads fitted, while the fleet works, to the latents that servers have received"
    )

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """Of every version, the first and its updates."""
        return (self.recipe, *(update.recipe for update in self.updates))

    def recorded(self) -> dict[str, Any]:
        """As manifests say it: not where files lay."""
        later = set() if self.weight_bits else {"weight_bits"}  # older versions keep their ids
        fields = self.model_dump(mode="json", exclude={"use", "retrain"} | later)
        return {**fields, "heads": [head.recorded() for head in self.heads]}

    @model_validator(mode="after")
    def _fits(self) -> "TrainSpec":
        names = [h.name for h in self.heads]
        if not names or len(set(names)) != len(names):
            raise misfit("at least one head, each with a name of its own, is needed", "heads")
        self._retrains(names)
        for i, (before, update) in enumerate(pairwise(self.updates), 1):
            if update.at_us <= before.at_us:
                raise misfit("an update continues the one before: it comes later", f"updates.{i}.at_us")
        for part in ("e2e", "duphil", "joint", "ordered", "head_training"):
            batch = getattr(self, part).batch
            if batch % self.workers:
                raise misfit(
                    f"a batch of {batch} does not divide over {self.workers} workers",
                    f"{part}.batch",
                    "workers",
                )
        return self

    def _retrains(self, names: list[str]) -> None:
        for i, retrain in enumerate(self.retrain):
            field, head = f"retrain.{i}.head", retrain.head
            if head.name in names:
                raise misfit(f"there is a head '{head.name}' already", f"{field}.name")
            if head.kind == "ce" and not any(other.kind == "ce" for other in self.heads):
                raise misfit(
                    "a head of kind ce goes on from one of that kind in heads", f"{field}.kind", "heads"
                )
            names.append(head.name)


class FleetSpec(Strict):
    """The cameras. Camera `i` belongs to cell `i` modulo the number of cells."""

    cameras: int = Field(1000, ge=1, le=10**8)
    cells: int | None = Field(
        None,
        ge=1,
        le=10**8,
        description="uplinks; each has link.budget_bps for its cameras; empty: 10, or one a camera where "
        "link.sharing is dedicated",
    )
    capture: CaptureSpec = PeriodicSpec()
    frame_period_us: Microseconds = Field(
        1_000_000, ge=1000, le=DAY_US, description="time between a camera's frames"
    )
    encode_us: Microseconds = Field(20_000, ge=0, le=DAY_US, description="time from capture to coded message")
    groups: tuple[GroupSpec, ...] = Field((), description="cameras that differ; empty: all are alike")

    def frame_period_of(self, group: GroupSpec) -> int:
        """Microseconds between frames of a camera of this group."""
        return group.frame_period_us or self.frame_period_us

    @model_validator(mode="after")
    def _a_burst_is_faster(self) -> "FleetSpec":
        periods_us = {"frame_period_us": self.frame_period_us}
        periods_us |= {
            f"groups.{i}.frame_period_us": self.frame_period_of(group) for i, group in enumerate(self.groups)
        }
        for field, period_us in periods_us.items():
            if isinstance(self.capture, BurstsSpec) and self.capture.burst_period_us > period_us:
                raise misfit(
                    f"frames come faster while an event passes: at most {field} apart",
                    "capture.burst_period_us",
                    field,
                )
        return self

    @model_validator(mode="after")
    def _groups_are_the_fleet(self) -> "FleetSpec":
        names = [group.name for group in self.groups]
        total = sum(group.share for group in self.groups)
        if len(set(names)) != len(names):
            raise misfit("two groups have the same name", "groups")
        if self.groups and abs(total - 1) > 1e-6:
            raise misfit(
                f"the shares of the groups add up to {total:g} of the fleet; they must make 1", "groups"
            )
        return self


class ClusterSpec(Strict):
    """Where the work runs. Nothing here changes a result."""

    backend: Literal["ray", "local"] = "ray"
    address: str | None = Field(
        None, description="a running Ray cluster, as --address; empty: start one here"
    )
    shards: int = Field(2, ge=1, le=4096, description="camera shards, one actor each")
    shard_cpus: float = Field(
        0.05, gt=0, le=16, description="CPU share a shard reserves; training needs the rest"
    )
    server_cpus: float = Field(0.05, ge=0, le=16, description="the same for a server")
    epoch_us: Annotated[Microseconds, Field(ge=1000)] | Literal["auto"] = Field(
        "auto", description="virtual time a shard simulates in one call; auto: by how many frames come"
    )


class ReportSpec(Strict):
    """What is written beside the summary."""

    cells: tuple[int, ...] = Field((), description="cells that get rows of their own in timeline.parquet")
    oracle: bool = Field(
        False, description="compare every point with the best there could have been (docs/control.md)"
    )
