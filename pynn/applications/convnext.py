"""ConvNeXt Tiny to XLarge: Liu et al., 2022 (arXiv:2201.03545), and the two layers that come with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pynn import initializers, layers
from pynn.applications.frame import CLASSES, Frame, Options, channel_axis, described
from pynn.applications.imagenet_utils import UNIT_DEVIATION, UNIT_MEAN, decode_predictions, unchanged
from pynn.applications.weight_files import at_site
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.layers.arguments import positive_int
from pynn.models import Model, Sequential
from pynn.utils.arrays import as_float

__all__ = [
    "ConvNeXtBase",
    "ConvNeXtLarge",
    "ConvNeXtSmall",
    "ConvNeXtTiny",
    "ConvNeXtXLarge",
    "LayerScale",
    "StochasticDepth",
    "decode_predictions",
    "preprocess_input",
]

_EPSILON = 1e-6
_LAYER_SCALE = 1e-6


class _Variant(NamedTuple):
    #: Blocks and channels of the four stages.
    depths: tuple[int, ...]
    widths: tuple[int, ...]
    parameters: str
    #: Of the published files with and without the top.
    hashes: tuple[str, str]


#: Section 3 of the paper.
_VARIANTS = {
    "Tiny": _Variant(
        (3, 3, 9, 3),
        (96, 192, 384, 768),
        "28,589,128",
        (
            "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
            "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
        ),
    ),
    "Small": _Variant(
        (3, 3, 27, 3),
        (96, 192, 384, 768),
        "50,223,688",
        (
            "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c",
            "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
        ),
    ),
    "Base": _Variant(
        (3, 3, 27, 3),
        (128, 256, 512, 1024),
        "88,591,464",
        (
            "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6",
            "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
        ),
    ),
    "Large": _Variant(
        (3, 3, 27, 3),
        (192, 384, 768, 1536),
        "197,767,336",
        (
            "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6",
            "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd",
        ),
    ),
    "XLarge": _Variant(
        (3, 3, 27, 3),
        (256, 512, 1024, 2048),
        "350,196,968",
        (
            "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee",
            "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
        ),
    ),
}


class LayerScale(layers.Layer):
    """Channels times a weight for each, which starts near 0, so that a residual block begins as the identity.

    (Touvron et al., 2021, arXiv:2103.17239.)

    Args:
        init_values: what the weights start with.
        projection_dim: the number of channels, which are the last axis.

    Example:
        >>> import numpy as np
        >>> LayerScale(0.5, 2)(np.ones((1, 2)))
        array([[0.5, 0.5]], dtype=float32)
    """

    def __init__(self, init_values: float, projection_dim: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.init_values = init_values
        self.projection_dim = positive_int(f"layer '{self.name}'", "projection_dim", projection_dim)

    def build(self, input_shape: Sequence[int | None]) -> None:
        if input_shape[-1] != self.projection_dim:
            raise ShapeError(
                f"layer '{self.name}': projection_dim={self.projection_dim} is not the number of channels, the last "
                f"axis of an input of shape {tuple(input_shape)}"
            )
        self.gamma = self.add_weight((self.projection_dim,), initializers.Constant(self.init_values))
        self.built = True

    def call(self, x: Value) -> Value:
        return as_float(x) * as_value(self.gamma)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "init_values": self.init_values, "projection_dim": self.projection_dim}


class StochasticDepth(layers.Dropout):
    """While training, leaves out some images of a batch altogether and scales the others by ``1 / (1 - rate)``.

    Before the addition of a residual block it leaves out the block (Huang et al., 2016, arXiv:1603.09382).

    Args:
        drop_path_rate: fraction to leave out, from 0 to 1.

    Example:
        >>> import numpy as np
        >>> y = StochasticDepth(0.5)(np.ones((20, 3)), training=True)
        >>> bool((y == y[:, :1]).all())
        True
    """

    supports_masking = False

    def __init__(self, drop_path_rate: float, **kwargs: Any):
        super().__init__(drop_path_rate, **kwargs)
        self.drop_path_rate = self.rate

    def _mask_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (shape[0], *[1] * (len(shape) - 1))

    def get_config(self) -> dict[str, Any]:
        return {**layers.Layer.get_config(self), "drop_path_rate": self.drop_path_rate}


def _architecture(variant_name: str) -> Callable[..., Model]:
    variant = _VARIANTS[variant_name]
    network, stem = f"ConvNeXt{variant_name}", f"convnext_{variant_name.lower()}"
    start = f"convnext/{stem}"
    files = at_site(f"{start}.h5", variant.hashes[0]), at_site(f"{start}_notop.h5", variant.hashes[1])

    def application(
        include_top: bool = True,
        include_preprocessing: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Any = "softmax",
        name: str | None = stem,
    ) -> Model:
        if channel_axis() == 1:
            raise ArgumentError(
                f"{network} needs images whose channels are last; call "
                'pynn.config.set_image_data_format("channels_last")'
            )
        options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
        frame = Frame(network, options)
        x = _network(frame, variant, name or stem, include_preprocessing)
        return frame.model(x, name, files)

    return described(
        application, network, __name__, f"{network} of Liu et al. (2022): {variant.parameters} parameters.",
        preprocessing="the network takes pixels from 0 to 255 and normalizes ImageNet's colours itself.",
    )  # fmt: skip


def _network(frame: Frame, variant: _Variant, name: str, include_preprocessing: bool) -> Any:
    x = frame.image
    if include_preprocessing and x.shape[-1] == len(UNIT_MEAN):
        x = layers.Normalization(
            mean=[255 * m for m in UNIT_MEAN], variance=[(255 * d) ** 2 for d in UNIT_DEVIATION],
            name=f"{name}_prestem_normalization",
        )(x)  # fmt: skip
    for stage, (depth, width) in enumerate(zip(variant.depths, variant.widths, strict=True)):
        x = _smaller(width, stage, name)(x)
        for i in range(depth):
            x = _block(x, width, f"{name}_stage_{stage}_block_{i}")
    if not frame.options.include_top:
        return _layer_norm()(frame.pooled(x))
    x = layers.GlobalAveragePooling2D(name=f"{name}_head_gap")(x)
    return frame.classifier(_layer_norm(f"{name}_head_layernorm")(x), f"{name}_head_dense")


def _layer_norm(name: str | None = None) -> layers.Layer:
    return layers.LayerNormalization(epsilon=_EPSILON, name=name)


def _smaller(width: int, stage: int, name: str) -> Model:
    """Before a stage: patches of 4x4 pixels at first, of 2x2 places later."""
    if stage == 0:
        patches = layers.Conv2D(width, 4, strides=4, name=f"{name}_stem_conv")
        return Sequential([patches, _layer_norm(f"{name}_stem_layernorm")], name=f"{name}_stem")
    number = stage - 1
    patches = layers.Conv2D(width, 2, strides=2, name=f"{name}_downsampling_conv_{number}")
    normalization = _layer_norm(f"{name}_downsampling_layernorm_{number}")
    return Sequential([normalization, patches], name=f"{name}_downsampling_block_{number}")


def _block(x: Any, width: int, name: str) -> Any:
    """What is around a place in each channel, then two dense layers over the channels of the place."""
    y = layers.Conv2D(width, 7, padding="same", groups=width, name=f"{name}_depthwise_conv")(x)
    y = _layer_norm(f"{name}_layernorm")(y)
    y = layers.Dense(4 * width, name=f"{name}_pointwise_conv_1")(y)
    y = layers.Activation("gelu", name=f"{name}_gelu")(y)
    y = layers.Dense(width, name=f"{name}_pointwise_conv_2")(y)
    y = LayerScale(_LAYER_SCALE, width, name=f"{name}_layer_scale")(y)
    # A place for StochasticDepth, which the published networks do without.
    y = layers.Activation("linear", name=f"{name}_identity")(y)
    return x + y


ConvNeXtTiny = _architecture("Tiny")
ConvNeXtSmall = _architecture("Small")
ConvNeXtBase = _architecture("Base")
ConvNeXtLarge = _architecture("Large")
ConvNeXtXLarge = _architecture("XLarge")
preprocess_input = unchanged
