"""Camera and head: from image to answer, whatever company a frame keeps."""

import numpy as np
import pytest
import torch

from fleet_sim.basics.errors import UserError
from fleet_sim.codec.camera import FrozenEncoder, raw_latents
from fleet_sim.codec.contract import contract, contract_hash
from fleet_sim.codec.head import LinearHead, NetworkHead, load_head
from fleet_sim.codec.message import decode, encode
from fleet_sim.codec.networks import build_decoder, build_encoder
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.codec.tables import Tables, fill

SPEC = CodecSpec(depth="tiny", width=4, neurons=16, batch=16)
CLASSES = 3


def arrays_of(network):
    return {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(5)
    network = build_encoder(SPEC)
    with torch.no_grad():
        network.bottleneck[-1].weight.mul_(40)
    return network


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(6).integers(0, 256, (50, 16, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def tables(encoder, images):
    latent_MN = np.rint(raw_latents(encoder, SPEC, images, "cpu")).astype(np.int32)
    return Tables.fit(latent_MN, np.arange(50) % CLASSES, SPEC.ladder)


@pytest.fixture(scope="module")
def camera(encoder, tables):
    return FrozenEncoder(SPEC, arrays_of(encoder), tables)


@pytest.fixture(scope="module", params=["network", "linear"])
def head(request, tables):
    torch.manual_seed(7)
    if request.param == "network":
        return NetworkHead(SPEC, CLASSES, arrays_of(build_decoder(SPEC, CLASSES)), tables)
    rng = np.random.default_rng(8)
    weights = {"coef_KN": rng.normal(size=(CLASSES, 16)), "intercept_K": rng.normal(size=CLASSES)}
    return LinearHead(weights, tables, SPEC.batch)


def test_latents_are_rounded_and_ranked(camera, encoder, images, tables):
    latent_MN = camera.latents(images)
    assert latent_MN.dtype == np.int32
    assert latent_MN.std() > 0.5
    raw_MN = raw_latents(encoder, SPEC, images, "cpu")
    np.testing.assert_array_equal(latent_MN, np.rint(raw_MN)[:, tables.ranking_N])


def test_latents_do_not_depend_on_company_or_order(camera, images):
    latent_MN = camera.latents(images)
    for image, latent_N in zip(images[:5], latent_MN[:5], strict=True):
        np.testing.assert_array_equal(camera.latents(image[None])[0], latent_N)
    parts = [camera.latents(part) for part in np.split(images, [3, 20, 37])]
    np.testing.assert_array_equal(np.concatenate(parts), latent_MN)
    np.testing.assert_array_equal(camera.latents(images[::-1]), latent_MN[::-1])


def test_no_image_gives_no_latent(camera):
    assert camera.latents(np.zeros((0, 16, 16, 3), np.uint8)).shape == (0, 16)


def test_raw_latents_leave_batch_statistics_and_mode_alone(images):
    network = build_encoder(SPEC).train()
    before = arrays_of(network)
    raw_latents(network, SPEC, images, "cpu")
    assert network.training
    for name, array in arrays_of(network).items():
        np.testing.assert_array_equal(array, before[name])


def test_an_encoder_that_overflows_is_refused(encoder, images, tables):
    weights = arrays_of(encoder)
    weights["bottleneck.3.bias"][0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        FrozenEncoder(SPEC, weights, tables).latents(images)


def test_weights_of_another_shape_are_refused(encoder, tables):
    with pytest.raises(UserError, match="do not fit"):
        FrozenEncoder(SPEC.model_copy(update={"width": 8}), arrays_of(encoder), tables)


@pytest.mark.parametrize("level", [0, len(SPEC.ladder) - 1])
def test_answers_do_not_depend_on_company_or_order(head, camera, images, level):
    latent_Mk = camera.latents(images)[:, : SPEC.ladder[level]]
    class_M = head.classify(latent_Mk, level)
    assert class_M.dtype == np.int64
    parts = [head.classify(part, level) for part in np.split(latent_Mk, [1, 30])]
    np.testing.assert_array_equal(np.concatenate(parts), class_M)
    np.testing.assert_array_equal(head.classify(latent_Mk[::-1], level), class_M[::-1])


def test_a_head_sees_pruned_neurons_at_their_mean(camera, images, tables):
    rng = np.random.default_rng(9)
    coef_KN, intercept_K = rng.normal(size=(CLASSES, 16)), np.zeros(CLASSES)
    head = LinearHead({"coef_KN": coef_KN, "intercept_K": intercept_K}, tables)
    latent_Mk = camera.latents(images)[:, : SPEC.ladder[2]]
    expected_M = np.argmax(fill(latent_Mk, tables) @ coef_KN.T, axis=1)
    np.testing.assert_array_equal(head.classify(latent_Mk, 2), expected_M)


def test_a_latent_of_another_level_is_refused(head, camera, images):
    with pytest.raises(ValueError, match="level 0 keeps"):
        head.classify(camera.latents(images), 0)


def test_image_to_message_to_answer(camera, head, images, tables):
    latent_MN = camera.latents(images)
    for level, kept in enumerate(SPEC.ladder):
        decoded = [decode(encode(latent_N, level, tables, 1, 0), tables, 1)[0] for latent_N in latent_MN]
        np.testing.assert_array_equal(
            head.classify(np.stack(decoded), level), head.classify(latent_MN[:, :kept], level)
        )


def manifest(kind, agreed):
    return {"head": {"name": "h", "kind": kind}, "contract_hash": agreed, "classes": CLASSES}


def test_a_published_head_is_loaded_by_its_kind(tables):
    agreed = contract_hash(contract(SPEC, tables))
    network = {"weights": arrays_of(build_decoder(SPEC, CLASSES))}
    linear = {"weights": {"coef_KN": np.zeros((CLASSES, 16)), "intercept_K": np.zeros(CLASSES)}}
    assert isinstance(load_head(manifest("ce", agreed), SPEC, network, tables), NetworkHead)
    assert isinstance(load_head(manifest("kl", agreed), SPEC, network, tables), NetworkHead)
    assert isinstance(load_head(manifest("svm", agreed), SPEC, linear, tables), LinearHead)


def test_a_head_of_another_contract_is_refused(tables):
    with pytest.raises(UserError, match="made for contract"):
        load_head(manifest("ce", "0" * 64), SPEC, {"weights": {}}, tables)


def test_a_linear_head_needs_a_row_for_each_class(tables):
    with pytest.raises(UserError, match="for each of its 2 classes"):
        LinearHead({"coef_KN": np.zeros((1, 16)), "intercept_K": np.zeros(2)}, tables)
