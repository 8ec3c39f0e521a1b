"""What servers count, window by window, for the alarm."""

WATCHED = ("frames", "right", "excess_centibits", "excess_squared", "escaped")
FRAMES, RIGHT, EXCESS_CENTIBITS, EXCESS_SQUARED, ESCAPED = range(len(WATCHED))
