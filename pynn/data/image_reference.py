"""What the image part of ``_batching.pyx`` computes, in plain NumPy: the definition that tests compare it with.

Where an image is cut and whether it is mirrored follows from the seed, the epoch and the image's position in the
epoch alone, so that any thread can make any image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pynn.data.augmentation import Augmentation

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def mix(numbers: np.ndarray) -> np.ndarray:
    """The output function of SplitMix64 (Steele, Lea and Flood, 2014): 64 bits of each of these uint64."""
    z = numbers.astype(np.uint64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def epoch_key(seed: int, epoch: int) -> int:
    """Where the numbers of an epoch begin."""
    first = int(mix(np.array([(seed + _GOLDEN) & _MASK], np.uint64))[0])
    return int(mix(np.array([(first + epoch * _GOLDEN) & _MASK], np.uint64))[0])


def image_rows(images: np.ndarray, key: int, first: int, how: Augmentation) -> np.ndarray:
    """A batch of images, changed.

    Args:
        images: (rows, height, width, channels), the rows of the batch as they are.
        key: from :func:`epoch_key`.
        first: position of the first one in the epoch.
        how: what to do.

    Returns:
        float32, of the same shape.
    """
    rows, height, width, channels = images.shape
    batch = np.empty(images.shape, np.float32)
    scale, shift = how.scale_and_shift(channels)
    positions = np.arange(first + 1, first + rows + 1, dtype=np.uint64)
    bits = mix(np.uint64(key) + positions * np.uint64(_GOLDEN))

    def draw(at: int, size: int, n: int) -> np.ndarray:
        """Whole numbers from 0 to n - 1 from ``size`` bits beginning at ``at``."""
        field = (bits >> np.uint64(at)) & np.uint64((1 << size) - 1)
        return ((field * np.uint64(n)) >> np.uint64(size)).astype(int)

    down, right = draw(0, 16, 2 * how.crop + 1) - how.crop, draw(16, 16, 2 * how.crop + 1) - how.crop
    middle_y, middle_x, mirrored = draw(32, 15, height), draw(47, 16, width), draw(63, 1, 2).astype(bool) & how.flip
    for i, image in enumerate(images):
        changed = image.astype(np.float32) * scale + shift
        if how.crop:
            pad = ((how.crop, how.crop), (how.crop, how.crop), (0, 0))
            padded = np.pad(changed, pad, how.crop_mode)  # type: ignore[call-overload]
            y, x = how.crop + down[i], how.crop + right[i]
            changed = padded[y : y + height, x : x + width]
        changed = changed[:, ::-1] if mirrored[i] else changed
        batch[i] = changed
        if how.cutout:
            y, x = middle_y[i] - how.cutout // 2, middle_x[i] - how.cutout // 2
            batch[i, max(y, 0) : max(y + how.cutout, 0), max(x, 0) : max(x + how.cutout, 0)] = 0
    return batch
