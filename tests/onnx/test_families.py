"""One network of each family of `pynn.applications`: the same predictions in ONNX Runtime and when read back."""

import numpy as np
import pytest
from onnx_checks import same_in_onnx_runtime_and_back, shake

from pynn import applications

#: Family -> network, side of the image; None where both are fixed.
NETWORKS = {
    "VGG": ("VGG16", 32),
    "ResNet": ("ResNet50", 32),
    "ResNetV2": ("ResNet50V2", 32),
    "Inception": ("InceptionV3", 75),
    "InceptionResNet": ("InceptionResNetV2", 75),
    "MobileNet": ("MobileNet", 32),
    "MobileNetV2": ("MobileNetV2", 32),
    "MobileNetV3": ("MobileNetV3Small", 32),
    "DenseNet": ("DenseNet121", 32),
    "NASNet": ("NASNetMobile", 32),
    "EfficientNet": ("EfficientNetB0", 32),
    "EfficientNetV2": ("EfficientNetV2B0", 32),
    "ConvNeXt": ("ConvNeXtTiny", 32),
    "Xception": ("Xception", 71),
    "LeNet": ("LeNet5", None),
    "AlexNet": ("AlexNet", None),
    "ResNetCIFAR": ("ResNetCIFAR", None),
}


def _network(name, side):
    make = getattr(applications, name)
    if side is None:
        return make()
    return make(weights=None, include_top=False, pooling="avg", input_shape=(side, side, 3))


@pytest.mark.parametrize("family", NETWORKS)
def test_family(family, tmp_path):
    model = _network(*NETWORKS[family])
    shake(model)
    x = np.random.default_rng(0).uniform(0, 1, (2, *model.input_shape[1:])).astype("float32")
    proto = same_in_onnx_runtime_and_back(model, tmp_path, x)
    turned = sum(node.op_type == "Transpose" for node in proto.graph.node)
    # ConvNeXt normalizes the channels of each point, which takes them last; AlexNet and LeNet flatten an image.
    assert turned <= {"ConvNeXt": 45, "AlexNet": 2, "LeNet": 2}.get(family, 1)
