"""Layers that give images another size."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.layers.arguments import choice, one_number, positive_int
from pynn.layers.image_layer import ImageLayer, RandomImageLayer
from pynn.ops.image_sampling import INTERPOLATIONS, read_pixels, resize_images
from pynn.utils.arrays import as_float
from pynn.utils.random_seed import next_seed


def same_ratio(height: int, width: int, target: tuple[int, int]) -> tuple[int, int]:
    """Sizes with the target's ratio of which one is the image's own, and the other may be larger or smaller."""
    return int(float(width * target[0]) / target[1]), int(float(height * target[1]) / target[0])


def ratio_crop(height: int, width: int, target: tuple[int, int]) -> tuple[int, int]:
    """The largest size inside of an image that has the target's ratio."""
    rows, columns = same_ratio(height, width, target)
    return max(min(height, rows), 1), max(min(width, columns), 1)


def crop_to_ratio(x: Value, target: tuple[int, int]) -> Value:
    """The largest part in the middle of images that has the target's ratio of height to width."""
    n, h, w, c = x.shape
    rows, columns = ratio_crop(h, w, target)
    return ops.slice(x, (0, (h - rows) // 2, (w - columns) // 2, 0), (n, rows, columns, c))


def pad_to_ratio(x: Value, target: tuple[int, int], fill_value: float) -> Value:
    """Images in the middle of the smallest larger ones that have the target's ratio."""
    _, h, w, _ = x.shape
    rows, columns = (max(a, b) for a, b in zip((h, w), same_ratio(h, w, target), strict=True))
    top, left = (rows - h) // 2, (columns - w) // 2
    if top:  # as in Keras, the same on both sides, and in one direction only
        left = 0
    # Zeros in place of `fill_value`, which becomes 0 for as long as that takes.
    return ops.pad(x - fill_value, ((0, 0), (top, top), (left, left), (0, 0))) + fill_value


class Resizing(ImageLayer):
    """Images of any size as images of one size.

    Args:
        height, width: the new size.
        interpolation: ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"lanczos3"`` or ``"lanczos5"``.
        crop_to_aspect_ratio: cut the sides off that do not fit the new ratio of height to width, instead of
            stretching the image.
        pad_to_aspect_ratio: fill up with ``fill_value`` instead.
        fill_mode: ``"constant"``.
        antialias: when making images smaller, take all pixels into account.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.

    Shapes:
        ``(batch, h, w, c)`` -> ``(batch, height, width, c)``, or the same without a batch; whole numbers are rounded
        to such of the same kind.

    Example:
        >>> Resizing(4, 6)(np.ones((2, 8, 9, 3))).shape
        (2, 4, 6, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format, **kwargs)
        where = f"layer '{self.name}'"
        self.height = positive_int(where, "height", height)
        self.width = positive_int(where, "width", width)
        self.interpolation = choice(where, "interpolation", interpolation, INTERPOLATIONS)
        self.crop_to_aspect_ratio = bool(crop_to_aspect_ratio)
        self.pad_to_aspect_ratio = bool(pad_to_aspect_ratio)
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ArgumentError(f"{where}: only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be True")
        self.fill_mode = choice(where, "fill_mode", fill_mode, ("constant",))
        self.fill_value = one_number(where, "fill_value", fill_value)
        self.antialias = bool(antialias)

    def accept(self, x: Value, training: bool) -> Value:
        return x

    def transform(self, x: Value, decided: Any) -> Value:
        return self._resized(x, self.interpolation)

    def transform_masks(self, masks: Value, decided: Any) -> Value:
        return self._resized(masks, "nearest")

    def _resized(self, x: Value, interpolation: str) -> Value:
        size, dtype = (self.height, self.width), x.dtype
        y = as_float(x)
        if self.crop_to_aspect_ratio:
            y = crop_to_ratio(y, size)
        if self.pad_to_aspect_ratio:
            y = pad_to_ratio(y, size, self.fill_value)
        y = resize_images(y, size, interpolation, self.antialias)
        return y if x.spec.is_float else ops.saturate_cast(ops.round(y), dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "interpolation": self.interpolation,
            "crop_to_aspect_ratio": self.crop_to_aspect_ratio,
            "pad_to_aspect_ratio": self.pad_to_aspect_ratio,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
            "antialias": self.antialias,
        }


class CenterCrop(ImageLayer):
    """The middle of images; smaller ones are cut to the ratio of height to width and made larger.

    Args:
        height, width: the new size.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.

    Example:
        >>> CenterCrop(2, 2)(np.arange(16.0).reshape(4, 4, 1))[..., 0]
        array([[ 5.,  6.],
               [ 9., 10.]], dtype=float32)
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self.height = positive_int(f"layer '{self.name}'", "height", height)
        self.width = positive_int(f"layer '{self.name}'", "width", width)

    def transform_masks(self, masks: Value, decided: Any) -> Value:
        return self.transform(as_float(masks), decided)

    def transform(self, x: Value, decided: Any) -> Value:
        n, h, w, c = x.shape
        if h < self.height or w < self.width:
            size = self.height, self.width
            return resize_images(crop_to_ratio(x, size), size, "bilinear")
        start = (0, (h - self.height) // 2, (w - self.width) // 2, 0)
        return ops.slice(x, start, (n, self.height, self.width, c))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "height": self.height, "width": self.width}


class RandomCrop(RandomImageLayer):
    """While training, a part of the images at a random place, the same for all of a batch.

    Images that are not larger in both directions are cut in the middle and resized. In inference images stay as
    they are, as in Keras: let :class:`CenterCrop` or :class:`Resizing` give them their size there.

    Args:
        height, width: the new size.
        seed: for the same places in every run.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.

    Example:
        >>> RandomCrop(2, 3)(np.ones((5, 8, 8, 1)), training=True).shape
        (5, 2, 3, 1)
    """

    _floats_in_inference = False

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        # Keras writes the seed that it drew into the config.
        super().__init__(seed=next_seed() if seed is None else seed, data_format=data_format, name=name, **kwargs)
        self.height = positive_int(f"layer '{self.name}'", "height", height)
        self.width = positive_int(f"layer '{self.name}'", "width", width)

    def decide(self, x: Value) -> Any:
        h, w = x.shape[1:3]
        if h <= self.height or w <= self.width:
            return ()
        rows, columns = h - self.height + 1.0, w - self.width + 1.0
        return ops.floor(self.draw((1, 1), 0.0, rows)), ops.floor(self.draw((1, 1), 0.0, columns))

    def augment(self, x: Value, decided: Any) -> Value:
        n, h, w, c = x.shape
        size = self.height, self.width
        if not decided:
            # As in Keras: from where the part of the same ratio begins, as much as there is.
            rows, columns = ratio_crop(h, w, size)
            first, left = (h - rows) // 2, (w - columns) // 2
            rows, columns = min(self.height, h - first), min(self.width, w - left)
            part = ops.slice(x, (0, first, left, 0), (n, rows, columns, c))
            return part if (rows, columns) == size else resize_images(part, size, "bilinear")
        top, side = decided
        down, across = (v.reshape(1, -1).astype("float32") for v in np.mgrid[: self.height, : self.width])
        places = (n, down.size)
        y = read_pixels(x, ops.broadcast_to(top + down, places), ops.broadcast_to(side + across, places))
        return ops.reshape(y, (n, self.height, self.width, c))

    def augment_masks(self, masks: Value, decided: Any) -> Value:
        return self.augment(as_float(masks), decided)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "height": self.height, "width": self.width}
