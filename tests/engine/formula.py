"""A fleet whose bank is a formula: no weights, so its counts and digest are the same on every machine."""

import numpy as np
from engine.fleets import Case, link, periodic


def formula_case() -> Case:
    """Forty cameras on seven crowded cells, a second version on the way, a head switched, two servers."""
    version, scene, level = np.ogrid[:2, :11, :4]
    payload_bytes = (5 + 9 * level + (7 * scene + 3 * version + scene * level) % 6).astype(np.int32)
    head = np.arange(2).reshape(1, 2, 1, 1)
    right = (scene.reshape(1, 1, 1, 11) + 2 * head + version[:, None]) % 11 < 4 + 2 * level.reshape(
        1, 1, 4, 1
    )
    return Case(
        fleet=periodic(
            seed=1,
            cameras=40,
            cells=7,
            duration_us=8_500_000,
            frame_period_us=333_333,
            encode_us=12_345,
            message_header_bytes=6,
            deadline_us=490_000,
            fixed_level=-1,
            headroom_ppm=1_000_000,
            scenes=11,
            link=link(5003, propagation_us=20_001, header_bytes=8, buffer_bytes=60),
        ),
        payload_bytes=payload_bytes,
        millibits=(8000 * payload_bytes - 4000 - 10 * scene).astype(np.int32),
        # The controller hopes for smaller frames than come, so that queues build up and levels move.
        expected_bits=8 * (payload_bytes.mean(axis=1).astype(np.int64) + 14) * 3 // 4,
        version_from_us=(0, 4_000_000),
        right=right,
        head_from_us=(0, 6_000_000),
        heads=(0, 1),
        batching=(4, 5_000, 30_000, 4_000),
        servers=2,
        named=(3, 0),
    )
