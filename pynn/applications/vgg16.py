"""VGG16, and what it shares with VGG19: Simonyan and Zisserman, 2014 (arXiv:1409.1556)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pynn import layers
from pynn.applications.frame import Frame, architecture
from pynn.applications.imagenet_utils import decode_predictions, preprocessing
from pynn.applications.weight_files import published

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]


def vgg(convolutions: tuple[int, ...]) -> Callable[[Frame], Any]:
    """Blocks of so many 3x3 convolutions with a pooling after each, then three dense layers."""

    def build(frame: Frame) -> Any:
        x = frame.image
        for block, (filters, count) in enumerate(zip((64, 128, 256, 512, 512), convolutions, strict=True), 1):
            for i in range(1, count + 1):
                name = f"block{block}_conv{i}"
                x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
            x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
        if not frame.options.include_top:
            return frame.pooled(x)
        x = layers.Flatten(name="flatten")(x)
        for name in ("fc1", "fc2"):
            x = layers.Dense(4096, activation="relu", name=name)(x)
        return frame.classifier(x)

    return build


VGG16 = architecture(
    "VGG16",
    vgg((2, 2, 3, 3, 3)),
    published("vgg16", "vgg16", ("64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc")),
    "VGG16 of Simonyan and Zisserman (2014): 138,357,544 parameters.",
)
preprocess_input = preprocessing("caffe")
