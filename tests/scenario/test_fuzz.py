"""Typing errors, however odd: `fleet-sim validate` accepts or explains, and never shows a traceback."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fleet_sim.cli import app

FOLDER = Path(__file__).parents[2] / "scenarios"
SCENARIOS = [
    *(file.read_text() for file in sorted(FOLDER.glob("*.yaml"))),
    """name: everything
duration_us: 1 min
fleet:
  cameras: 40
  cells: 4
  capture: {kind: bursts, events_per_h: 10, event_us: 10 s, burst_period_us: 200 ms}
link:
  budget_bps: 20 kbit/s
  capacity: {kind: markov, slot_us: 100 ms, weights: [1, 4], dwell_us: [1 s, 2 s]}
  loss: {kind: gilbert_elliott, p: 0.01, r: 0.2, h: 0.5, k: 1}
  retries: 3
  outages: [{from_us: 1 s, to_us: 2 s}]
  sharing: proportional_fair
  fading: {kind: blocks, coherence_us: 100 ms, weights: [1, 2]}
control: {controller: fixed, level: 2}
sweep:
  link.budget_bps: [4 kbit/s, 8 kbit/s]
""",
]
ODD = (
    "null true -1 0 1e400 .inf .nan [] {} 99999999999999999999999 -0.5 2020-01-01 0x10 1_000 1:30 ~ [[1]] "
    "{a:1} *a &a << | > ? - % @ ` !!binary !!int 5ms 5kbit/s 1e18 1e-400 1e30s é [.inf] [-1,2] '' x"
)

scalars = st.sampled_from(ODD.split())
characters = st.characters(codec="utf-8")


@st.composite
def typed_wrong(draw: st.DrawFn) -> str:
    """A scenario after one to four slips: a line lost, doubled or shifted, a value or letter replaced."""
    lines = draw(st.sampled_from(SCENARIOS)).splitlines()
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(lines) - 1))
        line = lines[place]
        slip = draw(st.sampled_from(["lose", "double", "shift", "value", "value", "word", "letter"]))
        if slip == "lose" and len(lines) > 1:
            del lines[place]
        elif slip == "double":
            lines.insert(draw(st.integers(0, len(lines))), line)
        elif slip == "shift":
            lines[place] = " " * draw(st.integers(0, 6)) + line.lstrip()
        elif slip == "value":
            lines[place] = f"{line.partition(':')[0]}: {draw(scalars)}"
        elif slip == "word":
            words = line.split(" ")
            words[draw(st.integers(0, len(words) - 1))] = draw(scalars)
            lines[place] = " ".join(words)
        elif slip == "letter":
            at = draw(st.integers(0, len(line)))
            lines[place] = line[:at] + draw(characters) + line[at + draw(st.integers(0, 1)) :]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "typed.yaml"


@pytest.mark.parametrize("text", SCENARIOS)
def test_before_the_slips_all_is_well(file: Path, text: str) -> None:
    file.write_bytes(text.encode())
    assert CliRunner().invoke(app, ["validate", str(file)]).exit_code == 0


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(text=typed_wrong())
def test_slips_are_accepted_or_explained(file: Path, text: str) -> None:
    file.write_bytes(text.encode())
    result = CliRunner().invoke(app, ["validate", str(file)])
    assert result.exit_code in (0, 2), result.exception
    assert isinstance(result.exception, SystemExit | None), result.exception
    told = result.stdout if result.exit_code == 0 else result.stderr
    assert told.startswith(str(file))


@settings(max_examples=100)
@given(field=st.sampled_from(["link", "link.loss", "fleet.cameras", "sweep.link.retries"]), value=st.text())
def test_any_text_may_follow_set(field: str, value: str) -> None:
    result = CliRunner().invoke(app, ["validate", str(FOLDER / "update.yaml"), "--set", f"{field}={value}"])
    assert result.exit_code in (0, 2), result.exception
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert result.output.strip()
