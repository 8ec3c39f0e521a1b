"""A head of one's own: fitted, published with its source, loaded from that alone, and its faults named."""

from pathlib import Path

import numpy as np
import pytest

from fleet_sim.basics.errors import UserError
from fleet_sim.codec.contract import contract, contract_hash
from fleet_sim.codec.head import load_head
from fleet_sim.codec.own_head import head_class
from fleet_sim.codec.own_source import read_source
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.codec.tables import Tables, fill

SPEC = CodecSpec(depth="tiny", width=4, neurons=8, ladder=(1, 3, 8), batch=16)
EXAMPLE = Path(__file__).parents[2] / "scenarios" / "nearest_mean.py"
FILE = """
class Good:
    def __init__(self, weights):
        self.w = weights["w"]

    def logits(self, latent_BN):
        return latent_BN[:, :3] {rest}
"""


@pytest.fixture(scope="module")
def latents() -> tuple[np.ndarray, np.ndarray, Tables]:
    draws, labels_M = np.random.default_rng(1), np.arange(300) % 3
    latent_MN = np.rint(draws.normal(0, 2, (300, 8)) + 4 * np.eye(8)[labels_M]).astype(np.int32)
    return latent_MN, labels_M, Tables.fit(latent_MN, labels_M, SPEC.ladder)


def loaded(source: str, class_name: str, weights: dict[str, np.ndarray], tables: Tables):  # type: ignore[no-untyped-def]
    made = {"name": "mine", "kind": "own", "class_name": class_name, "source": source}
    manifest = {"head": made, "contract_hash": contract_hash(contract(SPEC, tables)), "classes": 3}
    return load_head(manifest, SPEC, {"weights": weights}, tables)


def test_the_example_fits_and_reads_at_every_level(latents: tuple[np.ndarray, np.ndarray, Tables]) -> None:
    latent_MN, labels_M, tables = latents
    source = read_source(EXAMPLE, "NearestMean")
    weights = head_class(source, "NearestMean").fit(latent_MN.astype(np.float32), labels_M, 3, 1)
    head = loaded(source, "NearestMean", weights, tables)
    ranked_MN = latent_MN[:, tables.ranking_N]
    for level, kept in enumerate(SPEC.ladder):
        filled_MN = fill(ranked_MN[:, :kept], tables)
        distance_MK = ((filled_MN[:, None] - weights["mean_KN"]) * weights["scale_N"]) ** 2
        answers_M = head.classify(ranked_MN[:, :kept], level)
        assert (answers_M == distance_MK.sum(axis=2).argmin(axis=1)).mean() > 0.99  # rounding may break ties
    assert (answers_M == labels_M).mean() > 0.8


def test_faults_of_the_class_are_named(latents: tuple[np.ndarray, np.ndarray, Tables]) -> None:
    latent_MN, _, tables = latents
    ranked_MN, weights = latent_MN[:, tables.ranking_N], {"w": np.zeros(1)}
    loaded(FILE.format(rest=""), "Good", weights, tables).classify(ranked_MN, 2)
    with pytest.raises(UserError, match=r"head 'mine', class Good: its constructor raised KeyError\('w'\)"):
        loaded(FILE.format(rest=""), "Good", {}, tables)
    with pytest.raises(UserError, match=r"logits gave an array of shape \(16,\), not \(16, 3\)"):
        loaded(FILE.format(rest="@ [1, 2, 3]"), "Good", weights, tables).classify(ranked_MN, 2)
    with pytest.raises(UserError, match="logits raised ZeroDivisionError"):
        loaded(FILE.format(rest="* (1 // 0)"), "Good", weights, tables).classify(ranked_MN, 2)


def test_a_file_is_read_without_being_run(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("raise SystemExit\nclass Nearest:\n    pass\n")
    assert read_source(file, "Nearest").startswith("raise")
    with pytest.raises(UserError, match=r"mine\.py: has no class Neerest; did you mean Nearest\?"):
        read_source(file, "Neerest")
    file.write_text("class :")
    with pytest.raises(UserError, match="is not Python"):
        read_source(file, "Nearest")
    with pytest.raises(UserError, match="cannot be read: No such file"):
        read_source(tmp_path / "nowhere.py", "Nearest")
