"""Known architectures for images, with the names, layers and published weights of ``keras.applications``.

    >>> from pynn.applications import VGG16
    >>> VGG16(include_top=False, weights=None).count_params()
    14714688

``frame.py`` holds what all of them share: input shapes, pooling, the classifier on top and the loading of weights;
``weight_files.py`` finds and downloads those; there is a file per family beside them.  Everything is imported when it
is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_MODULES = {
    "vgg16": ("VGG16",),
    "vgg19": ("VGG19",),
    "mobilenet": ("MobileNet",),
    "mobilenet_v2": ("MobileNetV2",),
    "mobilenet_v3": ("MobileNetV3Large", "MobileNetV3Small"),
    "densenet": ("DenseNet121", "DenseNet169", "DenseNet201"),
    "resnet": ("ResNet50", "ResNet101", "ResNet152"),
    "resnet50": (),
    "resnet_v2": ("ResNet50V2", "ResNet101V2", "ResNet152V2"),
    "inception_v3": ("InceptionV3",),
    "inception_resnet_v2": ("InceptionResNetV2",),
    "xception": ("Xception",),
    "efficientnet": tuple(f"EfficientNetB{i}" for i in range(8)),
    "efficientnet_v2": tuple(f"EfficientNetV2{variant}" for variant in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    "convnext": tuple(f"ConvNeXt{variant}" for variant in ("Tiny", "Small", "Base", "Large", "XLarge")),
    "nasnet": ("NASNetLarge", "NASNetMobile"),
    "lenet5": ("LeNet5",),
    "alexnet": ("AlexNet",),
    "resnet_cifar": ("ResNetCIFAR",),
    "imagenet_utils": (),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted([*_MODULES, *_HOMES])


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
