"""Random crop and flip against every shift and mirror image there is."""

import torch

from trainers.augment import augment


def test_each_image_is_a_shifted_or_mirrored_copy():
    images = torch.arange(1, 1 + 40 * 6 * 6 * 3).reshape(40, 6, 6, 3)
    augmented = augment(images, 2, True, torch.Generator().manual_seed(1))
    padded = torch.nn.functional.pad(images, (0, 0, 2, 2, 2, 2))
    seen = set()
    for image, whole in zip(augmented, padded, strict=True):
        windows = {
            (row, column, mirrored): whole[row : row + 6, column : column + 6].flip((1,) if mirrored else ())
            for row in range(5)
            for column in range(5)
            for mirrored in (False, True)
        }
        found = [key for key, window in windows.items() if torch.equal(image, window)]
        assert len(found) == 1
        seen.add(found[0])
    assert {mirrored for _, _, mirrored in seen} == {False, True}
    assert len({(row, column) for row, column, _ in seen}) > 10


def test_nothing_changes_without_padding_and_flip():
    images = torch.randint(0, 256, (5, 4, 4, 3), dtype=torch.uint8)
    augmented = augment(images, 0, False, torch.Generator().manual_seed(1))
    assert torch.equal(augmented, images)
    assert augmented.dtype == torch.uint8
