"""Pictures a little like photographs: a thing of some shape, size and colour before a rough ground.

`python tests/photographs.py FOLDER COUNT` writes so many of each class.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

CLASSES = ("ball", "bus", "tent")


def photograph(thing: str, width: int, height: int, draws: np.random.Generator) -> Image.Image:
    """One picture of a thing of CLASSES."""
    coarse = draws.integers(40, 216, (height // 16 + 1, width // 16 + 1, 3)).astype(np.uint8)
    ground = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    grain = draws.normal(0, 12, (height, width, 3))
    picture = Image.fromarray(np.clip(np.asarray(ground) + grain, 0, 255).astype(np.uint8))
    side = int(draws.integers(height // 3, 2 * height // 3))
    left, top = (int(draws.integers(0, room - side)) for room in (width, height))
    colour = tuple(int(part) for part in draws.choice([20, 235], 3))
    draw = ImageDraw.Draw(picture)
    if thing == "ball":
        draw.ellipse((left, top, left + side, top + side), fill=colour)
    elif thing == "bus":
        draw.rectangle((left, top + side // 4, left + side, top + 3 * side // 4), fill=colour)
    else:
        draw.polygon([(left, top + side), (left + side, top + side), (left + side // 2, top)], fill=colour)
    return picture.filter(ImageFilter.GaussianBlur(1))


def write_photographs(folder: Path, a_class: int, width: int = 320, height: int = 240) -> None:
    """A folder a class below `folder`, with so many JPEG files each."""
    for number, thing in enumerate(CLASSES):
        (folder / thing).mkdir(parents=True)
        for i in range(a_class):
            draws = np.random.default_rng([number, i])
            photograph(thing, width, height, draws).save(folder / thing / f"{i:04}.jpg", quality=90)


if __name__ == "__main__":
    write_photographs(Path(sys.argv[1]), int(sys.argv[2]))
