from typing import Any

from fleet_sim.report.codecs import codecs_section, verdict


def row(codec: str, on_time: float | None, joules: float) -> Any:
    energy = {"joules_a_right_frame": joules}
    return {"sweep": {"camera.codec": codec}, "accuracy_on_time": on_time, "bpp_wire": 1.0, "energy": energy}


def test_the_cheapest_of_those_that_see_alike_is_named() -> None:
    rows = [row("latent", 0.76, 0.03), row("label", 0.765, 0.02), row("jpeg", 0.5, 0.001)]
    assert (
        verdict("", rows)
        == "label wins (76.5 % right on time, 20.00 mJ for each; within a point of it: latent)."
    )


def test_a_picture_that_sees_more_wins_though_it_costs_more() -> None:
    rows = [row("latent", 0.70, 0.01), row("label", 0.70, 0.01), row("jpeg", 0.75, 0.5), row("raw", 0.0, 1.0)]
    assert verdict("here", rows).startswith("here: jpeg does best (75.0 %")


def test_nothing_is_said_where_nothing_was_seen_or_no_codec_swept() -> None:
    assert verdict("", [row("raw", 0.0, 1.0), row("jpeg", None, 1.0)]) == ""
    assert codecs_section({"points": []}) is None  # type: ignore[typeddict-item]
