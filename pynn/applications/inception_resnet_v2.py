"""InceptionResNetV2: Szegedy et al., 2016 (arXiv:1602.07261); its branches are built as those of InceptionV3."""

from __future__ import annotations

from typing import Any

from pynn import layers
from pynn.applications.frame import Frame, architecture, channel_axis
from pynn.applications.imagenet_utils import decode_predictions, preprocessing
from pynn.applications.inception_v3 import chain, conv, joined, smoothed, stem
from pynn.applications.weight_files import published

__all__ = ["CustomScaleLayer", "InceptionResNetV2", "decode_predictions", "preprocess_input"]


class CustomScaleLayer(layers.Layer):
    """``inputs[0] + scale * inputs[1]``: a residual that is made small before it is added.

    Args:
        scale: of the second input.

    Example:
        >>> import numpy as np
        >>> CustomScaleLayer(0.5)([np.array([1.0]), np.array([4.0])]).tolist()
        [3.0]
    """

    def __init__(self, scale: float, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs: Any) -> Any:
        return inputs[0] + self.scale * inputs[1]


def _residual(x: Any, scale: float, name: str, *branches: Any, last: bool = False) -> Any:
    """Branches side by side, a 1x1 convolution to as many channels as ``x`` has, added to it with ``scale``."""
    y = joined(f"{name}_mixed", *branches)
    y = layers.Conv2D(x.shape[channel_axis()], 1, padding="same", name=f"{name}_conv")(y)
    x = CustomScaleLayer(scale)([x, y])
    return x if last else layers.Activation("relu", name=f"{name}_ac")(x)


def _halved(x: Any, filters: int) -> Any:
    return conv(x, filters, 3, strides=2, padding="valid")


def _build(frame: Frame) -> Any:
    x = stem(frame.image)
    x = joined(  # 35 x 35
        "mixed_5b", conv(x, 96), chain(x, (48, 1), (64, 5)), chain(x, (64, 1), (96, 3), (96, 3)), smoothed(x, 64)
    )
    for i in range(1, 11):
        x = _residual(
            x, 0.17, f"block35_{i}", conv(x, 32), chain(x, (32, 1), (32, 3)), chain(x, (32, 1), (48, 3), (64, 3))
        )
    x = joined(  # 17 x 17
        "mixed_6a",
        _halved(x, 384),
        _halved(chain(x, (256, 1), (256, 3)), 384),
        layers.MaxPooling2D(3, strides=2)(x),
    )
    for i in range(1, 21):
        x = _residual(x, 0.1, f"block17_{i}", conv(x, 192), chain(x, (128, 1), (160, (1, 7)), (192, (7, 1))))
    x = joined(  # 8 x 8
        "mixed_7a",
        _halved(conv(x, 256), 384),
        _halved(conv(x, 256), 288),
        _halved(chain(x, (256, 1), (288, 3)), 320),
        layers.MaxPooling2D(3, strides=2)(x),
    )
    for i in range(1, 11):
        last = i == 10
        branches = conv(x, 192), chain(x, (192, 1), (224, (1, 3)), (256, (3, 1)))
        x = _residual(x, 1.0 if last else 0.2, f"block8_{i}", *branches, last=last)
    return frame.top(conv(x, 1536, name="conv_7b"))


InceptionResNetV2 = architecture(
    "InceptionResNetV2",
    _build,
    published(
        "inception_resnet_v2",
        "inception_resnet_v2",
        ("e693bd0210a403b3192acc6073ad2e96", "d19885ff4a710c122648d3b5c3b684e4"),
    ),
    "InceptionResNetV2 of Szegedy et al. (2016): 55,873,736 parameters.",
    size=299,
    least=75,
    model_name="inception_resnet_v2",
)
preprocess_input = preprocessing("tf")
