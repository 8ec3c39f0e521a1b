"""The five bytes before each payload, many at once: contract, level and sequence, and the check over all.

The contract id has 24 bits. The upper 8 stand in the first byte; the lower 16 are where the check starts, so
every message vouches for all 24. Shapes: M messages, B bytes in all.
"""

import numpy as np

from fleet_sim.basics.compiled import compiled

HEADER_BYTES = 5
SEQUENCES = 1 << 12  # sequence numbers wrap here; the other 4 bits of the two bytes are the level
CONTRACT_BITS = 24

WHOLE, SHORT, DAMAGED, FOREIGN = range(4)

_POLYNOMIAL = 0x1021  # CRC-16 of ITU-T V.41


def _remainders() -> np.ndarray:
    """Remainder of each byte followed by 16 zero bits."""
    remainder_256 = np.arange(256, dtype=np.int64) << 8
    for _ in range(8):
        remainder_256 = (remainder_256 << 1) ^ np.where(remainder_256 & 0x8000, _POLYNOMIAL, 0)
    return remainder_256 & 0xFFFF


_REMAINDERS = _remainders()


@compiled()
def _check(check, bytes_b):
    """CRC-16 of `bytes_b`, not reflected, going on from `check`."""
    for byte in bytes_b:
        check = ((check << 8) & 0xFFFF) ^ _REMAINDERS[(check >> 8) ^ byte]
    return check


@compiled()
def wrap(bytes_B, start_M, contract_id, level, sequence_M):
    """Messages around these payloads, all of one level: (bytes_B, start_M) of a `Ragged`."""
    messages = len(start_M) - 1
    whole_B = np.empty(len(bytes_B) + HEADER_BYTES * messages, np.uint8)
    whole_start_M = start_M + HEADER_BYTES * np.arange(messages + 1)
    for m in range(messages):
        message_b = whole_B[whole_start_M[m] : whole_start_M[m + 1]]
        packed = level * SEQUENCES + sequence_M[m] % SEQUENCES
        message_b[0], message_b[1], message_b[2] = contract_id >> 16, packed >> 8, packed & 0xFF
        message_b[HEADER_BYTES:] = bytes_B[start_M[m] : start_M[m + 1]]
        check = _check(_check(contract_id & 0xFFFF, message_b[:3]), message_b[HEADER_BYTES:])
        message_b[3], message_b[4] = check >> 8, check & 0xFF
    return whole_B, whole_start_M


@compiled()
def inspect(bytes_B, start_M, contract_id):
    """What each message says and whether to believe it: (level_M, sequence_M, verdict_M), all int64.

    FOREIGN is a first byte of another contract: there the check cannot be tried, since it starts from what
    only the sender knows.
    """
    messages = len(start_M) - 1
    level_M, sequence_M = np.zeros(messages, np.int64), np.zeros(messages, np.int64)
    verdict_M = np.empty(messages, np.int64)
    for m in range(messages):
        message_b = bytes_B[start_M[m] : start_M[m + 1]]
        if len(message_b) < HEADER_BYTES:
            verdict_M[m] = SHORT
        elif message_b[0] != contract_id >> 16:
            verdict_M[m] = FOREIGN
        else:
            check = _check(_check(contract_id & 0xFFFF, message_b[:3]), message_b[HEADER_BYTES:])
            verdict_M[m] = WHOLE if check == message_b[3] * 256 + message_b[4] else DAMAGED
            packed = message_b[1] * 256 + message_b[2]
            level_M[m], sequence_M[m] = packed // SEQUENCES, packed % SEQUENCES
    return level_M, sequence_M, verdict_M
