"""Main jobs whose data or models do not fit, and those that use models that were there before."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from main_job import Stopping, quiet, results, small

from fleet_sim.basics.errors import Interrupted, UserError
from fleet_sim.registry import Registry
from fleet_sim.run import run, train


def test_bad_data_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    missing = small("data.source=npz", f"data.path={tmp_path / 'missing.npz'}")
    with pytest.raises(UserError, match=r"missing\.npz"):
        run(missing, out, quiet())
    with pytest.raises(UserError, match="no encoder"):
        run(small(f"train.use={tmp_path}"), out, quiet())
    assert not out.exists()


def republish(
    source: Path,
    target: Path,
    tables: int = 0,
    of_encoder: Mapping[str, str] = {},
    of_heads: Mapping[str, str] = {},
) -> None:
    """The encoder and heads in a folder once more: so much added to its tables, manifests changed."""
    original, copy = Registry(source), Registry(target)

    def publish(version: str, tables: int, changes: Mapping[str, str]) -> str:
        bundle = original.load(version)
        manifest = {key: value for key, value in bundle.manifest.items() if key not in ("kind", "files")}
        tensors = {name: dict(arrays) for name, arrays in bundle.tensors.items()}
        if tables:
            tensors["tables"]["offset_N"] = tensors["tables"]["offset_N"] + tables
        return copy.publish(bundle.kind, {**manifest, **changes}, tensors)

    versions = {kind: [v.id for v in original.list() if v.kind == kind] for kind in ("encoder", "head")}
    (encoder,) = versions["encoder"]
    encoder = publish(encoder, tables, of_encoder)
    for head in versions["head"]:
        publish(head, 0, {"encoder": encoder, **of_heads})


def test_models_that_lack_an_update_are_refused_before_anything_is_built(
    reference: Path, tmp_path: Path
) -> None:
    republish(reference / "models", tmp_path / "models", of_encoder={"recipe": "e2e"})
    use = [f"train.use={tmp_path / 'models'}", "train.recipe=e2e"]
    out = tmp_path / "out"
    with pytest.raises(Interrupted):
        run(small(*use), out, Stopping("Training"))
    with pytest.raises(UserError, match="0 encoders of recipe duphil"):
        run(small(*use, "train.updates=[{at_us: 2.5 s}]"), out, Stopping("Training"))
    assert not out.exists()


@pytest.mark.parametrize(
    ("altered", "reason"), [("head", "made for contract 0000"), ("tables", "encoder .* is")]
)
def test_encoder_and_server_with_different_tables_refuse_each_other(
    reference: Path, tmp_path: Path, altered: str, reason: str
) -> None:
    changes = {"contract_hash": "0" * 64} if altered == "head" else {}
    republish(reference / "models", tmp_path / "models", tables=int(altered == "tables"), of_heads=changes)
    with pytest.raises(UserError, match=f"{reason}.*a server would read noise"):
        run(small(f"train.use={tmp_path / 'models'}"), tmp_path / "out", quiet())
    assert not list(tmp_path.glob("out/*/summary.json"))


def test_training_alone_is_used_by_a_run(reference: Path, tmp_path: Path) -> None:
    models = train(small(), tmp_path / "trained", quiet())
    again = run(small(f"train.use={models}"), tmp_path / "runs", quiet())
    assert results(again)["digest"] == results(reference)["digest"]
