"""Xception: Chollet, 2016 (arXiv:1610.02357)."""

from __future__ import annotations

from typing import Any

from pynn import layers
from pynn.applications.frame import Frame, architecture, channel_axis
from pynn.applications.imagenet_utils import decode_predictions, preprocessing
from pynn.applications.weight_files import published

__all__ = ["Xception", "decode_predictions", "preprocess_input"]


def _normalized(x: Any, name: str | None = None) -> Any:
    return layers.BatchNormalization(axis=channel_axis(), name=name)(x)


def _relu(x: Any, name: str) -> Any:
    return layers.Activation("relu", name=f"{name}_act")(x)


def _separable(x: Any, filters: int, name: str) -> Any:
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return _normalized(x, f"{name}_bn")


def _halving(x: Any, block: int, filters: tuple[int, int]) -> Any:
    """Two separable convolutions and a pooling, beside a 1x1 convolution with strides."""
    shortcut = layers.Conv2D(filters[1], 1, strides=2, padding="same", use_bias=False)(x)
    shortcut = _normalized(shortcut)
    for i, n in enumerate(filters, 1):
        name = f"block{block}_sepconv{i}"
        if (block, i) != (2, 1):  # block 1 has just ended with one
            x = _relu(x, name)
        x = _separable(x, n, name)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"block{block}_pool")(x)
    return layers.Add()([x, shortcut])


def _build(frame: Frame) -> Any:
    x = frame.image
    for i, (filters, strides) in enumerate(((32, 2), (64, 1)), 1):
        name = f"block1_conv{i}"
        x = layers.Conv2D(filters, 3, strides=strides, use_bias=False, name=name)(x)
        x = _relu(_normalized(x, f"{name}_bn"), name)
    for block, filters in enumerate((128, 256, 728), 2):
        x = _halving(x, block, (filters, filters))
    for block in range(5, 13):
        y = x
        for i in (1, 2, 3):
            name = f"block{block}_sepconv{i}"
            y = _separable(_relu(y, name), 728, name)
        x = layers.Add()([y, x])
    x = _halving(x, 13, (728, 1024))
    for i, filters in enumerate((1536, 2048), 1):
        name = f"block14_sepconv{i}"
        x = _relu(_separable(x, filters, name), name)
    return frame.top(x)


Xception = architecture(
    "Xception",
    _build,
    published("xception", "xception", ("0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97")),
    "Xception of Chollet (2016): 22,910,480 parameters.",
    size=299,
    least=71,
)
preprocess_input = preprocessing("tf")
