"""MobileNetV2: Sandler et al., 2018 (arXiv:1801.04381)."""

from __future__ import annotations

from typing import Any

from pynn import layers
from pynn.applications.frame import CLASSES, Files, Frame, Options, channel_axis
from pynn.applications.imagenet_utils import decode_predictions, preprocessing
from pynn.applications.mobilenet import check_published, published_size, usual_size
from pynn.applications.weight_files import at_site
from pynn.models import Model

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

#: Table 2 of the paper: (expansion, filters, blocks, strides of the first one).
_STAGES = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip
_ALPHAS = (0.35, 0.50, 0.75, 1.0, 1.3, 1.4)
_SIZES = (96, 128, 160, 192, 224)


def MobileNetV2(
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = CLASSES,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    """MobileNetV2 of Sandler et al. (2018): 3,538,984 parameters.

    Args:
        input_shape: of one image, at least 32 x 32 pixels; 224 x 224 by default. There are published weights for 96,
            128, 160, 192 and 224.
        alpha: multiplies the number of filters; there are published weights for 0.35, 0.5, 0.75, 1, 1.3 and 1.4.
        include_top, weights, input_tensor, pooling, classes, classifier_activation, name: as those of
            :func:`pynn.applications.VGG16`.

    Raises:
        ArgumentError: arguments that do not go together, or there are no published weights for them.
        ShapeError: an input shape that the network cannot take.
        DataNotFoundError: the weights are not here and could not be downloaded.
    """
    options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    frame = Frame("MobileNetV2", options, usual_size(options, _SIZES))
    if weights == "imagenet":
        check_published("MobileNetV2", alpha, _ALPHAS)
    size = published_size(frame, _SIZES)

    x = _conv(frame.image, divisible(32 * alpha), "Conv1", "bn_Conv1", size=3, strides=2)
    x = layers.ReLU(6.0, name="Conv1_relu")(x)
    block = 0
    for expansion, filters, count, strides in _STAGES:
        for i in range(count):
            x = _block(x, block, expansion, divisible(int(filters * alpha)), strides if i == 0 else 1)
            block += 1
    x = _conv(x, divisible(1280 * alpha) if alpha > 1 else 1280, "Conv_1", "Conv_1_bn", padding="valid")
    x = layers.ReLU(6.0, name="out_relu")(x)

    def files() -> Files:
        start = f"mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{size}"
        return at_site(f"{start}.h5"), at_site(f"{start}_no_top.h5")

    return frame.model(frame.top(x, average=None), name or f"mobilenetv2_{alpha:0.2f}_{size}", files)


def divisible(n: float, by: int = 8) -> int:
    """The nearest multiple of ``by``, not more than a tenth below ``n``."""
    nearest = max(by, int(n + by / 2) // by * by)
    return nearest if nearest >= 0.9 * n else nearest + by


def halving_padding(x: Any, size: int = 3) -> Any:
    """Zeros around an image such that a valid convolution with strides of 2 gives half of it, as TensorFlow pads."""
    rows, columns = x.shape[2:] if channel_axis() == 1 else x.shape[1:3]
    half = size // 2
    return tuple((half - (n is None or n % 2 == 0), half) for n in (rows, columns))


def _normalized(x: Any, name: str) -> Any:
    return layers.BatchNormalization(axis=channel_axis(), epsilon=1e-3, momentum=0.999, name=name)(x)


def _conv(
    x: Any, filters: int, name: str, normalization: str, size: int = 1, strides: int = 1, padding: str = "same"
) -> Any:
    x = layers.Conv2D(filters, size, strides=strides, padding=padding, use_bias=False, name=name)(x)
    return _normalized(x, normalization)


def _block(x: Any, number: int, expansion: int, filters: int, strides: int) -> Any:
    """An inverted residual: more channels by a 1x1 convolution, a depthwise one, and fewer channels again."""
    name = f"block_{number}" if number else "expanded_conv"
    y, channels = x, x.shape[channel_axis()]
    if number:
        y = _conv(y, expansion * channels, f"{name}_expand", f"{name}_expand_BN")
        y = layers.ReLU(6.0, name=f"{name}_expand_relu")(y)
    if strides == 2:
        y = layers.ZeroPadding2D(halving_padding(y), name=f"{name}_pad")(y)
    padding = "same" if strides == 1 else "valid"
    y = layers.DepthwiseConv2D(3, strides=strides, padding=padding, use_bias=False, name=f"{name}_depthwise")(y)
    y = layers.ReLU(6.0, name=f"{name}_depthwise_relu")(_normalized(y, f"{name}_depthwise_BN"))
    y = _conv(y, filters, f"{name}_project", f"{name}_project_BN")
    return layers.Add(name=f"{name}_add")([x, y]) if strides == 1 and channels == filters else y


preprocess_input = preprocessing("tf")
