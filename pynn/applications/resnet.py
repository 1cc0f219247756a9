"""ResNet50, 101 and 152, and the stages they share with version 2: He et al., 2015 (arXiv:1512.03385)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pynn import layers
from pynn.applications.frame import Frame, architecture, channel_axis
from pynn.applications.imagenet_utils import decode_predictions, preprocessing
from pynn.applications.weight_files import published

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]

#: Name -> blocks of the four stages.
BLOCKS = {"50": (3, 4, 6, 3), "101": (3, 4, 23, 3), "152": (3, 8, 36, 3)}
FILTERS = (64, 128, 256, 512)


def normalized(x: Any, name: str) -> Any:
    """Batch normalization with the epsilon of all ResNets."""
    return layers.BatchNormalization(axis=channel_axis(), epsilon=1.001e-5, name=name)(x)


def activated(x: Any, name: str) -> Any:
    """Batch normalization and ReLU, ``<name>_bn`` and ``<name>_relu``."""
    return layers.Activation("relu", name=f"{name}_relu")(normalized(x, f"{name}_bn"))


def build(blocks: tuple[int, ...]) -> Callable[[Frame], Any]:
    def network(frame: Frame) -> Any:
        x = layers.ZeroPadding2D(3, name="conv1_pad")(frame.image)
        x = activated(layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x), "conv1")
        x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(layers.ZeroPadding2D(1, name="pool1_pad")(x))
        for stage, (filters, count) in enumerate(zip(FILTERS, blocks, strict=True), 2):
            for i in range(1, count + 1):
                strides = 2 if stage > 2 and i == 1 else 1
                x = _block(x, filters, strides, first=i == 1, name=f"conv{stage}_block{i}")
        return frame.top(x, pool_names=True)

    return network


def _block(x: Any, filters: int, strides: int, first: bool, name: str) -> Any:
    """Convolutions of 1x1, 3x3 and 1x1, beside them the input itself or, in a stage's first block, a 1x1 of it."""
    shortcut = x
    if first:
        shortcut = layers.Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(x)
        shortcut = normalized(shortcut, f"{name}_0_bn")
    x = activated(layers.Conv2D(filters, 1, strides=strides, name=f"{name}_1_conv")(x), f"{name}_1")
    x = activated(layers.Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x), f"{name}_2")
    x = normalized(layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x), f"{name}_3_bn")
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.Activation("relu", name=f"{name}_out")(x)


ResNet50 = architecture(
    "ResNet50",
    build(BLOCKS["50"]),
    published("resnet", "resnet50", ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626")),
    "ResNet50 of He et al. (2015): 25,636,712 parameters.",
)
ResNet101 = architecture(
    "ResNet101",
    build(BLOCKS["101"]),
    published("resnet", "resnet101", ("f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21")),
    "ResNet101 of He et al. (2015): 44,707,176 parameters.",
)
ResNet152 = architecture(
    "ResNet152",
    build(BLOCKS["152"]),
    published("resnet", "resnet152", ("100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c")),
    "ResNet152 of He et al. (2015): 60,419,944 parameters.",
)
preprocess_input = preprocessing("caffe")
