"""The delta rate, against closed forms and against published curves."""

import pytest

from trainers.reproduce.bd_rate import bd_rate

BITS = (20.0, 45.0, 80.0, 200.0)
ACCURACY = (0.61, 0.74, 0.79, 0.83)


def test_a_curve_of_a_quarter_of_the_bits_saves_75_per_cent():
    curve = list(zip(BITS, ACCURACY, strict=True))
    quarter = [(bits / 4, accuracy) for bits, accuracy in curve]
    assert bd_rate(curve, curve) == pytest.approx(0)
    assert bd_rate(curve, quarter) == pytest.approx(-75)
    assert bd_rate(quarter, curve) == pytest.approx(300)


def test_straight_lines_in_log_bits_have_a_closed_form():
    # log bits 2a + 1 against 3a over accuracies 0 to 1: the mean difference is 1 - 1/2.
    accuracies = (0.0, 0.2, 0.5, 1.0)
    one = [(2.718281828459045 ** (2 * a + 1), a) for a in accuracies]
    other = [(2.718281828459045 ** (3 * a), a) for a in accuracies]
    assert bd_rate(other, one) == pytest.approx(100 * (2.718281828459045**0.5 - 1))


@pytest.mark.parametrize(
    ("anchor", "test", "expected"),
    [
        # Curves of the example of the package bjontegaard 1.3.0, which agrees with JCTVC-L1100's spreadsheet;
        # values by its method 'pchip'.
        (
            [(9487.76, 40.037), (4593.60, 38.615), (2486.44, 36.845), (1358.24, 34.851)],
            [(9787.80, 40.121), (4469.00, 38.651), (2451.52, 36.970), (1356.24, 34.987)],
            -4.417485350589045,
        ),
        # The curves with which most implementations are tested.
        (
            [(686.76, 40.28), (309.58, 37.18), (157.11, 34.24), (85.95, 31.42)],
            [(893.34, 40.39), (407.8, 37.21), (204.93, 34.17), (112.75, 31.24)],
            31.379878202397627,
        ),
    ],
)
def test_published_curves(anchor, test, expected):
    assert bd_rate(anchor, test) == pytest.approx(expected, abs=1e-6)


def test_points_that_cost_more_for_nothing_do_not_count():
    curve = list(zip(BITS, ACCURACY, strict=True))
    wasteful = [*curve, (60.0, 0.74), (90.0, 0.5), (300.0, 0.83), (20.0, 0.3)]
    assert bd_rate(curve, wasteful) == pytest.approx(0)


def test_curves_that_share_no_accuracy_have_no_difference():
    assert bd_rate([(10.0, 0.1), (20.0, 0.2)], [(10.0, 0.3), (20.0, 0.4)]) is None
