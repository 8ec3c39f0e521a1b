"""Charts: every point where its values say, and words that cannot break the file."""

from xml.etree import ElementTree

import pytest

from trainers.reproduce.chart import Chart, Series, svg

SPACE = "{http://www.w3.org/2000/svg}"


def circles(page):
    return [
        (float(c.get("cx")), float(c.get("cy"))) for c in ElementTree.fromstring(page).iter(f"{SPACE}circle")
    ]


def test_more_is_higher_and_a_doubling_is_one_step_on_a_logarithmic_axis():
    chart = Chart("t", "x", "y", [Series("one", [8, 16, 32], [10, 20, 30])], logarithmic=True)
    (x0, y0), (x1, y1), (x2, y2) = circles(svg([chart]))
    assert y0 > y1 > y2
    assert y0 - y1 == pytest.approx(y1 - y2, abs=0.2)
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)


def test_spread_reaches_as_far_up_as_down():
    chart = Chart("t", "x", "y", [Series("one", [0, 1], [10, 10], spread=[0, 5])])
    page = svg([chart])
    (_, y0), (x1, y1) = circles(page)
    assert y0 == y1
    paths = [p.get("d") for p in ElementTree.fromstring(page).iter(f"{SPACE}path")]
    (bar,) = [
        d
        for d in paths
        if d.startswith(f"M{x1:.1f} ") and d != f"M{x1:.1f} {y1:.1f}L{x1:.1f} {y1:.1f}" and "332" not in d
    ]
    low, high = (float(end.split(" ")[1]) for end in bar[1:].split("L"))
    assert low - y1 == pytest.approx(y1 - high, abs=0.2)
    assert low > high


def test_charts_are_stacked_and_words_are_escaped():
    chart = Chart("a < b & c", "x", "y", [Series("<one>", [0, 1], [1, 2])], categories=["p", "q"])
    root = ElementTree.fromstring(svg([chart, chart]))
    words = [text.text for text in root.iter(f"{SPACE}text")]
    assert words.count("a < b & c") == 2
    assert {"<one>", "p", "q"} <= set(words)
    assert root.get("height") == "760"


def test_equal_values_are_drawn_too():
    assert len(circles(svg([Chart("t", "x", "y", [Series("flat", [1, 2], [5, 5])])]))) == 2
