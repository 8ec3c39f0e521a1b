"""The base of every part of a scenario."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError


class Strict(BaseModel):
    """A part of a scenario: unknown keys are refused, and what was read never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _true_is_no_number(cls, data: Any) -> Any:
        """Python takes true for 1; a scenario does not."""
        for name, value in data.items() if isinstance(data, Mapping) else ():
            field = cls.model_fields.get(name)
            if isinstance(value, bool) and field is not None and field.annotation is not bool:
                shown = str(value).lower()
                raise misfit(f"{shown} is not allowed here; a text that says so needs quotes", name)
        return data


def misfit(message: str, *fields: str) -> PydanticCustomError:
    """The error of a validator that compares fields of a model.

    `fields` are dotted paths below that model, the likeliest to be wrong first: the first that the user wrote
    is the one shown, so `message` must read well beside each.
    """
    return PydanticCustomError("misfit", "{message}", {"message": message, "fields": fields})
