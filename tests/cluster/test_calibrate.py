"""Calibration: a table of every kind of head, measured on what servers really do."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from fleet_sim.cli import app
from fleet_sim.cluster import calibrate
from fleet_sim.cluster.calibrate import BatchDecoder, medians_us, sizes_up_to
from fleet_sim.codec.head import LinearHead
from fleet_sim.codec.message import MessageError, encode_batch
from fleet_sim.codec.tables import Tables
from fleet_sim.serving.table import Decoder, read_table


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrate, "ROUNDS", 2)
    monkeypatch.setattr(calibrate, "USUAL", (Decoder("tiny", 4, 16),))


@pytest.mark.usefixtures("hasty")
def test_the_command_writes_a_table_that_a_scenario_can_use(tmp_path: Path) -> None:
    out = tmp_path / "here.json"
    result = CliRunner().invoke(app, ["calibrate", "--batch", "6", "--out", str(out)])
    assert result.exit_code == 0, result.output
    table, _ = read_table(out)
    assert [(row.head, row.batches) for row in table.rows] == [(k, (1, 2, 4, 6)) for k in ("ce", "kl", "svm")]
    file = tmp_path / "x.yaml"
    codec = "{depth: tiny, width: 4, neurons: 16}"
    file.write_text(f"name: x\ncodec: {codec}\nserving: {{table: {out}, batch: 6}}\n")
    assert CliRunner().invoke(app, ["validate", str(file)]).exit_code == 0


def test_sizes_double_up_to_the_largest() -> None:
    assert sizes_up_to(1) == (1,)
    assert sizes_up_to(8) == (1, 2, 4, 8)
    assert sizes_up_to(9) == (1, 2, 4, 8, 9)


def test_times_never_fall_and_every_size_is_measured() -> None:
    seen = []

    def answer(messages: Sequence[bytes]) -> None:
        seen.append(len(messages))

    times_us = medians_us(answer, [b""] * 4, (1, 2, 4))
    assert set(seen) == {1, 2, 4}
    assert list(times_us) == sorted(times_us)
    assert times_us[0] >= 1


def test_a_mixed_batch_is_answered_as_each_of_its_frames_alone() -> None:
    draws = np.random.default_rng(3)
    latent_MN = np.rint(draws.normal(0, 2, (300, 12))).astype(np.int32)
    tables = Tables.fit(latent_MN, np.arange(300) % 3, (2, 5, 12))
    head = LinearHead(
        {"coef_KN": draws.normal(size=(3, 12)), "intercept_K": draws.normal(size=3)}, tables, batch=16
    )
    ranked_MN = latent_MN[:40, tables.ranking_N]
    levels = [m % 3 for m in range(40)]
    messages = [encode_batch(ranked_MN[m : m + 1], levels[m], tables, 7, [m])[0] for m in range(40)]
    together = BatchDecoder(head, tables, 7).answer(messages)
    alone = [
        head.classify(ranked_MN[m : m + 1, : tables.ladder_L[levels[m]]], levels[m])[0] for m in range(40)
    ]
    assert together.tolist() == alone
    with pytest.raises(MessageError):
        BatchDecoder(head, tables, 8).answer(messages)
