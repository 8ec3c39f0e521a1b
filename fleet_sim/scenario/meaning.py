"""Which fields of a scenario a result depends on."""

from typing import Any

from fleet_sim.control.names import own
from fleet_sim.network.capacity_spec import TraceSpec
from fleet_sim.network.traces import read_trace
from fleet_sim.scenario.groups import GroupLinkSpec
from fleet_sim.scenario.parts import TrainSpec
from fleet_sim.scenario.scenario import Scenario
from fleet_sim.serving.table import read_table

_WITHOUT_MEANING: dict[str, bool | set[str]] = {
    "name": True,
    "mode": True,
    "audit": True,
    "cluster": True,
    "report": True,
    "sweep": True,
    "train": set(TrainSpec.model_fields) - {"updates", "retrain"},
    "data": {"path"},
    "link": {"profile"},
    "camera": {"radio", "battery_wh"},
}
# Fields that came after the first release. At their defaults they leave the digest as it was without them.
_LATER: dict[str, set[str]] = {
    "camera": {"codec", "device"},
    "control": {"confidence_us", "allocation", "floor"},
    "fleet": {"groups"},
    "train": {"retrain"},
    "serving": {
        "split",
        "alarm",
        "table",
        "replicas",
        "routing",
        "priority",
        "shed",
        "queue_limit",
        "autoscale",
        "failures",
        "resident",
        "load_us",
        "standby",
    },
}


def digest_fields(scenario: Scenario) -> dict[str, Any]:
    """The fields that have meaning, as JSON values: not names and places, nor how and where work is done.

    The content of the images and of the versions used, and with these how they were trained, enters a digest
    by hashes of their own; a trace, a table of service times and a controller of the user's own stand here by
    the hash of their file.
    """
    fields: dict[str, Any] = scenario.model_dump(mode="json", exclude=_WITHOUT_MEANING)
    for part, names in _LATER.items():
        default = type(getattr(scenario, part))().model_dump(mode="json", include=names)
        for name in names:
            if fields[part][name] == default[name]:
                del fields[part][name]
    if fields["rollout"] is None:
        del fields["rollout"]
    if not fields["camera"]:  # so did the whole part
        del fields["camera"]
    fields["fleet"]["cells"] = scenario.cells
    for group in fields["fleet"].get("groups", ()):
        if group["link"] == GroupLinkSpec().model_dump(mode="json"):
            del group["link"]
    if source := own(scenario.control.controller):
        fields["control"]["controller"] = source.content_hash
    if isinstance(scenario.link.capacity, TraceSpec):
        fields["link"]["capacity"]["path"] = read_trace(scenario.link.capacity.path).content_hash
    for i, retrain in enumerate(scenario.train.retrain):
        fields["train"]["retrain"][i]["head"] = retrain.head.recorded()
    if scenario.serving.table is not None:
        fields["serving"]["table"] = read_table(scenario.serving.table)[1]
    return fields
