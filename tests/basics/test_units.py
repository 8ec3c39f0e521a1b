"""Quantities: what is read, and what is refused with which word."""

import contextlib
import doctest
import importlib
import pkgutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fleet_sim.basics
from fleet_sim.basics.units import KINDS, parse_quantity


@pytest.mark.parametrize(
    ("value", "kind", "wanted"),
    [
        (250, "time", 250),
        (250.0, "time", 250),
        (1e6, "bit rate", 1_000_000),
        ("250", "time", 250),
        ("0", "time", 0),
        ("1.5 s", "time", 1_500_000),
        ("1.5s", "time", 1_500_000),
        ("  20   ms ", "time", 20_000),
        ("0.001 ms", "time", 1),
        ("1e3 us", "time", 1000),
        ("2 min", "time", 120_000_000),
        ("0.5 h", "time", 1_800_000_000),
        ("-3 ms", "time", -3000),
        ("20 kbit/s", "bit rate", 20_000),
        ("20 kbps", "bit rate", 20_000),
        ("9.6 kbit/s", "bit rate", 9600),
        ("1.5 Mbit/s", "bit rate", 1_500_000),
        ("100 Gbps", "bit rate", 100_000_000_000),
        ("7 bit/s", "bit rate", 7),
        ("2 kB", "size", 2000),
        ("2 KiB", "size", 2048),
        ("1 MiB", "size", 1_048_576),
        ("64 B", "size", 64),
        ("1e18", "size", 10**18),
    ],
)
def test_a_quantity_is_read(value: object, kind: str, wanted: int) -> None:
    assert parse_quantity(value, kind) == wanted


@pytest.mark.parametrize(
    ("value", "kind", "complaint"),
    [
        ("20 kbit/s", "time", "'kbit/s' is a unit of bit rate; expected a time"),
        ("20 ms", "bit rate", "'ms' is a unit of time; expected a bit rate"),
        ("20 kbits", "bit rate", "unknown unit 'kbits'"),
        ("20 KB", "size", "unknown unit 'KB'"),
        ("20 S", "time", "unknown unit 'S'"),
        ("fast", "bit rate", "'fast' is not a bit rate"),
        ("", "time", "'' is not a time"),
        ("ms", "time", "'ms' is not a time"),
        ("1 2 ms", "time", "'1 2 ms' is not a time"),
        ("1,5 s", "time", "'1,5 s' is not a time"),
        ("1_000 us", "time", "'1_000 us' is not a time"),
        ("--5 s", "time", "is not a time"),
        ("1.2.3 s", "time", "is not a time"),
        (".", "time", "is not a time"),
        ("1e", "time", "is not a time"),
        ("0x10", "time", "is not a time|unknown unit"),
        ("\u0663 s", "time", "is not a time"),
        ("1.5 us", "time", "'1.5 us' is not a whole number of us"),
        (0.5, "size", "'0.5' is not a whole number of B"),
        ("1 s 1 ms", "time", "is not a time"),
        (float("nan"), "time", "'nan' is not a time"),
        (float("inf"), "time", "'inf' is not a time"),
        ("1e19", "time", "too large"),
        ("-1e19", "time", "too large"),
        ("1e13 s", "time", "too large"),
        ("1e999", "time", "too large"),
        ("1e999999999", "time", "too many digits"),
        ("1e-999999999 s", "time", "too many digits"),
        ("1." + 80 * "0" + "1 s", "time", "too many digits"),
        (True, "time", "expected a time"),
        (None, "time", "expected a time"),
        ([5], "size", "expected a size"),
    ],
)
def test_a_wrong_quantity_is_refused_with_a_reason(value: object, kind: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_quantity(value, kind)


@given(st.sampled_from(sorted(KINDS)), st.integers(-(10**8), 10**8), st.data())
def test_a_whole_number_of_any_unit_is_exact(kind: str, number: int, data: st.DataObject) -> None:
    unit = data.draw(st.sampled_from(sorted(KINDS[kind])))
    assert parse_quantity(f"{number} {unit}", kind) == number * int(KINDS[kind][unit])


@given(st.text(max_size=20) | st.from_regex(r"[0-9.eE+-]{1,12} ?[a-zA-Z/]{0,6}", fullmatch=True))
def test_any_text_is_a_quantity_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert abs(parse_quantity(text, "time")) <= 10**18


@pytest.mark.parametrize("module", [m.name for m in pkgutil.iter_modules(fleet_sim.basics.__path__)])
def test_examples_in_docstrings_hold(module: str) -> None:
    assert doctest.testmod(importlib.import_module(f"fleet_sim.basics.{module}")).failed == 0
