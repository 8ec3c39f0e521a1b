"""What each frame costs a camera of a scenario."""

from fleet_sim.basics.errors import UserError
from fleet_sim.camera.devices import DEVICES, Device
from fleet_sim.camera.energy import Rates
from fleet_sim.camera.radios import RADIOS, Radio
from fleet_sim.codec.complexity import Work, encoder_work, head_work, picture_work
from fleet_sim.network.build import downlink_bps, link_of
from fleet_sim.scenario.scenario import Scenario


def camera_work(scenario: Scenario, classes: int) -> Work:
    """Multiply-adds of a frame on the camera, and the weights it keeps."""
    codec, size = scenario.camera.codec, scenario.data.image_size
    if codec not in ("latent", "label"):
        return picture_work(codec, size)
    encoder = encoder_work(scenario.codec, size)
    if codec == "latent":
        return encoder
    kind = next(head.kind for head in scenario.train.heads if head.name == scenario.serving.head)
    return encoder.and_then(head_work(scenario.codec, kind, classes))


def device_of(scenario: Scenario, classes: int) -> Device | None:
    """The processor, if the scenario has one; UserError where the network does not fit into it."""
    if scenario.camera.device is None:
        return None
    device, work = DEVICES[scenario.camera.device], camera_work(scenario, classes)
    if work.weights > device.memory_bytes:
        raise UserError(
            f"camera.device: a {scenario.camera.device} has room for {device.memory_bytes:,} weights of "
            f"8 bits; to send a {scenario.camera.codec} takes {work.weights:,}: take a smaller codec.width "
            "or another device"
        )
    return device


def radio_of(scenario: Scenario) -> Radio:
    """The radio of the scenario's link, or its own."""
    own = scenario.camera.radio
    return RADIOS[scenario.link.profile] if own is None else own.made()


def rates_of(scenario: Scenario, classes: int) -> Rates | None:
    """Energy rates of a camera; None where the scenario has no device."""
    device = device_of(scenario, classes)
    if device is None:
        return None
    work, link = camera_work(scenario, classes), scenario.link
    whole_bps = downlink_bps(link, link_of(link).budget_bps)
    return Rates.of(device, radio_of(scenario), work.multiply_adds, whole_bps)
