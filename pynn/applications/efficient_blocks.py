"""Blocks of both versions of EfficientNet: inverted residuals with squeeze and excite, some left out in training."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pynn import layers
from pynn.applications.frame import channel_axis
from pynn.initializers import Initializer, VarianceScaling

#: How often the blocks at the end are left out in training; from 0 at the beginning it grows by the same step.
DROP_RATE = 0.2


class Stage(NamedTuple):
    """Blocks of which the first has the strides and changes the number of channels."""

    expansion: int
    filters: int
    blocks: int
    size: int
    strides: int
    #: One full convolution in place of a 1x1 and a depthwise one.
    fused: bool = False


#: A block: its input, name, stage, own strides and how often it is left out.
Block = Callable[[Any, str, Stage, int, float], Any]


def deeper(blocks: int, depth: float) -> int:
    """Blocks of a stage in a network that is ``depth`` times as deep."""
    return math.ceil(blocks * depth)


def fan_out() -> Initializer:
    """Of convolutions (He et al., 2015, counted at the output)."""
    return VarianceScaling(2.0, mode="fan_out", distribution="truncated_normal")


def fan_out_dense() -> Initializer:
    """Of the classifier."""
    return VarianceScaling(1 / 3, mode="fan_out", distribution="uniform")


def in_stages(x: Any, stages: Sequence[Stage], total: int, block: Block) -> Any:
    """All blocks: ``block1a``, ``block1b`` ... ``block2a`` ...

    Args:
        total: after how many of them :data:`DROP_RATE` would be reached.
    """
    number = 0
    for i, stage in enumerate(stages, 1):
        for j in range(stage.blocks):
            name = f"block{i}{chr(ord('a') + j)}"
            x = block(x, name, stage, stage.strides if j == 0 else 1, DROP_RATE * number / total)
            number += 1
    return x


def convolved(
    x: Any, name: str, filters: int, size: int = 1, strides: int = 1, padding: str = "same", momentum: float = 0.99,
    swish: bool = True,
) -> Any:  # fmt: skip
    """Convolution, batch normalization and, usually, swish."""
    x = layers.Conv2D(
        filters, size, strides=strides, padding=padding, use_bias=False, kernel_initializer=fan_out(),
        name=f"{name}_conv",
    )(x)  # fmt: skip
    return normalized(x, name, momentum, swish)


def normalized(x: Any, name: str, momentum: float, swish: bool = True) -> Any:
    """Batch normalization and, usually, swish."""
    x = layers.BatchNormalization(axis=channel_axis(), momentum=momentum, name=f"{name}_bn")(x)
    return layers.Activation("swish", name=f"{name}_activation")(x) if swish else x


def inverted(
    x: Any, name: str, stage: Stage, strides: int, drop_rate: float, depthwise: Callable[[Any, str, int, int], Any],
    momentum: float = 0.99,
) -> Any:  # fmt: skip
    """More channels by a 1x1 convolution, a depthwise one, weights for the channels, and fewer channels again.

    Args:
        depthwise: makes the depthwise convolution of an input, the block's name, the size and the strides.
    """
    channels = x.shape[channel_axis()]
    y = x
    if stage.expansion != 1:
        y = convolved(y, f"{name}_expand", channels * stage.expansion, momentum=momentum)
    y = normalized(depthwise(y, name, stage.size, strides), name, momentum)
    y = _excited(y, name, max(1, channels // 4))
    y = convolved(y, f"{name}_project", stage.filters, momentum=momentum, swish=False)
    return residual(x, y, name, strides, drop_rate)


def _excited(x: Any, name: str, squeezed: int) -> Any:
    """Channels times a sigmoid of what two 1x1 convolutions make of their averages (Hu et al., arXiv:1709.01507)."""
    channels = x.shape[channel_axis()]
    y = layers.GlobalAveragePooling2D(name=f"{name}_se_squeeze")(x)
    y = layers.Reshape((channels, 1, 1) if channel_axis() == 1 else (1, 1, channels), name=f"{name}_se_reshape")(y)
    for filters, activation, step in ((squeezed, "swish", "reduce"), (channels, "sigmoid", "expand")):
        y = layers.Conv2D(
            filters, 1, padding="same", activation=activation, kernel_initializer=fan_out(), name=f"{name}_se_{step}"
        )(y)
    return layers.Multiply(name=f"{name}_se_excite")([x, y])


def residual(x: Any, y: Any, name: str, strides: int, drop_rate: float) -> Any:
    """``x + y``, where ``y`` is left out for some images of a batch in training; ``y`` alone if the shapes differ."""
    axis = channel_axis()
    if strides != 1 or x.shape[axis] != y.shape[axis]:
        return y
    if drop_rate > 0:
        y = layers.Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(y)
    return layers.Add(name=f"{name}_add")([y, x])
