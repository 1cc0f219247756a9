"""Under which names torchvision's state dicts hold the layers of the architectures that both have.

The networks are the same with these differences, which a state dict does not say: ResNet50 ... 152 take their strides
in a block's first convolution (torchvision's ``resnet50`` in its second: set ``stride`` there), MobileNetV2 pads images
of even size at their right and lower borders only, and batch normalization adds another epsilon.  A convolution's bias
that torchvision has not is moved into the mean that the batch normalization after it subtracts.
"""

from __future__ import annotations

import re
from typing import Any

from pynn import layers

#: Layers of VGG networks in ``features``: a convolution and its ReLU take two places, a pooling one.
_VGG_BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
_RESNET = {
    r"conv1_conv": "conv1",
    r"conv1_bn": "bn1",
    r"conv(\d+)_block(\d+)_0_conv": "layer{-1}.{-1}.downsample.0",
    r"conv(\d+)_block(\d+)_0_bn": "layer{-1}.{-1}.downsample.1",
    r"conv(\d+)_block(\d+)_(\d)_conv": "layer{-1}.{-1}.conv{}",
    r"conv(\d+)_block(\d+)_(\d)_bn": "layer{-1}.{-1}.bn{}",
    r"predictions": "fc",
}
_DENSENET = {
    r"conv1_conv": "features.conv0",
    r"conv1_bn": "features.norm0",
    r"conv(\d+)_block(\d+)_0_bn": "features.denseblock{-1}.denselayer{}.norm1",
    r"conv(\d+)_block(\d+)_1_bn": "features.denseblock{-1}.denselayer{}.norm2",
    r"conv(\d+)_block(\d+)_(\d)_conv": "features.denseblock{-1}.denselayer{}.conv{}",
    r"pool(\d+)_bn": "features.transition{-1}.norm",
    r"pool(\d+)_conv": "features.transition{-1}.conv",
    r"bn": "features.norm5",
    r"predictions": "classifier",
}
_MOBILENET_V2 = {
    r"Conv1": "features.0.0",
    r"bn_Conv1": "features.0.1",
    r"expanded_conv_depthwise": "features.1.conv.0.0",
    r"expanded_conv_depthwise_BN": "features.1.conv.0.1",
    r"expanded_conv_project": "features.1.conv.1",
    r"expanded_conv_project_BN": "features.1.conv.2",
    r"block_(\d+)_expand": "features.{+1}.conv.0.0",
    r"block_(\d+)_expand_BN": "features.{+1}.conv.0.1",
    r"block_(\d+)_depthwise": "features.{+1}.conv.1.0",
    r"block_(\d+)_depthwise_BN": "features.{+1}.conv.1.1",
    r"block_(\d+)_project": "features.{+1}.conv.2",
    r"block_(\d+)_project_BN": "features.{+1}.conv.3",
    r"Conv_1": "features.18.0",
    r"Conv_1_bn": "features.18.1",
    r"predictions": "classifier.1",
}
_INCEPTION_A = ("1x1", "5x5_1", "5x5_2", "3x3dbl_1", "3x3dbl_2", "3x3dbl_3", "_pool")
_INCEPTION_B = ("3x3", "3x3dbl_1", "3x3dbl_2", "3x3dbl_3")
_INCEPTION_C = ("1x1", "7x7_1", "7x7_2", "7x7_3", *(f"7x7dbl_{i}" for i in range(1, 6)), "_pool")
_INCEPTION_D = ("3x3_1", "3x3_2", *(f"7x7x3_{i}" for i in range(1, 5)))
_INCEPTION_E = ("1x1", "3x3_1", "3x3_2a", "3x3_2b", "3x3dbl_1", "3x3dbl_2", "3x3dbl_3a", "3x3dbl_3b", "_pool")
#: InceptionV3's blocks in the order of their convolutions.
_INCEPTION = (
    *(f"Conv2d_{name}" for name in ("1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3")),
    *(f"Mixed_5{block}.branch{branch}" for block in "bcd" for branch in _INCEPTION_A),
    *(f"Mixed_6a.branch{branch}" for branch in _INCEPTION_B),
    *(f"Mixed_6{block}.branch{branch}" for block in "bcde" for branch in _INCEPTION_C),
    *(f"Mixed_7a.branch{branch}" for branch in _INCEPTION_D),
    *(f"Mixed_7{block}.branch{branch}" for block in "bc" for branch in _INCEPTION_E),
)
_TABLES = {r"resnet(50|101|152)": _RESNET, r"densenet\d+": _DENSENET, r"mobilenetv2_.*": _MOBILENET_V2}


def torchvision_names(model: Any) -> dict[str, str] | None:
    """Layer name -> torchvision's name of the module; None for an architecture that torchvision lacks.

    Example:
        >>> from pynn.applications import VGG16
        >>> torchvision_names(VGG16(weights=None))["block2_conv1"]
        'features.5'
    """
    if model.name in _VGG_BLOCKS:
        return _vgg(_VGG_BLOCKS[model.name])
    if model.name == "inception_v3":
        return _inception(model)
    for pattern, table in _TABLES.items():
        if re.fullmatch(pattern, model.name):
            return {layer.name: name for layer in model.layers if (name := _looked_up(layer.name, table))}
    return None


def _looked_up(layer: str, table: dict[str, str]) -> str | None:
    for pattern, name in table.items():
        found = re.fullmatch(pattern, layer)
        if found:
            numbers = iter(found.groups())
            return re.sub(r"\{([+-]1)?\}", lambda shift, n=numbers: str(int(next(n)) + int(shift[1] or 0)), name)  # type: ignore[misc]
    return None


def _vgg(blocks: tuple[int, ...]) -> dict[str, str]:
    names, place = {"fc1": "classifier.0", "fc2": "classifier.3", "predictions": "classifier.6"}, 0
    for block, count in enumerate(blocks, 1):
        for i in range(1, count + 1):
            names[f"block{block}_conv{i}"] = f"features.{place}"
            place += 2
        place += 1
    return names


def _inception(model: Any) -> dict[str, str]:
    """Its convolutions have numbers that differ from process to process, in the order in which they were made."""
    names = {"predictions": "fc"}
    kinds: tuple[tuple[type[layers.Layer], str], ...] = ((layers.Conv2D, "conv"), (layers.BatchNormalization, "bn"))
    for kind, suffix in kinds:
        made = sorted((layer.name for layer in model.layers if isinstance(layer, kind)), key=_number)
        names.update({name: f"{block}.{suffix}" for name, block in zip(made, _INCEPTION, strict=True)})
    return names


def _number(name: str) -> int:
    tail = name.rpartition("_")[2]
    return int(tail) if tail.isdigit() else 0
