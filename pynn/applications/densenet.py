"""DenseNet121, 169 and 201: Huang et al., 2016 (arXiv:1608.06993)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pynn import layers
from pynn.applications.frame import Frame, architecture, channel_axis
from pynn.applications.imagenet_utils import decode_predictions, preprocessing
from pynn.applications.resnet import activated
from pynn.applications.weight_files import published

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

GROWTH = 32


def _build(blocks: tuple[int, ...]) -> Callable[[Frame], Any]:
    def network(frame: Frame) -> Any:
        x = layers.ZeroPadding2D(3)(frame.image)
        x = activated(layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(x), "conv1")
        x = layers.MaxPooling2D(3, strides=2, name="pool1")(layers.ZeroPadding2D(1)(x))
        for stage, count in enumerate(blocks, 2):
            if stage > 2:
                x = _transition(x, f"pool{stage - 1}")
            for i in range(1, count + 1):
                x = _block(x, f"conv{stage}_block{i}")
        x = layers.BatchNormalization(axis=channel_axis(), epsilon=1.001e-5, name="bn")(x)
        return frame.top(layers.Activation("relu", name="relu")(x), pool_names=True)

    return network


def _block(x: Any, name: str) -> Any:
    """32 new channels, made of all there are and put beside them."""
    y = layers.Conv2D(4 * GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(activated(x, f"{name}_0"))
    y = layers.Conv2D(GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(activated(y, f"{name}_1"))
    return layers.Concatenate(axis=channel_axis(), name=f"{name}_concat")([x, y])


def _transition(x: Any, name: str) -> Any:
    """Half of the channels, half of the height and width."""
    channels = x.shape[channel_axis()] // 2
    x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_conv")(activated(x, name))
    return layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


DenseNet121 = architecture(
    "DenseNet121",
    _build((6, 12, 24, 16)),
    published("densenet", "densenet121", ("9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738")),
    "DenseNet121 of Huang et al. (2016): 8,062,504 parameters.",
)
DenseNet169 = architecture(
    "DenseNet169",
    _build((6, 12, 32, 32)),
    published("densenet", "densenet169", ("d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b")),
    "DenseNet169 of Huang et al. (2016): 14,307,880 parameters.",
)
DenseNet201 = architecture(
    "DenseNet201",
    _build((6, 12, 48, 32)),
    published("densenet", "densenet201", ("1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1")),
    "DenseNet201 of Huang et al. (2016): 20,242,984 parameters.",
)
preprocess_input = preprocessing("torch")
