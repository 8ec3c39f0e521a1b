"""What a fleet owner would try first: the picture itself, as JPEG, WebP, JPEG 2000 or its bare pixels.

What every file of one setting has in common is known on both sides and not sent: JPEG's headers and tables,
WebP's container, JPEG 2000's headers. At few bytes the picture is also made smaller first, and brought
back to size on the server. Shapes: M pictures, H W pixels, L levels.
"""

import io
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PictureCodec = Literal["jpeg", "webp", "jpeg2000", "raw"]
Images = NDArray[np.uint8]

# At 32 pixels a side, (part of the side that is coded, quality) at each level, in order of size: of JPEG and
# WebP their own quality, of JPEG 2000 a PSNR in dB.
_LADDERS: dict[str, tuple[tuple[int, int], ...]] = {
    "jpeg": ((4, 5), (2, 5), (2, 20), (2, 50), (1, 20), (1, 50), (1, 80)),
    "webp": ((4, 0), (2, 0), (2, 20), (2, 50), (1, 20), (1, 50), (1, 80)),
    "jpeg2000": ((2, 18), (2, 22), (1, 22), (2, 26), (1, 26), (1, 32)),
    "raw": ((1, 0),),
}
_USUAL_SIDE = 32  # these settings were chosen at


@dataclass(frozen=True)
class Setting:
    """One way to send a picture."""

    codec: str
    quality: int
    side: int
    """Pixels a side of what is coded."""


def ladder(codec: str, image_size: int) -> tuple[Setting, ...]:
    """The settings of each level, for pictures of `image_size` pixels a side.

    Larger pictures are made small as well: further levels below halve the side until it is that of the lowest
    level at 32 pixels.
    """
    settings = _LADDERS[codec]
    least, quality = settings[0]
    below: list[tuple[int, int]] = []
    while least > 1 and image_size // least > _USUAL_SIDE // settings[0][0]:
        least *= 2
        below.insert(0, (least, quality))
    return tuple(Setting(codec, quality, max(1, image_size // part)) for part, quality in (*below, *settings))


def encode(image_HWC: Images, setting: Setting) -> bytes:
    """What is sent of a square picture."""
    image = Image.fromarray(image_HWC)
    if setting.side != image.width:
        image = image.resize((setting.side, setting.side), Image.Resampling.LANCZOS)
    return _CODECS[setting.codec][0](image, setting.quality)


def decode(payload: bytes, setting: Setting, image_size: int) -> Images:
    """The picture as the server has it, in its first size."""
    image = _CODECS[setting.codec][1](payload, setting)
    if setting.side != image_size:
        image = image.resize((image_size, image_size), Image.Resampling.BICUBIC)
    return np.asarray(image)


def mean_payload_bits(codec: str, images_MHWC: Images) -> NDArray[np.int64]:
    """What a frame of each level takes on average over these pictures, (L,), never falling."""
    settings = ladder(codec, images_MHWC.shape[1])
    totals = [sum(len(encode(image_HWC, setting)) for image_HWC in images_MHWC) for setting in settings]
    bits_L = np.array([round(8 * total / len(images_MHWC)) for total in totals], np.int64)
    rising_L: NDArray[np.int64] = np.maximum.accumulate(bits_L)
    return rising_L


def coded(images_MHWC: Images, setting: Setting) -> list[bytes]:
    """What is sent of each picture."""
    return [encode(image_HWC, setting) for image_HWC in images_MHWC]


def decoded(payloads: Sequence[bytes], setting: Setting, image_size: int) -> Images:
    """The pictures as the server has them, (M, H, W, 3)."""
    return np.stack([decode(payload, setting, image_size) for payload in payloads])


def _saved(image: Image.Image, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **settings)
    return buffer.getvalue()


def _opened(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB")


def _jpeg_file(image: Image.Image, quality: int) -> bytes:
    return _saved(image, format="JPEG", quality=quality, subsampling="4:2:0")


def _jpeg2000_file(image: Image.Image, quality: int) -> bytes:
    return _saved(
        image,
        format="JPEG2000",
        no_jp2=True,
        irreversible=True,
        quality_mode="dB",
        quality_layers=[quality],
        num_resolutions=max(3, image.width.bit_length() - 3),  # of the smallest, 8 pixels a side are left
    )


@cache
def _known(file: Callable[[Image.Image, int], bytes], quality: int, side: int, last: bytes) -> bytes:
    """What opens every file of this setting: all before `last`, or, of JPEG, through its scan's header."""
    content = file(Image.new("RGB", (side, side), (128, 128, 128)), quality)
    place = content.index(last)
    if last == b"\xff\xda":
        place += 2 + int(struct.unpack(">H", content[place + 2 : place + 4])[0])
    return content[:place]


_SCAN, _TILE_PART, _END = b"\xff\xda", b"\xff\x90", b"\xff\xd9"
_TILE_PART_BYTES = 14  # its header


def _jpeg(image: Image.Image, quality: int) -> bytes:
    known = _known(_jpeg_file, quality, image.width, _SCAN)
    return _jpeg_file(image, quality).removeprefix(known).removesuffix(_END)


def _from_jpeg(payload: bytes, setting: Setting) -> Image.Image:
    return _opened(_known(_jpeg_file, setting.quality, setting.side, _SCAN) + payload + _END)


def _jpeg2000(image: Image.Image, quality: int) -> bytes:
    known = _known(_jpeg2000_file, quality, image.width, _TILE_PART)
    tile_part = _jpeg2000_file(image, quality).removeprefix(known).removesuffix(_END)
    return tile_part[_TILE_PART_BYTES:]


def _from_jpeg2000(payload: bytes, setting: Setting) -> Image.Image:
    known = _known(_jpeg2000_file, setting.quality, setting.side, _TILE_PART)
    size = struct.pack(">I", _TILE_PART_BYTES + len(payload))
    # The one part of the one tile: its index, length, number and count, then the start of its data.
    opening = _TILE_PART + b"\x00\x0a" + b"\x00\x00" + size + b"\x00\x01" + b"\xff\x93"
    return _opened(known + opening + payload + _END)


def _webp(image: Image.Image, quality: int) -> bytes:
    content = _saved(image, format="WEBP", quality=quality, method=6)
    (size,) = struct.unpack("<I", content[16:20])  # RIFF, size, WEBP, VP8 and this size
    return content[20 : 20 + int(size)]


def _from_webp(payload: bytes, setting: Setting) -> Image.Image:
    padded = payload + b"\0" * (len(payload) % 2)
    chunk = b"VP8 " + struct.pack("<I", len(payload)) + padded
    return _opened(b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk)


def _raw(image: Image.Image, _: int) -> bytes:
    return image.tobytes()


def _from_raw(payload: bytes, setting: Setting) -> Image.Image:
    return Image.frombytes("RGB", (setting.side, setting.side), payload)


_CODECS: dict[str, tuple[Callable[[Image.Image, int], bytes], Callable[[bytes, Setting], Image.Image]]] = {
    "jpeg": (_jpeg, _from_jpeg),
    "webp": (_webp, _from_webp),
    "jpeg2000": (_jpeg2000, _from_jpeg2000),
    "raw": (_raw, _from_raw),
}
