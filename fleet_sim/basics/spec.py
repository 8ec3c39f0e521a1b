"""The base of every part of a scenario."""

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError


class Strict(BaseModel):
    """A part of a scenario: unknown keys are refused, and what was read never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: object, info: ValidationInfo) -> object:
        """Python takes true for 1; a scenario does not."""
        field = cls.model_fields[info.field_name or ""]
        if isinstance(value, bool) and field.annotation is not bool:
            raise PydanticCustomError("no_truth_value", "a truth value is not allowed here")
        return value


def misfit(message: str, *fields: str) -> PydanticCustomError:
    """The error of a validator that compares fields of a model.

    `fields` are dotted paths below that model, the likeliest to be wrong first: the first that the user wrote
    is the one shown, so `message` must read well beside each.
    """
    return PydanticCustomError("misfit", "{message}", {"message": message, "fields": fields})
