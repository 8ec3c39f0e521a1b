"""Quantities a user writes (``20 kbit/s``, ``500 ms``, ``2 kB``) as the integers the simulator counts in.

A field's name says its unit (``budget_bps``, ``deadline_us``, ``buffer_bytes``). Its value is a whole
number in that unit, or a text with a unit of the same kind.
"""

import re
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

KINDS: dict[str, dict[str, Decimal]] = {
    "bit rate": {
        **{f"{p}bit/s": Decimal(f) for p, f in (("", 1), ("k", 10**3), ("M", 10**6), ("G", 10**9))},
        **{f"{p}bps": Decimal(f) for p, f in (("", 1), ("k", 10**3), ("M", 10**6), ("G", 10**9))},
    },
    "time": {
        "us": Decimal(1),
        "ms": Decimal(10**3),
        "s": Decimal(10**6),
        "min": Decimal(60 * 10**6),
        "h": Decimal(3600 * 10**6),
    },
    "size": {
        "B": Decimal(1),
        "kB": Decimal(10**3),
        "KiB": Decimal(2**10),
        "MB": Decimal(10**6),
        "MiB": Decimal(2**20),
    },
}
_LARGEST = 10**18  # 64-bit counts hold this; larger exponents would take for ever to write out
_EXACT = Context(prec=60, traps=[InvalidOperation, Inexact])  # refuses to round, whatever the exponent
_TEXT = re.compile(r"^\s*([0-9.eE+-]+)\s*([A-Za-z/]*)\s*$")


def parse_quantity(value: object, kind: str) -> int:
    """Whole number of base units (bit/s, microseconds, bytes) meant by `value`.

    Raises ValueError naming the units that would be right.

    >>> parse_quantity("1.5 s", "time")
    1500000
    """
    units = KINDS[kind]
    wanted = f"a {kind} ({', '.join(units)})"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"expected {wanted}")
    match = _TEXT.match(str(value))
    if match is None:
        raise ValueError(f"'{value}' is not {wanted}")
    number, unit = match.groups()
    if unit and unit not in units:
        other = next((k for k, names in KINDS.items() if unit in names), None)
        problem = f"'{unit}' is a unit of {other}" if other else f"unknown unit '{unit}'"
        raise ValueError(f"{problem}; expected {wanted}")
    try:
        exact = _EXACT.multiply(Decimal(number), units[unit] if unit else Decimal(1))
    except InvalidOperation:
        raise ValueError(f"'{value}' is not {wanted}") from None
    except Inexact:
        raise ValueError(f"'{value}' has too many digits") from None
    if abs(exact) > _LARGEST:
        raise ValueError(f"'{value}' is too large")
    if exact != exact.to_integral_value():
        raise ValueError(f"'{value}' is not a whole number of {next(iter(units))}")
    return int(exact)


def _field(kind: str) -> tuple[BeforeValidator, WithJsonSchema]:
    pattern = rf"^\s*[0-9.eE+-]+\s*({'|'.join(KINDS[kind])})?\s*$"
    return (
        BeforeValidator(lambda value: parse_quantity(value, kind)),
        WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": pattern}]}),
    )


_rate, _time, _size = _field("bit rate"), _field("time"), _field("size")
BitRate = Annotated[int, _rate[0], _rate[1]]
Microseconds = Annotated[int, _time[0], _time[1]]
Bytes = Annotated[int, _size[0], _size[1]]
