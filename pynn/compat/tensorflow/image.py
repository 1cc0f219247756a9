"""``tensorflow.image``."""

from __future__ import annotations

from typing import Any

from pynn import ops
from pynn.compat.importing import missing
from pynn.compat.tensorflow import WAY_OUT


def __getattr__(name: str) -> Any:
    raise missing("tensorflow.image", name, WAY_OUT) if not name.startswith("__") else AttributeError(name)


class ResizeMethod:
    """Names of interpolations."""

    BILINEAR, NEAREST_NEIGHBOR, BICUBIC, LANCZOS3, LANCZOS5 = "bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"


def resize(images: Any, size: Any, method: str = "bilinear", antialias: bool = False, name: Any = None) -> Any:
    """Floats, whatever came."""
    images = ops.cast(images, "float32")
    return ops.image.resize(images, tuple(int(n) for n in size), interpolation=method, antialias=antialias)


def flip_left_right(image: Any) -> Any:
    return ops.flip(image, -2)


def flip_up_down(image: Any) -> Any:
    return ops.flip(image, -3)


def rgb_to_grayscale(images: Any, name: Any = None) -> Any:
    return ops.image.rgb_to_grayscale(images)


def per_image_standardization(image: Any) -> Any:
    """(x - mean) / max(deviation, 1 / sqrt(n)), for each picture."""
    image = ops.cast(image, "float32")
    mean = ops.mean(image, (-3, -2, -1), keepdims=True)
    n = 1
    for length in ops.shape(image)[-3:]:
        n *= length  # type: ignore[operator]
    return (image - mean) / ops.maximum(ops.std(image, (-3, -2, -1), keepdims=True), n**-0.5)
