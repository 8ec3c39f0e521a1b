"""An alarm without labels: has what cameras see changed, by the bits it takes?

The tables of a version say how many bits its frames take on what it was trained on. What a window of frames
takes beyond that is compared with all windows before it: its mean excess by a normal score, its escaped
messages by the hypergeometric law of their number. As each window is compared with those before it, the
scores of a group that does not change are independent and standard normal (a self-starting chart: Hawkins,
The Statistician 36, 1987). They are added up in CUSUM charts (Page, Biometrika 41, 1954), one each for more
bits, fewer bits and more escapes; a chart's limit follows from the windows between false alarms.
"""

from math import exp

import numpy as np
from scipy.optimize import brentq
from scipy.stats import hypergeom, norm

from fleet_sim.serving.alarm_spec import BitsAlarmSpec
from fleet_sim.serving.watched import ESCAPED, EXCESS_CENTIBITS, EXCESS_SQUARED, FRAMES

CHARTS = ("more_bits", "fewer_bits", "escapes")
SLACK = 0.5  # finds a shift of one standard deviation of a window's mean soonest
_FARTHEST = 8.0  # no score counts for more, however unlikely


def limit(windows: float) -> float:
    """The limit at which a one-sided CUSUM of standard normal scores alarms once in so many windows.

    Siegmund's approximation (Sequential Analysis, 1985) with slack `SLACK`.
    """

    def run_length(height: float) -> float:
        x = 2 * SLACK * (height + 1.166)
        return (exp(x) - 1 - x) / (2 * SLACK**2)

    return float(brentq(lambda height: run_length(height) - windows, 0, 100))


def first_alarms(watched_WQ: np.ndarray, spec: BitsAlarmSpec) -> dict[str, int | None]:
    """The first window at which each of the `CHARTS` of a group alarms; None where it never does.

    watched_WQ: (W, Q) int64, what was counted of the group, by window and `watched.WATCHED`. A window without
    frames says nothing.
    """
    height = limit(len(CHARTS) * spec.false_alarm_windows)
    alarms: dict[str, int | None] = dict.fromkeys(CHARTS)
    sums = dict.fromkeys(CHARTS, 0.0)
    for window, scores in enumerate(_scores(watched_WQ, spec.learn_windows)):
        for chart, score in zip(CHARTS, scores, strict=True):
            sums[chart] = max(0.0, sums[chart] + score - SLACK)
            if sums[chart] > height and alarms[chart] is None:
                alarms[chart] = window
    return alarms


def _scores(watched_WQ: np.ndarray, learn_windows: int) -> np.ndarray:
    """Normal scores (W, 3) of more bits, fewer bits and escapes; 0 while there is nothing to compare."""
    before_WQ = np.cumsum(watched_WQ, axis=0) - watched_WQ
    learned_W: np.ndarray = np.cumsum(watched_WQ[:, FRAMES] > 0) - (watched_WQ[:, FRAMES] > 0)
    judged_W = (learned_W >= learn_windows) & (watched_WQ[:, FRAMES] > 0)
    scores_W3 = np.zeros((len(watched_WQ), len(CHARTS)))
    if judged_W.any():
        now_wQ, before_wQ = watched_WQ[judged_W], before_WQ[judged_W]
        excess_w = _excess_scores(now_wQ, before_wQ)
        scores_W3[judged_W] = np.stack([excess_w, -excess_w, _escape_scores(now_wQ, before_wQ)], axis=1)
    return np.clip(scores_W3, -_FARTHEST, _FARTHEST)


def _excess_scores(now_wQ: np.ndarray, before_wQ: np.ndarray) -> np.ndarray:
    frames_w, frames_before_w = now_wQ[:, FRAMES], before_wQ[:, FRAMES]
    mean_w = before_wQ[:, EXCESS_CENTIBITS] / frames_before_w
    variance_w = before_wQ[:, EXCESS_SQUARED] / frames_before_w - mean_w**2
    spread_w = np.sqrt(variance_w.clip(0) * (1 / frames_w + 1 / frames_before_w))
    change_w = now_wQ[:, EXCESS_CENTIBITS] / frames_w - mean_w
    # Where frames took the same bits until now, any change is as far as can be.
    scores_w: np.ndarray = np.where(
        spread_w > 0, change_w / np.maximum(spread_w, 1e-300), np.sign(change_w) * _FARTHEST
    )
    return scores_w


def _escape_scores(now_wQ: np.ndarray, before_wQ: np.ndarray) -> np.ndarray:
    """The normal score of the middle of a number's step in its distribution, given all escapes so far."""
    frames_w, escaped_w = now_wQ[:, FRAMES], now_wQ[:, ESCAPED]
    law = (frames_w + before_wQ[:, FRAMES], escaped_w + before_wQ[:, ESCAPED], frames_w)
    above_w = hypergeom.sf(escaped_w, *law) + hypergeom.pmf(escaped_w, *law) / 2
    scores_w: np.ndarray = norm.isf(above_w)
    return scores_w
