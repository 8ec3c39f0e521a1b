"""Encoder, heads and messages of different tables refuse each other, with a reason."""

from dataclasses import replace

import numpy as np
import pytest
from small_fleet import publish_untrained, tiny_scenario

from fleet_sim.basics.errors import UserError
from fleet_sim.cluster.version import Version
from fleet_sim.codec.message import MessageError
from fleet_sim.data.load import load
from fleet_sim.registry import Bundle, Registry

SCENARIO = tiny_scenario()


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Bundle, Bundle]]:
    """Two encoders, each with a head."""
    models = tmp_path_factory.mktemp("models")
    dataset, registry = load(SCENARIO.data, seed=1), Registry(models)
    deployed = [publish_untrained(SCENARIO, dataset, models, weights_seed=seed) for seed in (1, 2)]
    return [(registry.load(one.encoder), registry.load(one.heads["plain"])) for one in deployed]


def test_a_server_hosts_no_head_of_another_encoder(releases: list[tuple[Bundle, Bundle]]) -> None:
    (encoder, head), (_, other_head) = releases
    assert Version(SCENARIO.codec, encoder, [head], "cpu").heads
    with pytest.raises(UserError, match=r"head .plain. is made for contract .* a server would read noise"):
        Version(SCENARIO.codec, encoder, [other_head], "cpu")


def test_a_server_hosts_no_encoder_with_other_tables_than_it_was_published_under(
    releases: list[tuple[Bundle, Bundle]],
) -> None:
    (encoder, head), (other, _) = releases
    swapped = replace(encoder, tensors={**encoder.tensors, "tables": other.tensors["tables"]})
    with pytest.raises(UserError, match=f"encoder {encoder.id[:12]} is made for contract"):
        Version(SCENARIO.codec, swapped, [head], "cpu")


def test_a_server_hosts_no_version_of_another_codec(releases: list[tuple[Bundle, Bundle]]) -> None:
    with pytest.raises(UserError, match="is made for contract"):
        Version(SCENARIO.codec.model_copy(update={"wavelet": "cdf97"}), *releases[0][:1], [], "cpu")
    with pytest.raises(UserError, match="ladder"):
        Version(SCENARIO.codec.model_copy(update={"ladder": (2, 16)}), *releases[0][:1], [], "cpu")


def test_messages_of_another_version_are_refused(releases: list[tuple[Bundle, Bundle]]) -> None:
    ours, theirs = (Version(SCENARIO.codec, encoder, [head], "cpu") for encoder, head in releases)
    latent_MN = np.zeros((3, 16), np.int32)
    sequence_M = np.arange(3)
    np.testing.assert_array_equal(ours.read(ours.code(latent_MN, 1, sequence_M), 1), latent_MN[:, :4])
    with pytest.raises(MessageError, match="contract"):
        ours.read(theirs.code(latent_MN, 1, sequence_M), 1)


def test_messages_of_another_level_than_delivered_end_the_run(releases: list[tuple[Bundle, Bundle]]) -> None:
    version = Version(SCENARIO.codec, *releases[0][:1], [], "cpu")
    with pytest.raises(RuntimeError, match="delivered as level 0"):
        version.read(version.code(np.zeros((2, 16), np.int32), 1, np.arange(2)), 0)
