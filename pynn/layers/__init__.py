"""Layers, one class per file."""

from __future__ import annotations

from typing import Any

from pynn.layers.activation import Activation
from pynn.layers.average_pooling2d import AveragePooling2D
from pynn.layers.batch_normalization import BatchNormalization
from pynn.layers.conv2d import Conv2D
from pynn.layers.dense import Dense
from pynn.layers.dropout import Dropout
from pynn.layers.einsum_dense import EinsumDense
from pynn.layers.elu import ELU
from pynn.layers.flatten import Flatten
from pynn.layers.global_average_pooling2d import GlobalAveragePooling2D
from pynn.layers.input_layer import Input, InputLayer
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Layer
from pynn.layers.leaky_relu import LeakyReLU
from pynn.layers.max_pooling2d import MaxPooling2D
from pynn.layers.multi_head_attention import MultiHeadAttention
from pynn.layers.relu import ReLU
from pynn.layers.reshape import Reshape
from pynn.layers.softmax import Softmax
from pynn.utils.serialization import deserialize_object, serialize_object

AvgPool2D = AveragePooling2D
Convolution2D = Conv2D
GlobalAvgPool2D = GlobalAveragePooling2D
MaxPool2D = MaxPooling2D

#: The classes a config may name.
ALL: dict[str, type[Layer]] = {
    c.__name__: c
    for c in (
        Activation, AveragePooling2D, BatchNormalization, Conv2D, Dense, Dropout, ELU, Flatten,
        GlobalAveragePooling2D, InputLayer, LeakyReLU, MaxPooling2D, ReLU, Reshape, Softmax,
        EinsumDense, MultiHeadAttention,
    )
}  # fmt: skip

__all__ = [
    "ALL",
    "ELU",
    "Activation",
    "AveragePooling2D",
    "AvgPool2D",
    "BatchNormalization",
    "Conv2D",
    "Convolution2D",
    "Dense",
    "Dropout",
    "EinsumDense",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalAvgPool2D",
    "Input",
    "InputLayer",
    "InputSpec",
    "Layer",
    "LeakyReLU",
    "MaxPool2D",
    "MaxPooling2D",
    "MultiHeadAttention",
    "ReLU",
    "Reshape",
    "Softmax",
    "deserialize",
    "serialize",
]  # fmt: skip


def serialize(layer: Layer) -> dict[str, Any]:
    """The dictionary :func:`deserialize` takes."""
    return serialize_object(layer, "layers")


def deserialize(config: dict[str, Any], custom_objects: dict[str, type[Layer]] | None = None) -> Layer:
    """The layer that ``config`` describes: one of pynn's own classes or of ``custom_objects``."""
    return deserialize_object(config, {**ALL, **(custom_objects or {})}, "layer")
