"""Controllers: what each does where its answer is known on paper, and what is refused of one's own."""

import re
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.basics.errors import UserError
from fleet_sim.control.controller import BUILT_IN, guide_of
from fleet_sim.control.names import OBSERVING, check_name, own
from fleet_sim.control.observation import LEVELS, MIND, OBSERVATION, RAISED, SKIP

DOCS = Path(__file__).parents[2] / "docs" / "control.md"
BITS = [100, 200, 300, 400]


def seen(**fields: Any) -> np.record:
    """A camera with an idle link of 400 bit/s, a frame a second and four levels."""
    o = np.zeros(1, OBSERVATION).view(np.recarray)[0]
    usual = {
        "left_us": 900_000,
        "frame_period_us": 1_000_000,
        "plan_bits": 400,
        "alone_bits": fields.get("plan_bits", 400),
        "packet_bits": 12_000,
        "headroom": 1.0,
        "levels": len(BITS),
        "expected_bits": BITS,
        "frame_bits": BITS,
        "expected_right": [0.4, 0.6, 0.7, 0.75],
        "frame_right": [0.4, 0.6, 0.7, 0.75],
    }
    for name, value in {**usual, **fields}.items():
        o[name] = value + [0] * (LEVELS - len(value)) if isinstance(value, list) else value
    return o


def mind() -> np.record:
    return np.zeros(1, MIND).view(np.recarray)[0]


def measured(bits: int, us: int) -> dict[str, int]:
    return {"sent_bits": bits, "sent_us": us}


def test_throughput_follows_what_was_measured() -> None:
    memory = mind()
    choose = BUILT_IN["throughput"]
    assert choose(seen(), memory) == 3  # nothing measured: the share that it was told
    levels = [choose(seen(**measured(200, 1_000_000)), memory) for _ in range(2)]
    assert levels == [2, 1]  # from 400 bit/s to 300 and 250
    assert choose(seen(waiting_bits=100, busy_us=1), memory) == 0
    assert [choose(seen(), memory) for _ in range(9)][-1] == 2  # back to nearly 400 while it knows nothing
    # A packet that should have taken a quarter of a second has taken two: the link is slow now.
    assert choose(seen(**measured(40_000, 10_000_000)), mind()) == 3
    assert choose(seen(air_bits=100, busy_us=2_000_000), memory) == 0


def test_aimd_climbs_by_steps_and_halves() -> None:
    memory, choose = mind(), BUILT_IN["aimd"]
    levels = [choose(seen(), memory) for _ in range(30)]
    assert levels == sorted(levels)
    assert levels[-1] == 3
    assert choose(seen(waiting_frames=1), memory) == 1  # from 400 bits to 200
    assert choose(seen(waiting_frames=1), memory) == 0


def test_buffer_is_bold_with_time_in_hand_and_modest_without() -> None:
    levels = [
        BUILT_IN["buffer"](seen(left_us=9_000_000, waiting_frames=frames), mind()) for frames in range(10)
    ]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] == 3
    assert levels[-1] == 0


def test_drop_sends_the_top_or_nothing() -> None:
    choose = BUILT_IN["drop"]
    assert choose(seen(left_us=1_000_000), mind()) == 3
    assert choose(seen(left_us=999_999), mind()) == SKIP
    assert choose(seen(left_us=1_500_000, waiting_bits=200), mind()) == 3
    assert choose(seen(left_us=1_500_000, waiting_bits=201), mind()) == SKIP


def test_frame_bits_takes_the_frame_as_it_is() -> None:
    choose = BUILT_IN["frame_bits"]
    assert choose(seen(frame_bits=[50, 100, 150, 200]), mind()) == 3
    assert choose(seen(frame_bits=[200, 400, 600, 800]), mind()) == 0  # 0.9 s at 400 bit/s
    assert choose(seen(frame_bits=[200, 360, 600, 800]), mind()) == 1


def test_predictive_takes_what_five_frames_can_keep_up() -> None:
    choose = BUILT_IN["predictive"]
    # With time to spare it may run up a backlog, for this is the end of its world; never what comes late.
    assert choose(seen(left_us=900_000, plan_bits=100), mind()) == SKIP
    assert choose(seen(left_us=1_100_000, plan_bits=100), mind()) == 0
    assert choose(seen(left_us=900_000, plan_bits=1000), mind()) == 3
    # A frame that gains nothing by more bits gets none, where those would be missed.
    plain = {"plan_bits": 200, "left_us": 2_500_000, "waiting_bits": 250}
    assert choose(seen(frame_right=[0.7, 0.7, 0.7, 0.7], **plain), mind()) == 0


@pytest.mark.parametrize("controller", ["predictive", "throughput", "frame_bits"])
def test_headroom_is_taken_once_of_what_was_told_as_of_what_was_measured(controller: str) -> None:
    # 800 bits a second, of which half may be planned with; told bits have that in them.
    told = {"headroom": 0.5, "plan_bits": 400, "alone_bits": 400, "left_us": 1_000_000}
    choose = BUILT_IN[controller]
    assert choose(seen(**told), mind()) == 3
    assert choose(seen(**told, **measured(800, 1_000_000)), mind()) == 3
    assert choose(seen(**told | {"plan_bits": 399, "alone_bits": 399}), mind()) == 2


@pytest.mark.parametrize("controller", ["predictive", "value", "drop"])
def test_a_small_share_of_a_fast_link_is_no_reason_to_skip(controller: str) -> None:
    # One level of 24 kbit; twenty cameras share 20 kbit/s, so a share carries it in 24 s, the link in 1.2 s.
    picture = {"levels": 1, "expected_bits": [24_000], "frame_bits": [24_000]}
    minute = {"frame_period_us": 60_000_000, "left_us": 9_000_000, "plan_bits": 60_000}
    assert BUILT_IN[controller](seen(**picture, **minute, alone_bits=1_200_000), mind()) == 0
    assert BUILT_IN[controller](seen(**picture, **minute, alone_bits=120_000), mind()) == SKIP


@pytest.mark.parametrize("controller", ["predictive", "value"])
def test_under_a_duty_cycle_only_what_needs_no_rest_comes_in_time(controller: str) -> None:
    # At 5 kbit/s and a duty cycle of 1 %, a packet of 1,600 bits takes 0.32 s and then 32 s of rest.
    sizes = {"expected_bits": [400, 1200, 1600, 3200], "frame_bits": [400, 1200, 1600, 3200]}
    minute = {"frame_period_us": 60_000_000, "left_us": 9_000_000, "alone_bits": 300_000}
    cycle = {"packet_bits": 1600, "rest": 99.0, **minute, **sizes}
    choose = BUILT_IN[controller]
    assert choose(seen(**cycle, plan_bits=3000), mind()) == 2
    # What it measured has rests in it and says nothing of the next packet; what it still rests does.
    assert choose(seen(**cycle, plan_bits=3000, **measured(1600, 32_000_000)), mind()) == 2
    assert choose(seen(**cycle, plan_bits=3000, rest_us=9_000_000), mind()) == SKIP


def test_value_sends_what_is_worth_its_time() -> None:
    choose = BUILT_IN["value"]
    busy = {"plan_bits": 400, "left_us": 2_000_000, "waiting_bits": 300}
    assert choose(seen(plan_bits=400_000), mind()) == 3
    # A frame that is sure at its first rung stops there; one that stays unsure is left out on a busy link.
    assert choose(seen(frame_right=[0.95, 0.96, 0.97, 0.97], **busy), mind()) == 0
    assert choose(seen(frame_right=[0.2, 0.3, 0.35, 0.4], **busy), mind()) == SKIP
    assert choose(seen(plan_bits=1), mind()) == SKIP


@given(
    controller=st.sampled_from(sorted(BUILT_IN)),
    bits=st.lists(st.integers(1, 5000), min_size=1, max_size=LEVELS).map(sorted),
    left_us=st.integers(-1_000_000, 10_000_000),
    waiting=st.tuples(st.integers(0, 50_000), st.integers(0, 100)),
    air=st.tuples(st.integers(0, 5000), st.integers(0, 10**7)),
    history=st.tuples(st.integers(0, 50_000), st.integers(0, 10**7)),
    plan_bits=st.integers(0, 10_000),
)
def test_every_answer_is_a_level_or_a_skip(
    controller: str,
    bits: list[int],
    left_us: int,
    waiting: tuple[int, int],
    air: tuple[int, int],
    history: tuple[int, int],
    plan_bits: int,
) -> None:
    o = seen(
        levels=len(bits),
        expected_bits=bits,
        frame_bits=bits,
        expected_right=[k / 20 for k in range(len(bits))],
        frame_right=[k / 20 for k in range(len(bits))],
        left_us=left_us,
        waiting_bits=waiting[0],
        waiting_frames=waiting[1],
        air_bits=air[0],
        busy_us=air[1],
        sent_bits=history[0],
        sent_us=history[1],
        plan_bits=plan_bits,
    )
    memory = mind()
    assert SKIP <= BUILT_IN[controller](o, memory) < len(bits)
    assert np.isfinite(memory.notes).all()


def test_the_example_of_the_documentation_compiles(tmp_path: Path) -> None:
    code = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert len(code) == 1
    assert len(code[0].splitlines()) <= 22
    path = tmp_path / "my.py"
    path.write_text(code[0])
    source = own(f"{path}:choose")
    assert source is not None
    assert guide_of(f"{path}:choose", source).choose.native_name


def test_the_documentation_names_every_field_and_controller() -> None:
    text = DOCS.read_text()
    assert tuple(BUILT_IN) == OBSERVING
    for name in [*BUILT_IN, *(OBSERVATION.names or ())]:
        assert f"`{name}" in text, name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def choose(o, mind):\n    return o.future_us\n", r"my.py:2: .*future_us"),
        ("def chose(o, mind):\n    return 0\n", r"my.py: there is no function choose; did you mean chose"),
        ("def choose(o, mind)\n    return 0\n", r"my.py:1: expected ':'"),
        ("import nowhere_at_all\n", r"my.py:1: No module named"),
        ("import sys\nsys.exit()\n", r"my.py:2: the file must not exit"),
        ("class choose:\n    pass\n", r"my.py:\d: choose cannot be compiled"),
        ("def choose(o):\n    return 0\n", r"my.py:1: choose cannot be compiled"),
        ("def choose(o, mind):\n    return frame\n", r"my.py:\d: choose cannot be compiled: .*frame"),
    ],
)
def test_what_cannot_be_compiled_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "my.py"
    path.write_text(text)
    with pytest.raises(UserError, match=says) as refused:
        guide_of(f"{path}:choose", own(f"{path}:choose"))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("gives", "said"),
    [
        ("1.5", "a float"),
        ("o.plan_bits / 100", "a float"),
        ("o.plan_bits > 3", "a bool"),
        ("None", "nothing"),
        ("'high'", "a text"),
        ("1 if o.now_us else None", "int64 or nothing"),
    ],
)
def test_a_level_is_a_whole_number(tmp_path: Path, gives: str, said: str) -> None:
    path = tmp_path / "my.py"
    path.write_text(f"# mine\ndef choose(o, mind):\n    return {gives}\n")
    with pytest.raises(UserError, match=rf"my\.py:2: choose returns {said}; a level is a whole number"):
        guide_of(f"{path}:choose", own(f"{path}:choose"))


def test_names_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="did you mean throughput"):
        check_name("throughputt")
    with pytest.raises(UserError, match=r"nowhere\.py: cannot be read"):
        own("nowhere.py:choose")


@pytest.mark.parametrize(
    "body",
    [
        "mind.notes[100000000] = 1.0\n    return 1",
        "return o.frame_bits[50]",
        'if o.now_us == 0:\n        raise ValueError("no")\n    return 1',
    ],
)
def test_what_goes_wrong_in_ones_own_is_told_and_harms_nothing(tmp_path: Path, body: str) -> None:
    file = tmp_path / "my.py"
    file.write_text(f"def choose(o, mind):\n    {body}\n")
    source = own(f"{file}:choose")
    assert source is not None
    compiled = guide_of(f"{file}:choose", source).choose
    assert called(compiled) == RAISED


def called(choose: Any) -> int:
    """What a compiled controller gives, called as the step calls it."""

    @numba.njit
    def once(function: Any, o: Any, mind: Any) -> Any:
        return function(o[0], mind[0])

    return int(once(choose, np.zeros(1, OBSERVATION), np.zeros(1, MIND)))


@pytest.mark.parametrize(
    "text", ["import random", "from numpy import random", "import numpy as np\nx = np.random"]
)
def test_random_draws_are_refused_with_their_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "my.py"
    file.write_text(f"{text}\ndef choose(o, mind):\n    return 1\n")
    line = text.count("\n") + 1
    with pytest.raises(UserError, match=rf"my\.py:{line}: random draws"):
        guide_of(f"{file}:choose", own(f"{file}:choose"))
