"""Links that cannot be made are refused when a scenario is read, with the place; points of a sweep too."""

from pathlib import Path

import pytest

from fleet_sim.basics.errors import UserError
from fleet_sim.scenario import load_scenario

FAR_APART = "{kind: piecewise, steps: [{at_us: 0, weight: 1}, {at_us: 1, weight: 0}], repeat_us: 168 h}"
RARE = "{kind: markov, slot_us: 1 ms, weights: [0, 2], dwell_us: [1000000000 s, 1 ms]}"


@pytest.mark.parametrize(
    ("link", "words"),
    [
        (
            f"{{budget_bps: 100 Gbit/s, capacity: {FAR_APART}}}",
            r":3: link\.capacity\.kind: a rate of",
        ),
        (f"{{capacity: {RARE}}}", r"link\.capacity\.dwell_us: .* dwell shorter"),
        ('{capacity: {kind: trace, path: "a\\0b"}}', r"link\.capacity\.path: .*no file has such a name"),
        ("{capacity: {kind: trace, path: huge}}", r"link\.capacity\.path: huge: .* too much at once"),
        ("{profile: lorawan-eu868-dr5, budget_bps: 100}", "leave budget_bps out"),
    ],
)
def test_an_impossible_link_is_refused_before_anything_runs(
    link: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("huge").write_text("999999999999\n")
    Path("s.yaml").write_text(f"name: s\n\nlink: {link}\n")
    with pytest.raises(UserError, match=words):
        load_scenario(Path("s.yaml"), [])
