"""ResNet50V2, 101V2 and 152V2, which activate before they convolve: He et al., 2016 (arXiv:1603.05027)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pynn import layers
from pynn.applications.frame import Frame, architecture
from pynn.applications.imagenet_utils import decode_predictions, preprocessing
from pynn.applications.resnet import BLOCKS, FILTERS, activated
from pynn.applications.weight_files import published

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]


def build(blocks: tuple[int, ...]) -> Callable[[Frame], Any]:
    def network(frame: Frame) -> Any:
        x = layers.ZeroPadding2D(3, name="conv1_pad")(frame.image)
        x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)
        x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(layers.ZeroPadding2D(1, name="pool1_pad")(x))
        for stage, (filters, count) in enumerate(zip(FILTERS, blocks, strict=True), 2):
            for i in range(1, count + 1):
                strides = 2 if stage < 5 and i == count else 1  # at a stage's end, unlike version 1
                x = _block(x, filters, strides, first=i == 1, name=f"conv{stage}_block{i}")
        return frame.top(activated(x, "post"), pool_names=True)

    return network


def _block(x: Any, filters: int, strides: int, first: bool, name: str) -> Any:
    before = activated(x, f"{name}_preact")
    if first:
        shortcut = layers.Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(before)
    else:
        shortcut = layers.MaxPooling2D(1, strides=strides)(x) if strides > 1 else x
    y = activated(layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(before), f"{name}_1")
    y = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(y)
    y = activated(layers.Conv2D(filters, 3, strides=strides, use_bias=False, name=f"{name}_2_conv")(y), f"{name}_2")
    y = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(y)
    return layers.Add(name=f"{name}_out")([shortcut, y])


ResNet50V2 = architecture(
    "ResNet50V2",
    build(BLOCKS["50"]),
    published("resnet", "resnet50v2", ("3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917")),
    "ResNet50V2 of He et al. (2016): 25,613,800 parameters.",
)
ResNet101V2 = architecture(
    "ResNet101V2",
    build(BLOCKS["101"]),
    published("resnet", "resnet101v2", ("6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5")),
    "ResNet101V2 of He et al. (2016): 44,675,560 parameters.",
)
ResNet152V2 = architecture(
    "ResNet152V2",
    build(BLOCKS["152"]),
    published("resnet", "resnet152v2", ("a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33")),
    "ResNet152V2 of He et al. (2016): 60,380,648 parameters.",
)
preprocess_input = preprocessing("tf")
