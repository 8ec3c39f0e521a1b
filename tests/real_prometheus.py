"""A real Prometheus that looks at Ray's endpoint, for tests."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

from fleet_sim.report.dashboard import prometheus_yml

Query = Callable[[str], list[tuple[dict[str, str], float]]]
"""PromQL -> rows of (labels, value)."""

PROGRAM = shutil.which("prometheus")
MISSING = "no prometheus on this machine (Debian: apt-get install prometheus)"


@contextmanager
def prometheus(folder: Path, endpoint: str, until: str) -> Iterator[Query]:
    """A Prometheus with fleet-sim's own settings, once `until` (PromQL) has an answer."""
    assert PROGRAM is not None
    (folder / "targets.json").write_text(json.dumps([{"targets": [endpoint.split("/")[2]]}]))
    (folder / "prometheus.yml").write_text(prometheus_yml(folder / "targets.json"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def query(promql: str) -> list[tuple[dict[str, str], float]]:
        url = f"http://127.0.0.1:{port}/api/v1/query?{urlencode({'query': promql})}"
        with urlopen(url, timeout=5) as reply:
            rows = json.load(reply)["data"]["result"]
        return [(row["metric"], float(row["value"][1])) for row in rows]

    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [
                PROGRAM,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        _wait(lambda: query(until), folder / "log")
        yield query
    finally:
        server.terminate()
        server.wait(20)


def _wait(ready: Callable[[], object], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if ready():
                return
        except OSError:
            pass  # not listening yet
        time.sleep(0.1)
    raise AssertionError(log.read_text())
