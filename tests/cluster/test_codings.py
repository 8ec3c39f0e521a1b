"""Labels and pictures go the way of latents: real bytes, the same digest in bank and live, audited."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_fleet import Watching, publish_untrained, simulated, tiny_scenario

from fleet_sim.basics.hashing import canonical_json
from fleet_sim.cluster.codings import Coding, coding_of
from fleet_sim.cluster.host import LocalHost
from fleet_sim.cluster.sends import Sends
from fleet_sim.cluster.version import Version
from fleet_sim.codec.batches import BATCHES_AT_ONCE
from fleet_sim.codec.camera import FrozenEncoder
from fleet_sim.codec.envelope import HEADER_BYTES
from fleet_sim.codec.message import MessageError
from fleet_sim.data.dataset import Dataset
from fleet_sim.data.load import load
from fleet_sim.engine.counts import ANSWERED
from fleet_sim.engine.digest import digest
from fleet_sim.registry import Registry
from fleet_sim.scenario import Scenario, digest_fields

CODECS = ("label", "jpeg", "raw")


def scenario(codec: str, **fields: object) -> Scenario:
    budget = "3 Mbit/s" if codec == "raw" else "60 kbit/s"
    link = {"budget_bps": budget, "buffer_bytes": 8000}
    return tiny_scenario(camera={"codec": codec}, link=link, **fields)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load(scenario("latent").data, 1)


@pytest.fixture(scope="module")
def version(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Version:
    models = tmp_path_factory.mktemp("models")
    deployed = publish_untrained(scenario("latent"), dataset, models, weights_seed=1)
    registry = Registry(models)
    heads = [registry.load(head) for head in deployed.heads.values()]
    return Version(scenario("latent").codec, registry.load(deployed.encoder), heads, "cpu")


def coding(version: Version, codec: str, dataset: Dataset) -> Coding:
    return coding_of(Sends(codec), version, dataset.test_images_NHWC.shape[1])


@pytest.mark.parametrize("codec", CODECS)
def test_bank_and_live_count_the_same(codec: str, dataset: Dataset, tmp_path: Path) -> None:
    digests, offered = [], 0
    for mode in ("bank", "live"):
        host, here = LocalHost(), scenario(codec, mode=mode)
        session, counts = simulated(host, here, dataset, tmp_path / mode, watcher=Watching())
        host.close()
        digests.append(digest(digest_fields(here), [counts]))
        offered += int(counts.total_C[0])
        assert (session.audited > 0) == (mode == "bank")
        assert counts.total_C[6] > 0
    assert digests[0] == digests[1]
    assert offered > 0


@pytest.mark.parametrize(
    ("codec", "fields"), [("latent", {"mode": "live"}), ("jpeg", {"mode": "live"}), ("jpeg", {"audit": 1.0})]
)
def test_no_more_than_a_few_batches_of_images_are_held_however_long_an_epoch_is(
    codec: str, fields: dict[str, Any], dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, latents = list[int](), FrozenEncoder.latents

    def recorded(encoder: FrozenEncoder, images_MHWC: np.ndarray) -> np.ndarray:
        held.append(len(images_MHWC))
        return latents(encoder, images_MHWC)

    monkeypatch.setattr(FrozenEncoder, "latents", recorded)
    whole = {"backend": "local", "shards": 1, "epoch_us": "6 s"}
    _, counts = simulated(LocalHost(), scenario(codec, cluster=whole, **fields), dataset, tmp_path)
    assert counts.total_C[ANSWERED] > 200
    assert max(held) == BATCHES_AT_ONCE * scenario(codec).codec.batch == 64


def test_a_label_is_one_byte_and_says_what_the_whole_network_says(version: Version, dataset: Dataset) -> None:
    images_MHWC, labels = dataset.test_images_NHWC, coding(version, "label", dataset)
    messages = labels.code(labels.see(images_MHWC), 0, np.arange(len(images_MHWC)))
    assert {len(message) for message in messages} == {HEADER_BYTES + 1}
    top = version.levels - 1
    uncut = version.code(version.see(images_MHWC), top, np.arange(len(images_MHWC)))
    whole_M = version.classify(version.read(uncut, top), top, 0)
    np.testing.assert_array_equal(labels.classify(labels.read(messages, 0), 0, 0), whole_M)


def test_raw_pictures_are_answered_as_by_the_whole_network(version: Version, dataset: Dataset) -> None:
    images_MHWC = dataset.test_images_NHWC
    raw, label = coding(version, "raw", dataset), coding(version, "label", dataset)
    messages = raw.code(raw.see(images_MHWC), 0, np.arange(len(images_MHWC)))
    answer_M = raw.classify(raw.read(messages, 0), 0, 0)
    np.testing.assert_array_equal(answer_M, label.see(images_MHWC))


def test_messages_of_another_codec_and_damaged_ones_are_refused(version: Version, dataset: Dataset) -> None:
    jpeg, raw = coding(version, "jpeg", dataset), coding(version, "raw", dataset)
    (message,) = jpeg.code(dataset.test_images_NHWC[:1], 0, np.arange(1))
    with pytest.raises(MessageError):
        raw.read([message], 0)
    with pytest.raises(MessageError):
        jpeg.read([message[:-1] + bytes([message[-1] ^ 1])], 0)


def test_a_scenario_that_sends_latents_has_the_digest_it_had() -> None:
    plain, latent = tiny_scenario(), scenario("latent").model_copy(update={"link": tiny_scenario().link})
    assert canonical_json(digest_fields(plain)) == canonical_json(digest_fields(latent))
    assert "camera" not in digest_fields(plain)
    assert digest_fields(scenario("jpeg"))["camera"] == {"codec": "jpeg"}
