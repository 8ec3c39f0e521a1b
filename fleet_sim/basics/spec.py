"""The base of every part of a scenario."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A part of a scenario: unknown keys are refused, and what was read never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
