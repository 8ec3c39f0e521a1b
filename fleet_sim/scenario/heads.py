"""Classifiers on the servers: those trained at first, and those retrained while the fleet works."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from fleet_sim.basics.errors import UserError
from fleet_sim.basics.spec import Strict, misfit
from fleet_sim.basics.units import Microseconds
from fleet_sim.codec.own_source import read_source
from fleet_sim.scenario.capture import DAY_US


class HeadSpec(Strict):
    """A classifier on the servers, trained on the frozen encoder's latents."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")
    kind: Literal["ce", "kl", "svm", "own"]
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="kl only: softness of the targets")
    wrong_labels: float = Field(
        0,
        ge=0,
        le=1,
        description="share of the training labels, of this head alone, that become the next class",
    )
    path: Path | None = Field(None, description="own only: a Python file; see docs/heads.md")
    class_name: str | None = Field(None, description="own only: the class in that file")

    @model_validator(mode="after")
    def _own_is_found(self) -> "HeadSpec":
        given = {"path": self.path, "class_name": self.class_name}
        for field, value in given.items():
            if (value is not None) != (self.kind == "own"):
                missing = self.kind == "own"
                raise misfit(
                    "a head of kind own needs path and class_name"
                    if missing
                    else "only for heads of kind own",
                    *(("kind", field) if missing else (field,)),
                )
        if self.path is not None and self.class_name is not None:
            try:
                read_source(self.path, self.class_name)
            except UserError as error:
                raise misfit(str(error), "class_name" if "no class" in str(error) else "path") from None
        return self

    def recorded(self) -> dict[str, Any]:
        """As manifests and names of results say it: not where a file lay."""
        later = set() if self.wrong_labels else {"wrong_labels"}  # older versions keep their ids
        return self.model_dump(mode="json", exclude={"path", "class_name"} | later)


class RetrainSpec(Strict):
    """A head fitted to labelled frames that servers have answered; from the next boundary on it answers."""

    at_us: Microseconds | None = Field(None, gt=0, description="when; or else ...")
    after_alarm_us: Microseconds | None = Field(
        None, ge=0, le=DAY_US, description="... so long after serving.alarm sounds for the first time"
    )
    head: HeadSpec
    frames: int = Field(
        2000, ge=10, le=100_000, description="fitted to so many: the last to be answered whose labels are in"
    )
    labelled: float = Field(0.1, gt=0, le=1, description="share of the answered frames that get a label")
    wrong: float = Field(0, ge=0, lt=1, description="share of the labels that name another class")
    delay_us: Microseconds = Field(10_000_000, ge=0, le=DAY_US, description="from an answer to its label")

    @model_validator(mode="after")
    def _at_one_time(self) -> "RetrainSpec":
        if (self.at_us is None) == (self.after_alarm_us is None):
            raise misfit("say when: either at_us or after_alarm_us", "at_us", "after_alarm_us", "head")
        return self
