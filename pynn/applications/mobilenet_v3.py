"""MobileNetV3Small and Large: Howard et al., 2019 (arXiv:1905.02244)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pynn import layers
from pynn.applications.frame import CLASSES, Frame, Options, channel_axis
from pynn.applications.imagenet_utils import decode_predictions, unchanged
from pynn.applications.mobilenet import check_published, published_size
from pynn.applications.mobilenet_v2 import divisible, halving_padding
from pynn.applications.weight_files import at_site
from pynn.models import Model

__all__ = ["MobileNetV3Large", "MobileNetV3Small", "decode_predictions", "preprocess_input"]

#: Tables 1 and 2 of the paper: (expansion, filters, size, squeeze and excite, hard swish, strides).
_LARGE = (
    (1, 16, 3, False, False, 1),
    (4, 24, 3, False, False, 2), (3, 24, 3, False, False, 1),
    (3, 40, 5, True, False, 2), (3, 40, 5, True, False, 1), (3, 40, 5, True, False, 1),
    (6, 80, 3, False, True, 2), (2.5, 80, 3, False, True, 1),
    (2.3, 80, 3, False, True, 1), (2.3, 80, 3, False, True, 1),
    (6, 112, 3, True, True, 1), (6, 112, 3, True, True, 1),
    (6, 160, 5, True, True, 2), (6, 160, 5, True, True, 1), (6, 160, 5, True, True, 1),
)  # fmt: skip
_SMALL = (
    (1, 16, 3, True, False, 2),
    (72 / 16, 24, 3, False, False, 2), (88 / 24, 24, 3, False, False, 1),
    (4, 40, 5, True, True, 2), (6, 40, 5, True, True, 1), (6, 40, 5, True, True, 1),
    (3, 48, 5, True, True, 1), (3, 48, 5, True, True, 1),
    (6, 96, 5, True, True, 2), (6, 96, 5, True, True, 1), (6, 96, 5, True, True, 1),
)  # fmt: skip
#: Variant -> hashes of the published files with and without the top.
_HASHES = {
    "large_224_0.75_float": ("765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e"),
    "large_224_1.0_float": ("59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389"),
    "large_minimalistic_224_1.0_float": ("675e7b876c45c57e9e63e6d90a36599c", "ec5221f64a2f6d1ef965a614bdae7973"),
    "small_224_0.75_float": ("cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819"),
    "small_224_1.0_float": ("8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "small_minimalistic_224_1.0_float": ("99cd97fb2fcdad2bf028eb838de69e37", "cde8136e733e811080d9fcd8a252f7e4"),
}
_ABOUT = """{network} of Howard et al. (2019): {parameters} parameters.

    Args:
        input_shape: of one image, at least 32 x 32 pixels, any size by default.
        alpha: multiplies the number of filters; there are published weights for 0.75 and 1.
        minimalistic: without squeeze and excite, hard swish and 5 x 5 convolutions; published for alpha 1.
        include_top, weights, input_tensor, classes, pooling, classifier_activation, name: as those of
            :func:`pynn.applications.VGG16`.
        dropout_rate: before the classifier.
        include_preprocessing: the network itself brings pixels 0 ... 255 to -1 ... 1.

    Raises:
        ArgumentError: arguments that do not go together, or there are no published weights for them.
        ShapeError: an input shape that the network cannot take.
        DataNotFoundError: the weights are not here and could not be downloaded.
    """


def _architecture(network: str, blocks: tuple[Any, ...], last: int, parameters: str) -> Callable[..., Model]:
    def application(
        input_shape: Any = None,
        alpha: float = 1.0,
        minimalistic: bool = False,
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        classes: int = CLASSES,
        pooling: str | None = None,
        dropout_rate: float = 0.2,
        classifier_activation: Any = "softmax",
        include_preprocessing: bool = True,
        name: str | None = network,
    ) -> Model:
        options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
        frame = Frame(network, options, any_size=True)
        variant = network.removeprefix("MobileNetV3").lower()
        if weights == "imagenet":
            check_published(network, alpha, (1.0,) if minimalistic else (0.75, 1.0))
            published_size(frame, (224,))
        hashes = _HASHES.get(f"{variant}{'_minimalistic' * minimalistic}_224_{float(alpha)}_float")
        start = f"mobilenet_v3/weights_mobilenet_v3_{variant}{'_minimalistic' * minimalistic}_224_{float(alpha)}_float"
        with_top, without = hashes or (None, None)
        files = at_site(f"{start}.h5", with_top), at_site(f"{start}_no_top_v2.h5", without)

        x = layers.Rescaling(1 / 127.5, offset=-1.0)(frame.image) if include_preprocessing else frame.image
        x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="conv")(x)
        x = _activation(_normalized(x, "conv_bn"), not minimalistic)
        for i, block in enumerate(blocks):
            x = _block(x, i, alpha, minimalistic, *block)
        channels = divisible(x.shape[channel_axis()] * 6)
        x = layers.Conv2D(channels, 1, padding="same", use_bias=False, name="conv_1")(x)
        x = _activation(_normalized(x, "conv_1_bn"), not minimalistic)
        if not include_top:
            return frame.model(frame.pooled(x, names=True), name, files)
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = layers.Conv2D(divisible(last * alpha) if alpha > 1 else last, 1, padding="same", name="conv_2")(x)
        x = _activation(x, not minimalistic)
        if dropout_rate > 0:
            x = layers.Dropout(dropout_rate)(x)
        x = layers.Flatten()(layers.Conv2D(classes, 1, padding="same", name="logits")(x))
        return frame.model(layers.Activation(classifier_activation, name="predictions")(x), name, files)

    application.__name__ = application.__qualname__ = network
    application.__doc__ = _ABOUT.format(network=network, parameters=parameters)
    return application


def _normalized(x: Any, name: str) -> Any:
    return layers.BatchNormalization(axis=channel_axis(), epsilon=1e-3, momentum=0.999, name=name)(x)


def _activation(x: Any, hard_swish: bool) -> Any:
    return layers.Activation("hard_silu")(x) if hard_swish else layers.ReLU()(x)


def _block(
    x: Any, number: int, alpha: float, minimalistic: bool,
    expansion: float, filters: int, size: int, excite: bool, hard_swish: bool, strides: int,
) -> Any:  # fmt: skip
    """An inverted residual, whose channels may be weighed by what is in all places of the image."""
    if minimalistic:
        size, excite, hard_swish = 3, False, False
    name = f"expanded_conv_{number}" if number else "expanded_conv"
    y, channels = x, x.shape[channel_axis()]
    filters = divisible(filters * alpha)
    inner = divisible(channels * expansion)
    if number:
        y = layers.Conv2D(inner, 1, padding="same", use_bias=False, name=f"{name}_expand")(y)
        y = _activation(_normalized(y, f"{name}_expand_bn"), hard_swish)
    if strides == 2:
        y = layers.ZeroPadding2D(halving_padding(y, size), name=f"{name}_depthwise_pad")(y)
    padding = "same" if strides == 1 else "valid"
    y = layers.DepthwiseConv2D(size, strides=strides, padding=padding, use_bias=False, name=f"{name}_depthwise")(y)
    y = _activation(_normalized(y, f"{name}_depthwise_bn"), hard_swish)
    if excite:
        y = _excited(y, f"{name}_squeeze_excite")
    y = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{name}_project")(y)
    y = _normalized(y, f"{name}_project_bn")
    return layers.Add(name=f"{name}_add")([x, y]) if strides == 1 and channels == filters else y


def _excited(x: Any, name: str) -> Any:
    """Channels times a hard sigmoid of what two 1x1 convolutions make of their averages."""
    channels = x.shape[channel_axis()]
    y = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_avg_pool")(x)
    y = layers.Conv2D(divisible(channels / 4), 1, padding="same", name=f"{name}_conv")(y)
    y = layers.ReLU(name=f"{name}_relu")(y)
    y = layers.Conv2D(channels, 1, padding="same", name=f"{name}_conv_1")(y)
    y = layers.ReLU(6.0)(y + 3.0) * (1 / 6)
    return layers.Multiply(name=f"{name}_mul")([x, y])


MobileNetV3Small = _architecture("MobileNetV3Small", _SMALL, 1024, "2,554,968")
MobileNetV3Large = _architecture("MobileNetV3Large", _LARGE, 1280, "5,507,432")
preprocess_input = unchanged
