"""A line about each encoder's way to the fleet."""

from fleet_sim.report.travels import TravelRow, travel_words

ROW = TravelRow(
    sent="delta",
    downlink_bits=800,
    downlink_share=0.5,
    blocks=1,
    blocks_lost=0,
    taken_up=9,
    at_end=8,
    installs_failed=1,
    first_s=1.0,
    half_s=2.0,
    last_s=3.0,
    joules_a_camera=None,
)
IDS = ["a" * 64, "b" * 64, "c" * 64]


def test_it_says_what_cameras_get_that_have_others_than_the_one_before() -> None:
    assert travel_words(IDS[:2], [5000], ROW, 10).startswith(
        "encoder bbbbbbbb: 5,000 bytes a camera; 9 of 10"
    )
    assert travel_words(IDS, [5000, 3000], ROW, 10).startswith(
        "encoder cccccccc: 3,000 bytes a camera, 5,000 to one that still has aaaaaaaa; 9 of 10"
    )
    assert ", 5,000" not in travel_words(IDS, [5000, 5000], ROW, 10)


def test_it_says_what_it_takes_to_receive_where_that_is_known() -> None:
    row: TravelRow = {**ROW, "joules_a_camera": 0.20272}
    assert "bytes a camera, 0.203 J to receive;" in travel_words(IDS[:2], [5000], row, 10)
