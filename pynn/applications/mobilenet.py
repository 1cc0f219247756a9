"""MobileNet, and what it shares with version 2: Howard et al., 2017 (arXiv:1704.04861)."""

from __future__ import annotations

import warnings
from typing import Any

from pynn import layers, settings
from pynn.applications.frame import CLASSES, Files, Frame, Options, channel_axis
from pynn.applications.imagenet_utils import decode_predictions, preprocessing
from pynn.applications.weight_files import at_site
from pynn.errors import ArgumentError
from pynn.models import Model
from pynn.utils.callers import users_line

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

#: (filters, strides) of the 13 blocks.
_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
_ALPHAS = {0.25: "2_5", 0.50: "5_0", 0.75: "7_5", 1.0: "1_0"}


def MobileNet(
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 0.001,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = CLASSES,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    """MobileNet of Howard et al. (2017): 4,253,864 parameters.

    Args:
        input_shape: of one image, at least 32 x 32 pixels; 224 x 224 by default. There are published weights for 128,
            160, 192 and 224.
        alpha: multiplies the number of filters; there are published weights for 0.25, 0.5, 0.75 and 1.
        depth_multiplier: filters per channel of the depthwise convolutions.
        dropout: before the classifier.
        include_top, weights, input_tensor, pooling, classes, classifier_activation, name: as those of
            :func:`pynn.applications.VGG16`.

    Raises:
        ArgumentError: arguments that do not go together, or there are no published weights for them.
        ShapeError: an input shape that the network cannot take.
        DataNotFoundError: the weights are not here and could not be downloaded.
    """
    options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    frame = Frame("MobileNet", options, usual_size(options, (128, 160, 192, 224)))
    if weights == "imagenet":
        check_published("MobileNet", alpha, tuple(_ALPHAS))
        if depth_multiplier != 1:
            raise ArgumentError(f"MobileNet: ImageNet's weights are for depth_multiplier 1, not {depth_multiplier}")
    size = published_size(frame, (128, 160, 192, 224))

    x = layers.Conv2D(int(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="conv1")(frame.image)
    x = _activated(x, "conv1")
    for i, (filters, strides) in enumerate(_BLOCKS, 1):
        if strides == 2:
            x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{i}")(x)
        padding = "same" if strides == 1 else "valid"
        x = layers.DepthwiseConv2D(
            3, strides=strides, padding=padding, depth_multiplier=depth_multiplier, use_bias=False, name=f"conv_dw_{i}"
        )(x)
        x = _activated(x, f"conv_dw_{i}")
        x = layers.Conv2D(int(filters * alpha), 1, padding="same", use_bias=False, name=f"conv_pw_{i}")(x)
        x = _activated(x, f"conv_pw_{i}")
    if include_top:
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = layers.Dropout(dropout, name="dropout")(x)
        x = layers.Conv2D(classes, 1, padding="same", name="conv_preds")(x)
        x = layers.Reshape((classes,), name="reshape_2")(x)
        x = layers.Activation(classifier_activation, name="predictions")(x)
    else:
        x = frame.pooled(x)

    def files() -> Files:
        start = f"mobilenet/mobilenet_{_ALPHAS[alpha]}_{size}_tf"
        return at_site(f"{start}.h5"), at_site(f"{start}_no_top.h5")

    return frame.model(x, name or f"mobilenet_{alpha:0.2f}_{size}", files)


def _activated(x: Any, name: str) -> Any:
    """Batch normalization and ReLU up to 6."""
    x = layers.BatchNormalization(axis=channel_axis(), name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def usual_size(options: Options, sizes: tuple[int, ...]) -> int:
    """The size of images that the user says, if it is one of these, or 224."""
    shape = options.input_shape
    if shape is None and options.input_tensor is not None:
        shape = getattr(options.input_tensor, "shape", (None,))[1:]
    if shape is not None and len(shape) == 3:
        rows, columns = shape[1:] if settings.image_data_format() == "channels_first" else shape[:2]
        if rows == columns and rows in sizes:
            return rows
    return 224


def published_size(frame: Frame, sizes: tuple[int, ...]) -> int | None:
    """The size in the model's name; with ImageNet's weights, that of the images they were trained with."""
    rows, columns = frame.sides
    if frame.options.weights == "imagenet" and (rows != columns or rows not in sizes):
        warnings.warn(
            f"{frame.network}: there are weights for square images of {', '.join(map(str, sizes))} pixels; those for "
            f"224 are used for input_shape={frame.shape}",
            stacklevel=users_line(),
        )
        return 224
    return rows


def check_published(network: str, alpha: float, alphas: tuple[float, ...]) -> None:
    """Refuse a width for which there are no weights."""
    if alpha not in alphas:
        raise ArgumentError(
            f"{network}: there are ImageNet's weights for alpha {', '.join(map(str, alphas))}, received {alpha}; pass "
            "weights=None for another one"
        )


preprocess_input = preprocessing("tf")
