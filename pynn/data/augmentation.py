"""What :class:`~pynn.data.ImageBatches` does to each image on its way into a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn.errors import ArgumentError

CROP_MODES = ("constant", "reflect")


@dataclass(frozen=True)
class Augmentation:
    """Normalisation, then a random crop, a random flip, and a square cut out.

    Args:
        flip: mirror every second image, left to right, drawn anew each time.
        crop: pixels that are added on each side before a piece of the old size is cut out at a random place.
        crop_mode: what is added: ``"constant"``, zeros, or ``"reflect"``, the image mirrored at its edge.
        cutout: side of a square of zeros around a random pixel; 0: none.
        mean, std: numbers, or one for each channel, in the units of the images: ``(x - mean) / std``; None: 0 and 1.
    """

    flip: bool = False
    crop: int = 0
    crop_mode: str = "constant"
    cutout: int = 0
    mean: Any = None
    std: Any = None

    def check(self, owner: str, height: int, width: int, channels: int) -> None:
        """Raise an ArgumentError, in the name of ``owner``, for what cannot be done to images of this size."""
        for name, most in (("crop", min(height, width) - 1), ("cutout", max(height, width))):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value <= most:
                raise ArgumentError(
                    f"{owner}: {name} must be a number of pixels from 0 to {most} for images of {height} x {width}, "
                    f"received {value!r}"
                )
        if self.crop_mode not in CROP_MODES:
            raise ArgumentError(f"{owner}: crop_mode must be 'constant' or 'reflect', received {self.crop_mode!r}")
        if not isinstance(self.flip, bool | np.bool_):
            raise ArgumentError(f"{owner}: flip must be True or False, received {self.flip!r}")
        for name in ("mean", "std"):
            values = getattr(self, name)
            if values is None:
                continue
            try:
                numbers = np.asarray(values, np.float64)
            except (TypeError, ValueError):
                numbers = np.array(np.nan)
            fits = numbers.shape in ((), (1,), (channels,)) and np.isfinite(numbers).all()
            if not fits or (name == "std" and not (numbers > 0).all()):
                least = " above 0" if name == "std" else ""
                raise ArgumentError(
                    f"{owner}: {name} must be a number{least}, or one for each of the {channels} channels, "
                    f"received {values!r}"
                )

    def scale_and_shift(self, channels: int) -> tuple[np.ndarray, np.ndarray]:
        """``x * scale + shift`` normalises; float32, one number for each channel."""
        std = np.asarray(1.0 if self.std is None else self.std, np.float64)
        mean = np.asarray(0.0 if self.mean is None else self.mean, np.float64)
        scale = np.broadcast_to(1 / std, channels).astype(np.float32)
        return scale, np.broadcast_to(-mean / std, channels).astype(np.float32)
