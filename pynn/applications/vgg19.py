"""VGG19: Simonyan and Zisserman, 2014 (arXiv:1409.1556)."""

from __future__ import annotations

from pynn.applications.frame import architecture
from pynn.applications.imagenet_utils import decode_predictions, preprocessing
from pynn.applications.vgg16 import vgg
from pynn.applications.weight_files import published

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

VGG19 = architecture(
    "VGG19",
    vgg((2, 2, 4, 4, 4)),
    published("vgg19", "vgg19", ("cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6")),
    "VGG19 of Simonyan and Zisserman (2014): 143,667,240 parameters.",
)
VGG19.__module__ = __name__  # its blocks are VGG16's
preprocess_input = preprocessing("caffe")
