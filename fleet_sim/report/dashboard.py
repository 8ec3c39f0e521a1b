"""Files that show a run in Prometheus and Grafana: `fleet-sim dashboard DIR` writes them."""

import json
from pathlib import Path

from fleet_sim.report.panels import DATASOURCE_UID, grafana_dashboard

# Ray keeps the list of its metrics endpoints here for as long as a cluster lives.
RAY_DISCOVERY = Path("/tmp/ray/prom_metrics_service_discovery.json")


def prometheus_yml(discovery: Path = RAY_DISCOVERY) -> str:
    """A Prometheus configuration that scrapes the endpoints listed in the file `discovery`."""
    return f"""\
# Ray lists the metrics endpoints of its nodes in the file below and keeps the list up to date; they need
# no token. With several clusters on one machine the file names the last one started. On another machine, list
# the nodes in a file of the same form: [{{"labels": {{"job": "ray"}}, "targets": ["HOST:PORT"]}}]
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: ray
    file_sd_configs:
      - files: ["{discovery}"]
        refresh_interval: 1s
"""


def write_dashboard(folder: Path) -> list[Path]:
    """Write Prometheus' and Grafana's files and a README under `folder`; returns the paths, README first.

    Grafana's files name the folder by its absolute path: write them where they are to stay.
    """
    folder = folder.resolve()
    grafana = folder / "grafana"
    files = {
        folder / "README.md": _README.format(folder=folder),
        folder / "prometheus.yml": prometheus_yml(),
        grafana / "grafana.ini": _GRAFANA_INI.format(grafana=grafana),
        grafana / "provisioning/datasources/prometheus.yml": _DATASOURCE_YML.format(uid=DATASOURCE_UID),
        grafana / "provisioning/dashboards/fleet-sim.yml": _PROVIDER_YML.format(grafana=grafana),
        grafana / "dashboards/fleet-sim.json": json.dumps(grafana_dashboard(), indent=2) + "\n",
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return list(files)


# Anonymous viewers and embedding let Ray's dashboard show Grafana's panels; the address keeps others out.
_GRAFANA_INI = """\
[server]
http_addr = 127.0.0.1
[security]
allow_embedding = true
[auth.anonymous]
enabled = true
org_role = Viewer
[paths]
data = {grafana}/data
provisioning = {grafana}/provisioning
"""
# Ray's own panels look for a datasource of this name.
_DATASOURCE_YML = """\
apiVersion: 1
datasources:
  - name: Prometheus
    uid: {uid}
    type: prometheus
    access: proxy
    url: http://127.0.0.1:9090
    isDefault: true
    jsonData: {{timeInterval: 1s}}
"""
_PROVIDER_YML = """\
apiVersion: 1
providers:
  - name: fleet-sim
    folder: fleet-sim
    type: file
    options: {{path: "{grafana}/dashboards"}}
  - name: Ray
    folder: Ray
    type: file
    options: {{path: /tmp/ray/session_latest/metrics/grafana/dashboards}}
"""
_README = """\
# fleet-sim in Prometheus and Grafana

`fleet-sim dashboard` wrote this folder. Nothing in it needs the internet.

## Prometheus

Take it from a package (Debian, Ubuntu: `apt-get install prometheus`); `ray metrics launch-prometheus` would
download one. Then, before or during a run:

    prometheus --config.file={folder}/prometheus.yml --storage.tsdb.path={folder}/data \\
        --web.listen-address=127.0.0.1:9090

It finds Ray's metrics endpoints by itself. They serve metrics without a token. In its page,
<http://127.0.0.1:9090>, try

    sum by (outcome) (ray_fleet_sim_frames_total)

## Grafana

Take it from Grafana's own packages; Debian has none. Then

    grafana server --homepath /usr/share/grafana --config {folder}/grafana/grafana.ini

and open <http://127.0.0.1:3000/d/fleet-sim>. The dashboard and the Prometheus that it asks are set up
already. It listens on this machine only, and lets everyone there look, not change.

## Inside the Ray dashboard

Ray reads where the two are when a cluster starts:

    export RAY_PROMETHEUS_HOST=http://127.0.0.1:9090 RAY_GRAFANA_HOST=http://127.0.0.1:3000
    fleet-sim run scenarios/bandlimited.yaml

`fleet-sim run` prints the address of Ray's dashboard. The dashboard asks for a token:

    ray get-auth-token

prints it. Token authentication is Ray's default for a cluster that a program starts, and stays on. The
Metrics page there embeds Ray's own panels from this Grafana and links to it; fleet-sim's are in Grafana's
folder `fleet-sim`.

## After the run

A cluster that `fleet-sim run` starts ends with the run, and its endpoint with it; Prometheus keeps what it
saw. To keep the endpoint, start the cluster first, and tell both sides to use the token, which Ray does not
do by itself when an address is given:

    export RAY_AUTH_MODE=token
    ray get-auth-token --generate >/dev/null    # makes a token if there is none
    ray start --head
    fleet-sim run scenarios/bandlimited.yaml --address 127.0.0.1:6379

Counters then stay until the cluster ends; gauges go seconds after the run. Each run on a cluster has
series of its own, told apart by the label `WorkerId` (`run` at the top of the dashboard).
"""
