"""A wrong scenario is refused in words that name file, line and field, and what would be right."""

# ruff: noqa: E501  the messages are the point: each on one line

from pathlib import Path

import pytest

from fleet_sim.basics.errors import UserError
from fleet_sim.scenario import load_scenario


def refusal(tmp_path: Path, text: str | bytes, *overrides: str) -> list[str]:
    """The lines of the error for `text`, with the path of the file shortened to F."""
    file = tmp_path / "wrong.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError) as caught:
        load_scenario(file, overrides)
    return str(caught.value).replace(str(file), "F").splitlines()


FIELDS = {
    "serving: {split: [{head: svm, share: 0.7}, {head: kl, share: 0.7}]}": "F:2: serving.split: the shares make 1.4; together they may be 1 at most",
    "serving: {split: [{head: ce, share: 0.7}]}": "F:2: serving.split: each head of the split once, and `head` not among them",
    "serving: {split: [{head: swm, share: 0.7}]}": "F:2: serving.split.0.head: no head 'swm' in train.heads; did you mean svm?",
    "train: {heads: [{name: ce, kind: own}]}": "F:2: train.heads.0.kind: a head of kind own needs path and class_name",
    "train: {heads: [{name: ce, kind: ce, path: x.py}]}": "F:2: train.heads.0.path: only for heads of kind own",
    "train: {heads: [{name: ce, kind: own, path: no.py, class_name: X}]}": "F:2: train.heads.0.path: no.py: cannot be read: No such file",
    "fleet: {groups: [{name: a, share: 1, sees: [{classes: {'3': 1, cat: 2}}]}]}": "F:2: fleet.groups.0.sees.0.classes: the images have no class 'cat'; there are 0, 1,",
    "data: {source: cifar10}\nfleet: {groups: [{name: a, share: 1, sees: [{classes: {cats: 2}}]}]}": "F:3: fleet.groups.0.sees.0.classes: the images have no class 'cats'; did you mean cat?",
    "control: {allocation: marginal}\nlink: {sharing: dedicated}": "F:2: control.allocation: only cameras that take turns can be told what to plan with, not dedicated",
    "control: {allocation: max_min, controller: fixed}": "F:2: control.allocation: fixed heeds nothing that it is told",
    "control: {allocation: marginal, period_us: 50 ms}\nlink: {downlink_bps: 1 kbit/s}": "F:2: control.allocation: cameras know what is allocated only 328000 us later, at 1000 bit/s; control.period_us must be no",
    "fleet: {groups: [{name: a, share: 1, link: {rate: 0.5}}]}\nlink: {sharing: aloha}": "F:2: fleet.groups.0.link.rate: rates differ only where cameras take turns",
    "fleet: {groups: [{name: a, share: 1, link: {rate: 0}}]}": "F:2: fleet.groups.0.link.rate: must be at least 0.001",
    "link: {budget_bsp: 5}": "F:2: link.budget_bsp: unknown field; did you mean budget_bps?",
    "budget_bps: 5": "F:2: budget_bps: unknown field; did you mean link.budget_bps?",
    "fleet: {cameras: 5,000}": "F:2: fleet.000: unknown field; a comma ends a value here: write 5000 or 5_000, not 5,000",
    "zzz: 5": "F:2: zzz: unknown field; there are name, seed, duration_us, mode,",
    "serving:\n  deadline_us: 20 kbit/s": "F:3: serving.deadline_us: 'kbit/s' is a unit of bit rate; "
    "expected a time (us, ms, s, min, h)",
    "link:\n  budget_bps: 20 parsecs": "F:3: link.budget_bps: unknown unit 'parsecs'; expected a bit rate (",
    "link:\n\n  budget_bps: 10": "F:4: link.budget_bps: must be at least 100 bit/s, got 10",
    "link: {buffer_bytes: 1e99999999}": "F:2: link.buffer_bytes: ",
    "duration_us: 1.5 us": "F:2: duration_us: '1.5 us' is not a whole number of us",
    "duration_us: [1]": "F:2: duration_us: expected a time (",
    "mode: bnk": "F:2: mode: expected bank or live, got 'bnk'; did you mean bank?",
    "mode: xyz": "F:2: mode: expected bank or live, got 'xyz'",
    "fleet: {cameras: many}": "F:2: fleet.cameras: expected a whole number, got 'many'",
    "fleet: {cameras: 1.5}": "F:2: fleet.cameras: expected a whole number, got 1.5",
    "fleet: {cameras: true}": "F:2: fleet.cameras: true is not allowed here",
    "fleet: 3": "F:2: fleet: expected fields and their values, got 3",
    "fleet:": "F:2: fleet: expected fields and their values, got nothing",
    "seed: 123456789012345678901234567890": "F:2: seed: must be less than 9223372036854775808",
    "audit: .nan": "F:2: audit: expected a finite number, got nan",
    "train:\n  heads:\n    - {name: ce, kind: ce}\n    - {name: A b, kind: ce}": "F:5: train.heads.1.name: 'A b' "
    "is not allowed; it must match ",
    "train:\n  heads:\n    - name: ce": "F:4: train.heads.0.kind: this field is needed",
    "train:\n  heads: ce": "F:3: train.heads: expected a list, got 'ce'",
    "train: {heads: []}": "F:2: train.heads: at least one head",
    "train: {flip: 5}": "F:2: train.flip: expected true or false, got 5",
    "train:\n  workers: 3": "F:3: train.workers: a batch of 200 does not divide over 3 workers",
    "train:\n  updates:\n  - {at_us: 5 s}\n  - {at_us: 5 s}": "F:5: train.updates.1.at_us: an update continues the one before: it comes",
    "train: {retrain: [{at_us: 5 s, head: {name: ce, kind: ce}}]}": "F:2: train.retrain.0.head.name: there is a head 'ce' already",
    "train: {retrain: [{at_us: 5 s, after_alarm_us: 0, head: {name: x, kind: ce}}]}": "F:2: train.retrain.0.at_us: say when: either at_us or after_alarm_us",
    "train: {retrain: [{at_us: 5 min, head: {name: x, kind: ce}}]}": "F:2: train.retrain.0.at_us: the run is over before this head could answer",
    "train: {retrain: [{after_alarm_us: 0, head: {name: x, kind: ce}}]}": "F:2: train.retrain.0.after_alarm_us: there is no alarm: set serving.alarm",
    "train: {retrain: [{at_us: 5 s, head: {name: x, kind: kll}}]}": "F:2: train.retrain.0.head.kind: expected ce or kl or svm or own, got 'kll'; did you mean kl?",
    "train: {heads: [{name: s, kind: svm}], retrain: [{at_us: 5 s, head: {name: x, kind: ce}}]}": "F:2: train.retrain.0.head.kind: a head of kind ce goes on from one",
    "serving: {split: [{head: svm, share: 0.5}]}\ntrain: {updates: [{at_us: 5 s}], retrain: [{at_us: 5 s, head: {name: x, kind: ce}}]}": "F:2: serving.split: a retrained head reads some encoders",
    "camera: {codec: jpeg}\ntrain: {retrain: [{at_us: 5 s, head: {name: x, kind: ce}}]}": "F:3: train.retrain.0.at_us: heads are retrained on latents",
    "train: {retrain: [{head: {name: x, kind: ce}}]}": "F:2: train.retrain.0.head: say when",
    "serving: {resident: 1, standby: true}": "F:2: serving.standby: there is room beside a decoder in use where resident is 2 or more",
    "serving:\n  head: cee": "F:3: serving.head: no head 'cee' in train.heads; did you mean ce?",
    "serving:\n  switches:\n  - {at_us: 1 s, head: svn}": "F:4: serving.switches.0.head: no head 'svn' in "
    "train.heads; did you mean svm?",
    "codec:\n  ladder: [8, 4]": "F:3: codec.ladder: the ladder must rise strictly within 1 to 128",
    "codec:\n  neurons: 16\n  ladder: [8, 32]": "F:4: codec.ladder: the ladder must rise strictly within 1 to 16",
    "control: {controller: fixed, level: 12}": "F:2: control.level: there is no level 12; the ladder ends at 7",
    "data:\n  source: npz": "F:3: data.source: source 'npz' needs data.path",
    "data:\n  image_size: 33": "F:3: data.image_size: the wavelet needs an image size that is a multiple of 2",
    "fleet:\n  cameras: 5": "F:3: fleet.cameras: 10 cells cannot be filled by 5 cameras",
    "fleet:\n  cells: 50\n  cameras: 5": "F:3: fleet.cells: 50 cells cannot be filled by 5 cameras",
    "report:\n  cells: [10]": "F:3: report.cells: there is no cell 10; cells are 0 to 9",
}


@pytest.mark.parametrize("text", FIELDS)
def test_a_wrong_field_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    lines = refusal(tmp_path, f"name: x\n{text}\n")
    assert len(lines) == 1
    assert lines[0].startswith(FIELDS[text])


YAML = {
    b"": "F: is empty",
    b"# nothing\n": "F: is empty",
    b"- name\n": "F:1: expected fields and their values",
    b"seed: 1\n": "F: name: this field is needed",
    b"name: x\nlink:\n\tbudget_bps: 5\n": "F:3: not YAML: a tab where spaces should be",
    b"name: x\nseed: 1\nname: y\n": "F:3: name: written twice, first on line 1",
    b"name: x\nlink:\n  header_bytes: 1\n  header_bytes: 2\n": "F:4: link.header_bytes: written twice, first",
    b"name: x: y\n": "F:1: not YAML: ",
    b"name: 'x\n": "F:2: not YAML: ",
    b"name: x\n---\nname: y\n": "F:2: not YAML: ",
    b"name: \x01\n": "F: not YAML: ",
    b"name: \xff\xfe\n": "F: is not UTF-8 text",
    b"name: &a [*a]\n": "F:1: name.0: holds itself",
    b"? [a]\n: 3\n": "F:1: the name of a field must be a text",
    b"name: !!python/object:os.system x\n": "F:1: name: a scenario has no tags",
    b"name: !!int x\n": "F:1: name: 'x' is no int",
    b"name: " + b"[" * 5000: "F: not YAML: nested too deep",
}


@pytest.mark.parametrize("text", YAML)
def test_what_is_no_yaml_mapping_is_refused_with_its_line(tmp_path: Path, text: bytes) -> None:
    lines = refusal(tmp_path, text)
    assert len(lines) == 1
    assert lines[0].startswith(YAML[text])


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.yaml: no such file"):
        load_scenario(tmp_path / "absent.yaml")
    with pytest.raises(UserError, match="is a folder"):
        load_scenario(tmp_path)


OVERRIDES = {
    "link.budget_bps=20 parsecs": "--set link.budget_bps=20 parsecs: unknown unit 'parsecs'; expected a bit rate (",
    "link.budget_bsp=20": "--set link.budget_bsp=20: unknown field; did you mean budget_bps?",
    "link={budget_bsp: 3}": "--set link={budget_bsp: 3}: link.budget_bsp: unknown field; did you mean budget_bps?",
    "link.budget_bps.x=3": "--set link.budget_bps.x=3: link.budget_bps: expected a bit rate (",
    "seed.x=3": "--set seed.x=3: seed is a single value; it has no field 'x'",
    "train.heads.7.name=a": "--set train.heads.7.name=a: train.heads is a list of 1; its items are 0, 1, ...",
    "name=": "--set name=: expected a text, got nothing",
    "seed={a: ": "--set seed={a: : not YAML: ",
    "seed": "--set seed: expected field.path=value, such as",
    "=3": "--set =3: expected field.path=value, such as",
    "link..x=3": "--set link..x=3: expected field.path=value, such as",
    "fleet.cells=4000": "--set fleet.cells=4000: 4000 cells cannot be filled by 1000 cameras",
    "link.loss.p=0.1": "--set link.loss.p=0.1: link.loss.kind: this field is needed: none or bernoulli or gilbert_elliott",
    "link.loss={kind: none, p: 1}": "--set link.loss={kind: none, p: 1}: link.loss.p: no field of kind none, but of bernoulli and gilbert_elliott",
    "sweep.link.budget_bsp=[1]": "--set sweep.link.budget_bsp=[1]: unknown field; did you mean link.budget_bps?",
    "sweep.link.budget_bps=[1000, 1]": "--set sweep.link.budget_bps=[1000, 1]: must be at least 100 bit/s, got 1",
}


@pytest.mark.parametrize("text", OVERRIDES)
def test_a_wrong_override_is_named(tmp_path: Path, text: str) -> None:
    lines = refusal(tmp_path, "name: x\nseed: 1\ntrain: {heads: [{name: ce, kind: ce}]}\n", text)
    assert len(lines) == 1
    assert lines[0].startswith(OVERRIDES[text])


SWEEPS = {
    "link.budget_bsp: [1]": ["F:3: sweep.link.budget_bsp: unknown field; did you mean link.budget_bps?"],
    "train.workers: [1]": [
        "F:3: sweep.train.workers: cannot be swept; single values of duration_us, camera, fleet,"
    ],
    "serving.switches: [[]]": ["F:3: sweep.serving.switches: cannot be swept; single values of"],
    "link: [{}]": ["F:3: sweep.link: unknown field"],
    "sweep.seeds: 5": ["F:3: sweep.sweep.seeds: it stands in sweep already; write seeds"],
    "link.budget_bps: []": ["F:3: sweep.link.budget_bps: no values; give at least one"],
    "link.budget_bps: 20000": ["F:3: sweep.link.budget_bps: expected a list of values"],
    "link: {budget_bps: [1]}": ["F:3: sweep.link: expected a list of values at a whole field path"],
    "link.budget_bps:\n  - 20 kbit/s\n  - 5 ms\n  - 1": [
        "F:5: sweep.link.budget_bps: 'ms' is a unit of time; expected a bit rate",
        "F:6: sweep.link.budget_bps: must be at least 100 bit/s, got 1",
    ],
    "fleet.cameras: [100, 5]\n  link.budget_bps: [1000, 2000]": [
        "F:3: sweep.fleet.cameras: 10 cells cannot be filled by 5 cameras"
    ],
    "link.budget_bps: [20 kbit/s, 20000]": ["F:2: sweep: the point link.budget_bps = 20000 is there twice"],
    f"fleet.cameras: {list(range(100, 300))}\n  link.budget_bps: {list(range(1000, 1200))}": [
        "F:2: sweep: 40000 points; at most 10000"
    ],
}


@pytest.mark.parametrize("text", SWEEPS)
def test_a_wrong_sweep_is_refused_before_anything_runs(tmp_path: Path, text: str) -> None:
    lines = refusal(tmp_path, f"name: x\nsweep:\n  {text}\n")
    assert len(lines) == len(SWEEPS[text])
    for line, start in zip(lines, SWEEPS[text], strict=True):
        assert line.startswith(start)


def test_all_wrong_fields_are_listed_in_the_order_written(tmp_path: Path) -> None:
    text = "name: x\nserving: {head: 3}\nseed: -1\nlink:\n  budgt_bps: 1\n"
    lines = refusal(tmp_path, text, "mode=bnk")
    assert [line.split(": ")[1] for line in lines[1:]] == ["serving.head", "seed", "link.budgt_bps"]
    assert lines[0].startswith("--set mode=bnk: expected bank or live")


def test_a_flood_of_errors_is_bounded(tmp_path: Path) -> None:
    lines = refusal(tmp_path, "name: x\n" + "".join(f"zz{i}: 1\n" for i in range(30)))
    assert len(lines) == 13
    assert lines[-1] == "... and 18 more"
