"""What a released version is worth at each level, as results keep it."""

from typing import TypedDict


class Rung(TypedDict):
    """One level of a version's ladder under one head, over all scenes, without a network in between."""

    encoder: str
    head: str
    level: int
    neurons: int
    bpp_ideal: float
    bpp_payload: float
    accuracy: float
