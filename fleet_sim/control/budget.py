"""The paper's rule: the bitrate budget decides how many neurons a frame keeps."""

from fleet_sim.basics.compiled import inlined


def plan_bits(budget_bps: int, cameras: int, frame_period_us: int, headroom_ppm: int) -> int:
    """Wire bits that each of `cameras` equal sharers of a cell may plan with between two of its frames."""
    return budget_bps * frame_period_us * headroom_ppm // (cameras * 10**12)


@inlined()
def budget_level(expected_bits_L, plan, backlog_bits):
    """Highest level whose expected wire bits fit in `plan` beside the backlog; level 0 if none does.

    expected_bits_L: (L,) int64 rising, mean wire bits of a frame at each level on the training set.
    backlog_bits: what the camera's own queue holds. All it knows is its own and was decided before.
    """
    level = 0
    for k in range(1, expected_bits_L.shape[0]):
        if expected_bits_L[k] > plan - backlog_bits:
            break
        level = k
    return level
