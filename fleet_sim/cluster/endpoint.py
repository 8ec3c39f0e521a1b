"""Ray's metrics endpoint: how often this process exports to it, where it is, and what it shows now."""

import os
import re
from dataclasses import dataclass
from urllib.request import ProxyHandler, build_opener

import ray

_INTERVAL = "RAY_metrics_report_interval_ms"
_LINE = re.compile(r"^(?P<name>\w+)\{(?P<labels>.*)\} (?P<value>\S+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
# The endpoint is a machine of the cluster: a proxy for the outside world cannot know it.
_DIRECT = build_opener(ProxyHandler({}))


@dataclass(frozen=True)
class Sample:
    """One line of the endpoint: a series and its value."""

    name: str
    labels: dict[str, str]
    value: float


def export_every_second() -> None:
    """Have this process export once a second instead of every ten; to be called before `ray.init`.

    Ray takes no shorter interval. It holds for this driver also on a cluster that was started with another
    one; an interval that the user has set stands.
    """
    os.environ.setdefault(_INTERVAL, "1000")


def endpoint_url() -> str:
    """Where the node that this driver is connected to serves its metrics, in Prometheus' text format.

    Ray asks for no token there, with token authentication on as well.
    """
    here = ray.get_runtime_context().get_node_id()
    node = next(node for node in ray.nodes() if node["NodeID"] == here)
    return f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"


def read_samples(url: str) -> list[Sample]:
    """fleet-sim's samples at the endpoint `url`; raises OSError while nothing answers there."""
    with _DIRECT.open(url, timeout=5) as response:
        lines = response.read().decode().splitlines()
    matches = (_LINE.match(line) for line in lines if line.startswith("ray_fleet_sim_"))
    return [Sample(m["name"], dict(_LABEL.findall(m["labels"])), float(m["value"])) for m in matches if m]
