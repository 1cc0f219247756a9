"""The residual networks for CIFAR's small images: He et al., 2015 (arXiv:1512.03385), section 4.2."""

from __future__ import annotations

from typing import Any

from pynn import layers, ops
from pynn.applications.frame import Frame, Options, channel_axis, only_own_weights
from pynn.applications.resnet import activated, normalized
from pynn.errors import ArgumentError
from pynn.models import Model

__all__ = ["ResNetCIFAR"]


def ResNetCIFAR(
    depth: int = 20,
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: Any = "softmax",
    name: str | None = None,
    *,
    shortcut: str = "identity",
) -> Model:
    """A residual network of He et al. (2015) for images of 32 x 32: 0.27 million parameters with 20 layers.

    A 3x3 convolution, then three stages of ``(depth - 2) / 6`` blocks with 16, 32 and 64 filters; a block is two 3x3
    convolutions beside a shortcut.  0.46 million parameters with 32 layers, 0.66 with 44, 0.85 with 56, 1.7 with 110.

    Args:
        depth: number of layers with weights on the longest way: 20, 32, 44, 56, 110 or any other ``6 n + 2``.
        include_top: with the average over all places and the classifier.
        weights: None (random) or the path of a file.
        input_tensor, pooling, classes, classifier_activation: as those of :func:`pynn.applications.VGG16`.
        input_shape: of one image, at least 8 x 8 pixels; ``(32, 32, 3)`` by default.
        name: of the model, ``resnet<depth>_cifar`` by default.
        shortcut: where a stage begins, with half the size and twice the channels: ``"identity"``, every second place
            and zeros for the channels to come (the paper's option A, which its figures for CIFAR are of), or
            ``"projection"``, a 1x1 convolution (option B, which is often built instead).

    Raises:
        ArgumentError: a depth that is not ``6 n + 2``, or arguments that do not go together.
        ShapeError: an input shape that the network cannot take.

    Example:
        >>> ResNetCIFAR(20).count_params()
        271098
    """
    only_own_weights("ResNetCIFAR", weights)
    if not isinstance(depth, int) or depth < 8 or depth % 6 != 2:
        raise ArgumentError(f"ResNetCIFAR: depth must be 6 n + 2, as 20, 32, 44, 56 and 110 are, received {depth!r}")
    if shortcut not in ("projection", "identity"):
        raise ArgumentError(f"ResNetCIFAR: shortcut must be 'projection' or 'identity', received {shortcut!r}")
    options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    frame = Frame("ResNetCIFAR", options, size=32, least=8)
    x = activated(_conv(frame.image, 16, "conv1_conv"), "conv1")
    for stage, filters in enumerate((16, 32, 64), 2):
        for i in range(1, (depth - 2) // 6 + 1):
            x = _block(x, filters, f"conv{stage}_block{i}", shortcut if stage > 2 and i == 1 else None)
    return frame.model(frame.top(x), name or f"resnet{depth}_cifar")


def _conv(x: Any, filters: int, name: str, size: int = 3, strides: int = 1) -> Any:
    return layers.Conv2D(
        filters, size, strides=strides, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )(x)


def _block(x: Any, filters: int, name: str, halved: str | None) -> Any:
    """Two convolutions, and their input added; ``halved`` is how the input gets half the size, if it must."""
    beside = x
    if halved == "projection":
        beside = normalized(_conv(x, filters, f"{name}_0_conv", 1, strides=2), f"{name}_0_bn")
    elif halved == "identity":
        beside = layers.AveragePooling2D(1, strides=2, padding="same", name=f"{name}_0_pool")(x)
        missing = (0, filters - x.shape[channel_axis()])
        beside = ops.pad(beside, [missing if i == channel_axis() % 4 else (0, 0) for i in range(4)])
    x = activated(_conv(x, filters, f"{name}_1_conv", strides=2 if halved else 1), f"{name}_1")
    x = normalized(_conv(x, filters, f"{name}_2_conv"), f"{name}_2_bn")
    x = layers.Add(name=f"{name}_add")([beside, x])
    return layers.Activation("relu", name=f"{name}_out")(x)
