"""EfficientNetB0 to B7: Tan and Le, 2019 (arXiv:1905.11946)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from pynn import layers
from pynn.applications.efficient_blocks import Stage, convolved, deeper, fan_out, fan_out_dense, in_stages, inverted
from pynn.applications.frame import Frame, architecture, channel_axis
from pynn.applications.imagenet_utils import UNIT_DEVIATION, decode_predictions, unchanged
from pynn.applications.mobilenet_v2 import divisible, halving_padding
from pynn.applications.weight_files import WeightFile
from pynn.models import Model

__all__ = [*(f"EfficientNetB{i}" for i in range(8)), "decode_predictions", "preprocess_input"]

#: Table 1 of the paper.
_STAGES = (
    Stage(1, 16, 1, 3, 1), Stage(6, 24, 2, 3, 2), Stage(6, 40, 2, 5, 2), Stage(6, 80, 3, 3, 2), Stage(6, 112, 3, 5, 1),
    Stage(6, 192, 4, 5, 2), Stage(6, 320, 1, 3, 1),
)  # fmt: skip


class _Variant(NamedTuple):
    width: float
    depth: float
    size: int
    dropout: float
    parameters: str
    #: Of the published files with and without the top.
    hashes: tuple[str, str]


_VARIANTS = {
    "B0": _Variant(
        1.0, 1.0, 224, 0.2, "5,330,571", ("902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d")
    ),
    "B1": _Variant(
        1.0, 1.1, 240, 0.2, "7,856,239", ("1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432")
    ),
    "B2": _Variant(
        1.1, 1.2, 260, 0.3, "9,177,569", ("b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39")
    ),
    "B3": _Variant(
        1.2, 1.4, 300, 0.3, "12,320,535", ("ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226")
    ),
    "B4": _Variant(
        1.4, 1.8, 380, 0.4, "19,466,823", ("18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba")
    ),
    "B5": _Variant(
        1.6, 2.2, 456, 0.4, "30,562,527", ("ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f")
    ),
    "B6": _Variant(
        1.8, 2.6, 528, 0.5, "43,265,143", ("165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743")
    ),
    "B7": _Variant(
        2.0, 3.1, 600, 0.5, "66,658,687", ("8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a")
    ),
}


def _build(variant: _Variant) -> Callable[[Frame], Any]:
    """The network of the paper: wider, deeper and with more dropout."""
    width, depth = variant.width, variant.depth
    stages = [s._replace(filters=divisible(s.filters * width), blocks=deeper(s.blocks, depth)) for s in _STAGES]

    def network(frame: Frame) -> Any:
        x = layers.Normalization(axis=channel_axis())(layers.Rescaling(1 / 255)(frame.image))
        if frame.options.weights == "imagenet":
            # The published networks were trained on colours divided by more than the files' variances say.
            x = layers.Rescaling([1 / math.sqrt(d) for d in UNIT_DEVIATION])(x)
        x = layers.ZeroPadding2D(halving_padding(x), name="stem_conv_pad")(x)
        x = convolved(x, "stem", divisible(32 * width), 3, strides=2, padding="valid")
        x = in_stages(x, stages, sum(s.blocks for s in stages), _block)
        x = convolved(x, "top", divisible(1280 * width))
        return frame.top(x, dropout=variant.dropout, pool_names=True, initializer=fan_out_dense())

    return network


def _block(x: Any, name: str, stage: Stage, strides: int, drop_rate: float) -> Any:
    return inverted(x, name, stage, strides, drop_rate, _depthwise)


def _depthwise(x: Any, name: str, size: int, strides: int) -> Any:
    """With strides of 2, padded as TensorFlow did when the published weights were trained."""
    if strides == 2:
        x = layers.ZeroPadding2D(halving_padding(x, size), name=f"{name}_dwconv_pad")(x)
    return layers.DepthwiseConv2D(
        size, strides=strides, padding="same" if strides == 1 else "valid", use_bias=False,
        depthwise_initializer=fan_out(), name=f"{name}_dwconv",
    )(x)  # fmt: skip


def _architecture(name: str) -> Callable[..., Model]:
    variant = _VARIANTS[name]
    network = f"EfficientNet{name}"
    start = f"https://storage.googleapis.com/keras-applications/{network.lower()}"
    files = WeightFile(f"{start}.h5", variant.hashes[0]), WeightFile(f"{start}_notop.h5", variant.hashes[1])
    about = f"{network} of Tan and Le (2019): {variant.parameters} parameters; takes pixels from 0 to 255."
    return architecture(network, _build(variant), files, about, variant.size)


EfficientNetB0 = _architecture("B0")
EfficientNetB1 = _architecture("B1")
EfficientNetB2 = _architecture("B2")
EfficientNetB3 = _architecture("B3")
EfficientNetB4 = _architecture("B4")
EfficientNetB5 = _architecture("B5")
EfficientNetB6 = _architecture("B6")
EfficientNetB7 = _architecture("B7")
preprocess_input = unchanged
