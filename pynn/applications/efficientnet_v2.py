"""EfficientNetV2 B0 to B3, S, M and L: Tan and Le, 2021 (arXiv:2104.00298)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pynn import layers
from pynn.applications.efficient_blocks import (
    Stage,
    convolved,
    deeper,
    fan_out,
    fan_out_dense,
    in_stages,
    inverted,
    residual,
)
from pynn.applications.frame import CLASSES, Frame, Options, channel_axis, described
from pynn.applications.imagenet_utils import UNIT_DEVIATION, UNIT_MEAN, decode_predictions, unchanged
from pynn.applications.weight_files import at_site
from pynn.models import Model

__all__ = [
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2L",
    "EfficientNetV2M",
    "EfficientNetV2S",
    "decode_predictions",
    "preprocess_input",
]

_MOMENTUM = 0.9
#: Of the small networks, which are scaled as those of the first version, and Table 4 of the paper and its siblings.
_SMALL = (
    Stage(1, 16, 1, 3, 1, fused=True), Stage(4, 32, 2, 3, 2, fused=True), Stage(4, 48, 2, 3, 2, fused=True),
    Stage(4, 96, 3, 3, 2), Stage(6, 112, 5, 3, 1), Stage(6, 192, 8, 3, 2),
)  # fmt: skip
_S = (
    Stage(1, 24, 2, 3, 1, fused=True), Stage(4, 48, 4, 3, 2, fused=True), Stage(4, 64, 4, 3, 2, fused=True),
    Stage(4, 128, 6, 3, 2), Stage(6, 160, 9, 3, 1), Stage(6, 256, 15, 3, 2),
)  # fmt: skip
_M = (
    Stage(1, 24, 3, 3, 1, fused=True), Stage(4, 48, 5, 3, 2, fused=True), Stage(4, 80, 5, 3, 2, fused=True),
    Stage(4, 160, 7, 3, 2), Stage(6, 176, 14, 3, 1), Stage(6, 304, 18, 3, 2), Stage(6, 512, 5, 3, 1),
)  # fmt: skip
_L = (
    Stage(1, 32, 4, 3, 1, fused=True), Stage(4, 64, 7, 3, 2, fused=True), Stage(4, 96, 7, 3, 2, fused=True),
    Stage(4, 192, 10, 3, 2), Stage(6, 224, 19, 3, 1), Stage(6, 384, 25, 3, 2), Stage(6, 640, 7, 3, 1),
)  # fmt: skip


class _Variant(NamedTuple):
    stages: tuple[Stage, ...]
    width: float
    depth: float
    size: int
    parameters: str
    #: Of the published files with and without the top.
    hashes: tuple[str, str]


_VARIANTS = {
    "B0": _Variant(
        _SMALL, 1.0, 1.0, 224, "7,200,312", ("21ecbf6da12460d5c40bb2f29ceb2188", "893217f2bb855e2983157299931e43ff")
    ),
    "B1": _Variant(
        _SMALL, 1.0, 1.1, 240, "8,212,124", ("069f0534ff22adf035c89e2d9547a9dc", "0e80663031ca32d657f9caa404b6ec37")
    ),
    "B2": _Variant(
        _SMALL, 1.1, 1.2, 260, "10,178,374", ("424e49f28180edbde1e94797771950a7", "1dfe2e7a5d45b6632553a8961ea609eb")
    ),
    "B3": _Variant(
        _SMALL, 1.2, 1.4, 300, "14,467,622", ("1f1fc43bd98a6e4fd8fdfd551e02c7a0", "f6abf7b5849ac99a89b50dd3fd532856")
    ),
    "S": _Variant(
        _S, 1.0, 1.0, 384, "21,612,360", ("e1d88a8495beba45748fedd0cecbe016", "af0682fb74e8c54910f2d4393339c070")
    ),
    "M": _Variant(
        _M, 1.0, 1.0, 480, "54,431,388", ("a3bf6aa3276309f4fc6a34aa114c95cd", "1b8dc055df72dde80d614482840fe342")
    ),
    "L": _Variant(
        _L, 1.0, 1.0, 480, "119,027,848", ("27e6d408b53c7ebc868fefa357689935", "b0b66b5c863aef5b46e8608fe1711615")
    ),
}


def _architecture(name: str) -> Callable[..., Model]:
    variant = _VARIANTS[name]
    network, stem = f"EfficientNetV2{name}", f"efficientnetv2-{name.lower()}"
    start = f"efficientnet_v2/{stem}"
    files = at_site(f"{start}.h5", variant.hashes[0]), at_site(f"{start}_notop.h5", variant.hashes[1])

    def application(
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Any = "softmax",
        include_preprocessing: bool = True,
        name: str | None = stem,
    ) -> Model:
        options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
        frame = Frame(network, options, variant.size)
        x = _preprocessed(frame.image, variant) if include_preprocessing else frame.image
        return frame.model(_network(frame, x, variant), name, files)

    return described(
        application, network, __name__, f"{network} of Tan and Le (2021): {variant.parameters} parameters.",
        variant.size, preprocessing="the network takes pixels from 0 to 255 and brings them to -1 ... 1 or so itself.",
    )  # fmt: skip


def _preprocessed(x: Any, variant: _Variant) -> Any:
    """Pixels as the variant was trained with them."""
    if variant.stages is not _SMALL:
        return layers.Rescaling(1 / 128, offset=-1)(x)
    x = layers.Rescaling(1 / 255)(x)
    axis = channel_axis()
    if x.shape[axis] != len(UNIT_MEAN):
        return x
    return layers.Normalization(axis=axis, mean=list(UNIT_MEAN), variance=[d**2 for d in UNIT_DEVIATION])(x)


def _network(frame: Frame, x: Any, variant: _Variant) -> Any:
    stages = [
        s._replace(filters=_rounded(s.filters * variant.width), blocks=deeper(s.blocks, variant.depth))
        for s in variant.stages
    ]
    first = 32 if variant.stages is _SMALL else stages[0].filters
    x = convolved(x, "stem", _rounded(first * variant.width), 3, strides=2, momentum=_MOMENTUM)
    # The scaled networks have more blocks than those that the rates are counted by.
    x = in_stages(x, stages, sum(s.blocks for s in variant.stages), _block)
    x = convolved(x, "top", _rounded(1280 * variant.width), momentum=_MOMENTUM)
    return frame.top(x, dropout=0.2, pool_names=True, initializer=fan_out_dense())


def _rounded(filters: float) -> int:
    """The nearest multiple of 8."""
    return max(8, int(filters + 4) // 8 * 8)


def _block(x: Any, name: str, stage: Stage, strides: int, drop_rate: float) -> Any:
    if not stage.fused:
        return inverted(x, name, stage, strides, drop_rate, _depthwise, _MOMENTUM)
    if stage.expansion == 1:
        y = convolved(x, f"{name}_project", stage.filters, stage.size, strides, momentum=_MOMENTUM)
    else:
        expanded = x.shape[channel_axis()] * stage.expansion
        y = convolved(x, f"{name}_expand", expanded, stage.size, strides, momentum=_MOMENTUM)
        y = convolved(y, f"{name}_project", stage.filters, momentum=_MOMENTUM, swish=False)
    return residual(x, y, name, strides, drop_rate)


def _depthwise(x: Any, name: str, size: int, strides: int) -> Any:
    return layers.DepthwiseConv2D(
        size, strides=strides, padding="same", use_bias=False, depthwise_initializer=fan_out(), name=f"{name}_dwconv2"
    )(x)


EfficientNetV2B0 = _architecture("B0")
EfficientNetV2B1 = _architecture("B1")
EfficientNetV2B2 = _architecture("B2")
EfficientNetV2B3 = _architecture("B3")
EfficientNetV2S = _architecture("S")
EfficientNetV2M = _architecture("M")
EfficientNetV2L = _architecture("L")
preprocess_input = unchanged
