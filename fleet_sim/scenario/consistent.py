"""Parts of a scenario that do not go together, each refused with the fields that say so."""

from typing import TYPE_CHECKING

from fleet_sim.basics.errors import instead
from fleet_sim.basics.spec import misfit
from fleet_sim.camera.radios import RADIOS
from fleet_sim.data.classes import known_classes
from fleet_sim.network.downlink_spec import AirSpec
from fleet_sim.scenario.in_time import refuse_what_comes_too_late
from fleet_sim.scenario.rollout import RolloutSpec

if TYPE_CHECKING:
    from fleet_sim.scenario.scenario import Scenario


def refuse_contradictions(scenario: "Scenario") -> None:
    """Raise the first misfit found."""
    _cells_filled(scenario)
    _classes_are_there(scenario)
    if scenario.rollout is not None:
        _can_roll_out(scenario, scenario.rollout)
    if scenario.control.allocation != "equal":
        _can_allocate(scenario)
    if scenario.report.oracle:
        _can_ask_oracles(scenario)
    _rates_differ_where_they_may(scenario)
    _heads_are_there(scenario)
    _priorities_differ(scenario)
    _cameras_can_send(scenario)
    _can_retrain(scenario)
    refuse_what_comes_too_late(scenario)
    _named_cells_are_there(scenario)


def _cells_filled(scenario: "Scenario") -> None:
    cameras, written = scenario.fleet.cameras, scenario.fleet.cells
    if scenario.link.sharing == "dedicated" and written not in (None, cameras):
        raise misfit(
            f"dedicated links make {cameras} cells of {cameras} cameras, not {written}: leave cells out",
            "fleet.cells",
            "link.sharing",
            "link.profile",
        )
    if scenario.cells > cameras:
        raise misfit(
            f"{scenario.cells} cells cannot be filled by {cameras} cameras", "fleet.cells", "fleet.cameras"
        )


def _classes_are_there(scenario: "Scenario") -> None:
    known = known_classes(scenario.data)
    for g, group in enumerate(scenario.fleet.groups if known else ()):
        for v, view in enumerate(group.sees):
            for name in view.classes:
                if known and name not in known:
                    raise misfit(
                        f"the images have no class '{name}'; {instead(name, known)}",
                        f"fleet.groups.{g}.sees.{v}.classes",
                        "data.source",
                    )


def _can_roll_out(scenario: "Scenario", rollout: RolloutSpec) -> None:
    if not scenario.serving.switches and not scenario.train.updates and not scenario.train.retrain:
        raise misfit(
            "nothing is rolled out: name a head and its time in serving.switches, or an update",
            "rollout",
            "serving.switches",
            "train.updates",
        )
    if not scenario.train.updates and rollout.air != AirSpec():
        raise misfit(
            "no encoder travels without train.updates: leave air out", "rollout.air", "train.updates"
        )
    if rollout.waves[0] * scenario.fleet.cameras < 1:
        raise misfit(
            f"a canary of {rollout.waves[0]:g} of {scenario.fleet.cameras} cameras is not one camera",
            "rollout.waves",
            "fleet.cameras",
            "rollout",
        )
    if scenario.train.updates and scenario.camera.codec != "latent":
        raise misfit(
            f"cameras that send {scenario.camera.codec} have no encoder to roll out: leave rollout out",
            "camera.codec",
            "train.updates",
            "rollout",
        )
    if scenario.unlabelled and scenario.train.retrain:
        raise misfit(
            "a head retrained on what cameras see is to answer it otherwise than the one before; without "
            "labels that would cost a good one its place: leave train.retrain out, or use labels",
            "rollout.guard.kind",
            "train.retrain",
        )
    if scenario.unlabelled and scenario.camera.codec == "label":
        raise misfit(
            "cameras that send a label have been answered already: there is no head to compare with",
            "rollout.guard.kind",
            "camera.codec",
        )
    if scenario.serving.split:
        raise misfit(
            "a rollout shares the cameras out itself: leave the split out", "serving.split", "rollout"
        )
    if scenario.serving.resident is not None:
        raise misfit("both heads of a rollout are held: leave resident out", "serving.resident", "rollout")


def _can_allocate(scenario: "Scenario") -> None:
    if scenario.link.sharing in ("aloha", "dedicated"):
        raise misfit(
            f"only cameras that take turns can be told what to plan with, not {scenario.link.sharing}",
            "control.allocation",
            "link.sharing",
            "link.profile",
        )
    if scenario.control.controller == "fixed":
        raise misfit(
            "fixed heeds nothing that it is told: leave allocation at equal",
            "control.allocation",
            "control.controller",
        )


def _can_ask_oracles(scenario: "Scenario") -> None:
    train, serving = scenario.train, scenario.serving
    several = train.updates or train.retrain or serving.switches or serving.split or scenario.rollout
    if several or scenario.mode == "live":
        raise misfit(
            "an oracle knows the answers of one version and one head from a bank: leave it out of live "
            "runs and of those whose versions or heads change",
            "report.oracle",
        )


def _rates_differ_where_they_may(scenario: "Scenario") -> None:
    alike = scenario.link.sharing == "aloha" or scenario.link.capacity.kind == "lora"
    for i, group in enumerate(scenario.fleet.groups):
        if group.link.rate < 1 and alike:
            raise misfit(
                "rates differ only where cameras take turns or have links of their own, without LoRa",
                f"fleet.groups.{i}.link.rate",
                "link.sharing",
                "link.profile",
            )


def _heads_are_there(scenario: "Scenario") -> None:
    heads = [h.name for h in scenario.train.heads]
    named = {"serving.head": scenario.serving.head}
    named |= {f"serving.split.{i}.head": s.head for i, s in enumerate(scenario.serving.split)}
    named |= {f"serving.switches.{i}.head": s.head for i, s in enumerate(scenario.serving.switches)}
    for field, head in named.items():
        if head not in heads:
            raise misfit(f"no head '{head}' in train.heads; {instead(head, heads)}", field, "train.heads")


def _priorities_differ(scenario: "Scenario") -> None:
    if scenario.serving.priority == "importance" and not scenario.fleet.groups:
        raise misfit("all cameras are alike without fleet.groups", "serving.priority", "fleet.groups")


def _cameras_can_send(scenario: "Scenario") -> None:
    if scenario.camera.device and not scenario.camera.radio and scenario.link.profile not in RADIOS:
        raise misfit(
            f"the link profile {scenario.link.profile} has no radio: say in camera.radio what one takes, "
            "as in radio: {pj_per_bit: 100000, wake_nj: 1000000}",
            "camera.device",
            "link.profile",
        )
    if scenario.serving.alarm.kind != "none" and scenario.camera.codec != "latent":
        raise misfit(
            f"an alarm weighs the bits of latents, not of {scenario.camera.codec}",
            "serving.alarm.kind",
            "camera.codec",
        )
    top = scenario.camera.levels(len(scenario.codec.ladder), scenario.data.image_size) - 1
    if scenario.control.controller == "fixed" and scenario.control.level > top:
        raise misfit(
            f"there is no level {scenario.control.level}; the ladder ends at {top}",
            "control.level",
            "codec.ladder",
            "camera.codec",
        )
    if scenario.data.image_size % 2**scenario.codec.wavelet_levels:
        step = 2**scenario.codec.wavelet_levels
        raise misfit(
            f"the wavelet needs an image size that is a multiple of {step}",
            "data.image_size",
            "codec.wavelet_levels",
        )


def _named_cells_are_there(scenario: "Scenario") -> None:
    if len(set(scenario.report.cells)) != len(scenario.report.cells):
        raise misfit("a cell is named twice", "report.cells")
    for cell in scenario.report.cells:
        if not 0 <= cell < scenario.cells:
            raise misfit(
                f"there is no cell {cell}; cells are 0 to {scenario.cells - 1}",
                "report.cells",
                "fleet.cells",
            )


def _can_retrain(scenario: "Scenario") -> None:
    if scenario.train.retrain and scenario.train.updates and scenario.serving.split:
        raise misfit(
            "a retrained head reads some encoders, and for others one head stands in, not several: leave "
            "the split, the updates or retrain out",
            "serving.split",
            "train.retrain",
            "train.updates",
        )
    for i, retrain in enumerate(scenario.train.retrain):
        fields = [f"train.retrain.{i}.{name}" for name in ("at_us", "after_alarm_us")]
        if scenario.camera.codec != "latent":
            raise misfit(
                f"heads are retrained on latents; cameras send {scenario.camera.codec}",
                *fields,
                "camera.codec",
            )
        if retrain.at_us is None and scenario.serving.alarm.kind == "none":
            raise misfit("there is no alarm: set serving.alarm", *fields, "serving.alarm.kind")
