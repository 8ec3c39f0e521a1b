"""What a fleet owner would try first: the picture as JPEG, WebP or JPEG 2000, classified on the server.

What every file of one setting has in common is known on both sides and not sent: JPEG's tables and JFIF
header, WebP's container, JPEG 2000's main header. At few bytes the picture is also made smaller first, and
brought back to size on the server.
"""

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image

_JPEG_KNOWN = {0xDB, 0xC4, 0xE0}  # quantisation tables, Huffman tables, JFIF header
_WEBP_CONTAINER_BYTES = 20  # RIFF, size, WEBP, VP8, size
_TILE_PART = b"\xff\x90"  # before it lies the main header, the same for every picture


@dataclass(frozen=True)
class Setting:
    """One way to send a picture. `quality` is the codec's own; for JPEG 2000 a PSNR in dB."""

    codec: str
    quality: int
    side: int
    """Pixels a side of what is coded."""


QUALITIES = {"jpeg": (5, 20, 50), "webp": (0, 20, 50), "jpeg2000": (18, 22, 26)}
SETTINGS = (
    Setting("webp", 0, 8),
    *(
        Setting(codec, quality, side)
        for codec in QUALITIES
        for side in (16, 32)
        for quality in QUALITIES[codec]
    ),
)


def send(image: Image.Image, setting: Setting) -> tuple[Image.Image, int]:
    """(the picture as the server has it, in its first size, bytes sent)."""
    small = image.resize((setting.side, setting.side), Image.Resampling.LANCZOS)
    content, sent_bytes = _CODERS[setting.codec](small, setting.quality)
    with Image.open(io.BytesIO(content)) as decoded:
        back = decoded.convert("RGB").resize(image.size, Image.Resampling.BICUBIC)
    return back, sent_bytes


def _jpeg(image: Image.Image, quality: int) -> tuple[bytes, int]:
    content = _saved(image, format="JPEG", quality=quality, subsampling="4:2:0")
    return content, len(content) - _jpeg_known_bytes(content)


def _jpeg_known_bytes(content: bytes) -> int:
    """Bytes of the segments that are the same in every file of one quality."""
    place, known = 2, 0
    while content[place + 1] != 0xDA:  # start of scan
        length = 2 + int(struct.unpack(">H", content[place + 2 : place + 4])[0])
        known += length if content[place + 1] in _JPEG_KNOWN else 0
        place += length
    return known


def _webp(image: Image.Image, quality: int) -> tuple[bytes, int]:
    content = _saved(image, format="WEBP", quality=quality, method=6)
    return content, len(content) - _WEBP_CONTAINER_BYTES


def _jpeg2000(image: Image.Image, quality: int) -> tuple[bytes, int]:
    content = _saved(
        image,
        format="JPEG2000",
        no_jp2=True,
        irreversible=True,
        quality_mode="dB",
        quality_layers=[quality],
        num_resolutions=3,
    )
    return content, len(content) - content.index(_TILE_PART)


def _saved(image: Image.Image, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **settings)
    return buffer.getvalue()


_CODERS: dict[str, Callable[[Image.Image, int], tuple[bytes, int]]] = {
    "jpeg": _jpeg,
    "webp": _webp,
    "jpeg2000": _jpeg2000,
}
