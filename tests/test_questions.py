"""The commands of the question pages ask what fleet-sim can answer. They take too long to be run here."""

import shlex

import pytest
from documented import ROOT, blocks

from fleet_sim.scenario import load_scenario, points
from fleet_sim.sizing.size import SOUGHT
from fleet_sim.sizing.target import read_target

COMMANDS = [
    (page.stem, shlex.split(block.text.replace("\\\n", " ")))
    for page in sorted((ROOT / "docs" / "questions").glob("*.md"))
    for block in blocks(page)
    if block.language == "sh"
]


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=[page for page, _ in COMMANDS])
def test_a_command_is_a_valid_one(page: str, words: list[str]) -> None:
    name, command, scenario, *rest = words
    options = list(zip(rest[::2], rest[1::2], strict=True))
    assert name == "fleet-sim"
    assert {option for option, _ in options} <= {"--set", "--find", "--target"}
    chosen = load_scenario(ROOT / scenario, [value for option, value in options if option == "--set"])
    asked = dict(options)
    if command == "size":
        assert asked["--find"] in SOUGHT
        assert read_target(asked["--target"]).figure in asked["--target"]
    else:
        assert command == "run"
        assert len(points(chosen)) > 1
