"""What a camera knows when it picks a level, and what it may keep in mind: the two records of a controller.

Nothing here is of the future or of another camera. Times are microseconds, sizes are bits with all headers.
"""

import numpy as np

LEVELS = 16  # the longest ladder; entries behind `levels` are 0
SKIP = -1  # in place of a level: this frame is not sent
RAISED = -(2**62)  # in place of a level: a controller of one's own went wrong
NOTES = 8

OBSERVATION = np.dtype(
    [
        ("now_us", "i8"),
        ("left_us", "i8"),  # until when, from now, the last bit must be through to meet the deadline
        ("frame_period_us", "i8"),
        (
            "plan_bits",
            "i8",
        ),  # its share of the cell's budget in a frame period, as it was told, with headroom
        ("alone_bits", "i8"),  # what its link carries in a frame period with no other camera, with headroom
        ("packet_bits", "i8"),  # the largest packet
        ("rest", "f8"),  # a duty cycle: how often the time of a packet it rests after it
        ("rest_us", "i8"),  # how long it still rests
        ("headroom", "f8"),  # share of what was measured that controllers plan with
        ("levels", "i8"),
        ("expected_bits", "i8", (LEVELS,)),  # by level: mean over the training set
        ("expected_right", "f8", (LEVELS,)),  # by level: share of right answers in the calibration
        ("frame_bits", "i8", (LEVELS,)),  # by level: what this very frame takes
        ("frame_right", "f8", (LEVELS,)),  # by level: how likely this frame is answered right, estimated
        ("waiting_bits", "i8"),  # in its own queue, less what is on the air
        ("waiting_frames", "i8"),
        ("air_bits", "i8"),  # of its own packet on the air; 0 without one
        ("busy_us", "i8"),  # since its last packet ended or it had something to send again; 0 with nothing
        ("sent_bits", "i8"),  # of its packets that ended since its last choice ...
        ("sent_us", "i8"),  # ... and the time these took, waits for other cameras included
    ],
    align=True,
)
MIND = np.dtype(
    [
        ("sent_bits", "i8"),  # as above: the engine counts these
        ("sent_us", "i8"),
        ("since_us", "i8"),  # since when the camera has been at what is now the head of its queue
        ("notes", "f8", (NOTES,)),  # the controller's own, 0 at first
    ],
    align=True,
)
