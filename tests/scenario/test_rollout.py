"""What `rollout:` refuses, and what a sweep over kinds of guard makes of it."""

from pathlib import Path

import pytest

from fleet_sim.basics.errors import UserError
from fleet_sim.scenario import Scenario, digest_fields, heads_by_time, load_scenario, points, releases_of
from fleet_sim.scenario.rollout import LabelsGuardSpec, NoGuardSpec

SWITCHES = "serving:\n  switches: [{at_us: 2.5 s, head: kl}, {at_us: 1 s, head: svm}]\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("rollout: {wave_us: 1 s}\n", "x.yaml:2: rollout: nothing is rolled out: name a head"),
        (
            SWITCHES + "rollout:\n  waves: [0.5, 0.2, 1]\n",
            "x.yaml:5: rollout.waves: waves are two shares or more, rising from above 0 to 1",
        ),
        (SWITCHES + "rollout:\n  waves: [1]\n", "x.yaml:5: rollout.waves: waves are two"),
        (SWITCHES + "rollout:\n  waves: [0, 1]\n", "x.yaml:5: rollout.waves: waves are two"),
        (SWITCHES + "rollout:\n  waves: [0.1, 0.5]\n", "x.yaml:5: rollout.waves: waves are two"),
        (
            SWITCHES + "  resident: 2\nrollout: {}\n",
            "x.yaml:4: serving.resident: both heads of a rollout are held: leave resident out",
        ),
        (
            SWITCHES + "  split: [{head: kl, share: 0.3}]\nrollout: {}\n",
            "x.yaml:4: serving.split: a rollout shares the cameras out itself",
        ),
        (SWITCHES + "rollout:\n  guard: {kind: labels, share: 0}\n", "x.yaml:5: rollout.guard.share"),
        (
            SWITCHES + "fleet: {cameras: 19}\nrollout: {}\n",
            "x.yaml:4: fleet.cameras: a canary of 0.05 of 19 cameras is not one camera",
        ),
        (
            "train: {recipe: e2e, updates: [{at_us: 1 s}]}\nrollout:\n  air: {block_bytes: 1600}\n",
            "x.yaml:4: rollout.air.block_bytes: a packet of this link carries 1472 bytes, not 1600",
        ),
        (
            SWITCHES + "rollout:\n  air: {share: 0.2}\n",
            "x.yaml:5: rollout.air: no encoder travels without train.updates: leave air out",
        ),
        (
            "serving:\n  switches:\n    - {at_us: 5 s, head: kl}\n    - {at_us: 59.5 s, head: svm}\n",
            "x.yaml:5: serving.switches.1.at_us: the run is over before this head could answer",
        ),
        (
            SWITCHES + "rollout:\n  guard: {kind: labels, delay_us: 57.5 s}\n",
            "x.yaml:5: rollout.guard.delay_us: the run is over before the guard could hear of a label",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_is_written(
    tmp_path: Path, text: str, complaint: str
) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("name: x\n" + text)
    with pytest.raises(UserError) as refused:
        load_scenario(file)
    assert complaint in str(refused.value)


def scenario_of(text: str, tmp_path: Path) -> Scenario:
    file = tmp_path / "x.yaml"
    file.write_text("name: x\n" + SWITCHES + text)
    return load_scenario(file)


def test_what_comes_at_the_last_boundary_of_the_run_is_in_time(tmp_path: Path) -> None:
    # Released at 1 s, the labels of that second are there at 59 s, the last boundary before the end at 60 s.
    scenario_of("  head: ce\nrollout:\n  guard: {kind: labels, delay_us: 57 s}\n", tmp_path)
    switches = "serving: {switches: [{at_us: 59 s, head: kl}]}\n"
    (tmp_path / "x.yaml").write_text("name: x\n" + switches)
    assert heads_by_time(load_scenario(tmp_path / "x.yaml"))[-1] == (59_000_000, "kl")


def test_switches_become_releases_in_order_of_time(tmp_path: Path) -> None:
    at_once, in_waves = scenario_of("", tmp_path), scenario_of("rollout: {}\n", tmp_path)
    assert heads_by_time(at_once) == [(0, "ce"), (1_000_000, "svm"), (3_000_000, "kl")]
    assert releases_of(at_once) == []
    assert heads_by_time(in_waves) == [(0, "ce")]
    assert releases_of(in_waves) == [(1_000_000, "svm", 0), (3_000_000, "kl", 0)]
    assert digest_fields(at_once) != digest_fields(in_waves)


def test_a_swept_kind_of_guard_has_its_own_fields(tmp_path: Path) -> None:
    text = "rollout:\n  wave_us: 9 s\n  guard: {kind: labels, share: 0.2, delay_us: 5 s}\n"
    sweep = "sweep:\n  rollout.guard.kind: [labels, none]\n"
    labels, none = (point.scenario.rollout for point in points(scenario_of(text + sweep, tmp_path)))
    assert labels is not None
    assert none is not None
    assert isinstance(labels.guard, LabelsGuardSpec)
    assert labels.guard.share == 0.2
    assert isinstance(none.guard, NoGuardSpec)
    assert none.wave_us == labels.wave_us == 9_000_000


@pytest.mark.parametrize("axes", [("guard.kind", "guard.share"), ("guard.share", "guard.kind")])
def test_a_field_that_a_swept_kind_does_not_have_is_refused_in_any_order(
    tmp_path: Path, axes: tuple[str, str]
) -> None:
    values = {"guard.kind": "[labels, none]", "guard.share": "[0.1, 0.2]"}
    text = "rollout:\n  wave_us: 9 s\n  guard: {kind: labels, share: 0.2, delay_us: 5 s}\nsweep:\n"
    text += "".join(f"  rollout.{axis}: {values[axis]}\n" for axis in axes)
    with pytest.raises(
        UserError, match=r"rollout\.guard\.share: (no field of kind none|there is no such field)"
    ):
        scenario_of(text, tmp_path)
