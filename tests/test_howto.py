"""The how-to pages work as they are written."""

import json
from pathlib import Path
from typing import Any

import pytest
from documented import ROOT, follow

pytestmark = pytest.mark.timeout(1800)  # half a minute of processor time a page, in some processes
PAGES = sorted((ROOT / "docs" / "howto").glob("*.md"))


def only_point(runs: Path) -> dict[str, Any]:
    (folder,) = runs.iterdir()
    (point,) = json.loads((folder / "summary.json").read_text())["points"]
    return point


@pytest.fixture(scope="module", params=PAGES, ids=lambda page: page.stem)
def followed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp(request.param.stem)
    follow(request.param, folder)
    return request.param.stem, folder


def test_a_page_shows_what_it_says(followed: tuple[str, Path]) -> None:
    page, folder = followed
    {"controller": _controller, "head": _head, "link_profile": _link_profile}[page](folder)


def _controller(folder: Path) -> None:
    throughput, steady = only_point(folder / "throughput"), only_point(folder / "steady")
    assert steady["level_mean"] > throughput["level_mean"] + 0.3  # it lets the queue grow, for more neurons
    assert steady["link_utilisation"] > throughput["link_utilisation"]


def _head(folder: Path) -> None:
    heads = only_point(folder / "runs")["heads"]
    answered = {name: head["frames_answered"] for name, head in heads.items()}
    assert answered["bayes"] / sum(answered.values()) == pytest.approx(0.4, abs=0.08)
    assert heads["bayes"]["accuracy"] > 0.6


def _link_profile(folder: Path) -> None:
    point = only_point(folder / "runs")
    payload = point["payload_bits"] / point["frames_answered"]
    bits = point["wire_bits"] / point["packets"]
    assert bits == pytest.approx(payload + 8 * 17, rel=0.01)  # 5 bytes of header, 12 of the link
    air_ms, encode_ms, server_ms = bits / 2.4, 2_576_384 / 125_000, 3.2
    again_ms = 0.02 * (2 * 600 + 2 * air_ms)
    latency_ms = point["latency_us_sum"] / point["frames_answered"] / 1000
    assert latency_ms == pytest.approx(encode_ms + air_ms + 600 + server_ms + again_ms, rel=0.02)
    energy_mj = 2_576_384 * 2640e-9 + 900 + bits * point["packets"] / 6000 * 0.667 + 0.06 * 60
    right = point["frames_right_on_time"] / point["frames_offered"]
    assert point["energy"]["joules_a_right_frame"] * 1000 == pytest.approx(energy_mj / right, rel=1e-3)
