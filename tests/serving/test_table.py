"""Tables of service times: what lies between measured sizes, what is refused, and what enters a digest."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.basics.errors import UserError
from fleet_sim.serving.table import DEFAULT, Decoder, ServiceTable, TableRow, line_us, read_table, write_table

SMALL = Decoder("tiny", 4, 16)


def row(**changed: object) -> TableRow:
    fields = {"device": "cpu", "processor": "p", "head": "ce", **SMALL._asdict()}
    times = {"batches": (1, 2, 8), "service_us": (10, 11, 40)}
    return TableRow.model_validate({**fields, **times, **changed})


def table(*rows: TableRow) -> ServiceTable:
    return ServiceTable(made_by="hand", rows=rows or (row(),))


def test_sizes_between_two_measured_lie_on_the_line_between() -> None:
    times_us = table().service_us("cpu", "ce", SMALL, 6)
    assert times_us.tolist() == [0, 10, 11, 11 + 29 // 6, 11 + 58 // 6, 11 + 87 // 6, 11 + 116 // 6]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.data())
def test_measured_sizes_are_kept_and_times_never_fall(steps: list[int], data: st.DataObject) -> None:
    batches = np.cumsum([1, *steps])
    times = np.cumsum(data.draw(st.lists(st.integers(1, 99), min_size=len(batches), max_size=len(batches))))
    full = row(batches=tuple(batches.tolist()), service_us=tuple(times.tolist()))
    times_us_N = table(full).service_us("cpu", "ce", SMALL, int(batches[-1]))
    assert times_us_N[batches].tolist() == times.tolist()
    assert (np.diff(times_us_N) >= 0).all()


def test_a_line_is_what_batch_us_and_frame_us_say() -> None:
    assert line_us(3000, 200, 3).tolist() == [0, 3200, 3400, 3600]


@pytest.mark.parametrize(
    ("head", "decoder", "batch", "complaint"),
    [
        (
            "svm",
            SMALL,
            2,
            "no times on cpu of a head svm with .* it has none of this head on cpu: fleet",
        ),
        (
            "ce",
            SMALL._replace(width=8),
            2,
            "width 8, 16 neurons; it has depth tiny, width 4",
        ),
        ("ce", SMALL, 9, "up to batches of 8 frames, serving.batch is 9: fleet-sim calibrate --batch"),
    ],
)
def test_what_was_not_measured_is_refused(head: str, decoder: Decoder, batch: int, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        table().service_us("cpu", head, decoder, batch)  # type: ignore[arg-type]


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = write_table(tmp_path / "t.json", table(row(), row(head="svm")))
    read, content_hash = read_table(path)
    assert read == table(row(), row(head="svm"))
    write_table(path, table(row(service_us=(10, 11, 41))))
    assert read_table(path)[1] != content_hash


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"batches": [2, 3, 4]}, "rows.0.batches: batch sizes must rise from 1"),
        ({"service_us": [10, 11]}, "3 sizes need as many times"),
        ({"service_us": [10, 9, 9]}, "a larger batch takes no less time"),
        ({"device": "tpu"}, "rows.0.device"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_the_place(
    tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"made_by": "x", "rows": [{**row().model_dump(mode="json"), **change}]}))
    with pytest.raises(UserError, match=r"t\.json: is no table of service times") as found:
        read_table(path)
    assert complaint.removeprefix("rows.0.batches: ") in str(found.value)


def test_the_package_has_a_table_for_the_scenarios_of_the_repository() -> None:
    shipped, _ = read_table(Path("default"))
    assert shipped == ServiceTable.model_validate_json(DEFAULT.read_text())
    for decoder in (Decoder("tiny", 16, 64), Decoder("resnet18", 16, 128), Decoder("resnet18", 64, 128)):
        for head in ("ce", "kl", "svm"):
            assert shipped.service_us("cpu", head, decoder, 128)[128] > 0  # type: ignore[arg-type]
