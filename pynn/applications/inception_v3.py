"""InceptionV3: Szegedy et al., 2015 (arXiv:1512.00567)."""

from __future__ import annotations

from typing import Any

from pynn import layers
from pynn.applications.frame import Frame, architecture, channel_axis
from pynn.applications.imagenet_utils import decode_predictions, preprocessing
from pynn.applications.weight_files import published

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]


def conv(
    x: Any, filters: int, size: int | tuple[int, int] = 1, strides: int = 1, padding: str = "same",
    name: str | None = None,
) -> Any:  # fmt: skip
    """Convolution, batch normalization without a scale, ReLU: ``<name>``, ``<name>_bn``, ``<name>_ac``."""
    x = layers.Conv2D(filters, size, strides=strides, padding=padding, use_bias=False, name=name)(x)
    x = layers.BatchNormalization(axis=channel_axis(), scale=False, name=name and f"{name}_bn")(x)
    return layers.Activation("relu", name=name and f"{name}_ac")(x)


def chain(x: Any, *convolutions: tuple[int, int | tuple[int, int]]) -> Any:
    """``(filters, size)`` one after the other."""
    for filters, size in convolutions:
        x = conv(x, filters, size)
    return x


def smoothed(x: Any, filters: int) -> Any:
    """An average over 3x3 places, then a 1x1 convolution."""
    return conv(layers.AveragePooling2D(3, strides=1, padding="same")(x), filters)


def joined(name: str | None, *branches: Any) -> Any:
    return layers.Concatenate(axis=channel_axis(), name=name)(list(branches))


def stem(image: Any) -> Any:
    """From an image of 299 x 299 to 192 channels of 35 x 35."""
    x = conv(image, 32, 3, strides=2, padding="valid")
    x = conv(conv(x, 32, 3, padding="valid"), 64, 3)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = conv(conv(x, 80, 1, padding="valid"), 192, 3, padding="valid")
    return layers.MaxPooling2D(3, strides=2)(x)


def _build(frame: Frame) -> Any:
    x = stem(frame.image)
    for i, filters in enumerate((32, 64, 64)):  # 35 x 35
        x = joined(
            f"mixed{i}", conv(x, 64), chain(x, (48, 1), (64, 5)), chain(x, (64, 1), (96, 3), (96, 3)),
            smoothed(x, filters),
        )  # fmt: skip
    x = joined(
        "mixed3",
        conv(x, 384, 3, strides=2, padding="valid"),
        conv(chain(x, (64, 1), (96, 3)), 96, 3, strides=2, padding="valid"),
        layers.MaxPooling2D(3, strides=2)(x),
    )

    row, column = (1, 7), (7, 1)
    for i, n in enumerate((128, 160, 160, 192), 4):  # 17 x 17
        x = joined(
            f"mixed{i}", conv(x, 192), chain(x, (n, 1), (n, row), (192, column)),
            chain(x, (n, 1), (n, column), (n, row), (n, column), (192, row)), smoothed(x, 192),
        )  # fmt: skip
    x = joined(
        "mixed8",
        conv(conv(x, 192), 320, 3, strides=2, padding="valid"),
        conv(chain(x, (192, 1), (192, row), (192, column)), 192, 3, strides=2, padding="valid"),
        layers.MaxPooling2D(3, strides=2)(x),
    )

    for i in range(2):  # 8 x 8
        single = conv(x, 320)
        short = conv(x, 384)
        short = joined(f"mixed9_{i}", conv(short, 384, (1, 3)), conv(short, 384, (3, 1)))
        long = chain(x, (448, 1), (384, 3))
        long = joined(None, conv(long, 384, (1, 3)), conv(long, 384, (3, 1)))
        x = joined(f"mixed{9 + i}", single, short, long, smoothed(x, 192))
    return frame.top(x)


InceptionV3 = architecture(
    "InceptionV3",
    _build,
    published("inception_v3", "inception_v3", ("9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63")),
    "InceptionV3 of Szegedy et al. (2015): 23,851,784 parameters.",
    size=299,
    least=75,
    model_name="inception_v3",
)
preprocess_input = preprocessing("tf")
