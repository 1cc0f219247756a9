"""Layers, one class per file."""

from __future__ import annotations

from typing import Any

from pynn.layers.activation import Activation
from pynn.layers.attention import AdditiveAttention, Attention
from pynn.layers.average_pooling2d import AveragePooling2D
from pynn.layers.batch_normalization import BatchNormalization
from pynn.layers.bidirectional import Bidirectional
from pynn.layers.conv2d import Conv2D
from pynn.layers.conv2d_transpose import Conv2DTranspose
from pynn.layers.dense import Dense
from pynn.layers.depthwise_conv2d import DepthwiseConv2D, SeparableConv2D
from pynn.layers.dot import Dot, dot
from pynn.layers.dropout import Dropout
from pynn.layers.einsum_dense import EinsumDense
from pynn.layers.elu import ELU
from pynn.layers.embedding import Embedding
from pynn.layers.flatten import Flatten
from pynn.layers.global_average_pooling2d import GlobalAveragePooling2D
from pynn.layers.global_max_pooling2d import GlobalMaxPooling2D
from pynn.layers.gru import GRU
from pynn.layers.image_borders import Cropping2D, UpSampling2D, ZeroPadding2D
from pynn.layers.input_layer import Input, InputLayer
from pynn.layers.input_spec import InputSpec
from pynn.layers.lambda_layer import Lambda
from pynn.layers.layer import Layer
from pynn.layers.layer_normalization import LayerNormalization
from pynn.layers.leaky_relu import LeakyReLU
from pynn.layers.lstm import LSTM
from pynn.layers.max_pooling2d import MaxPooling2D
from pynn.layers.merging import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    maximum,
    minimum,
    multiply,
    subtract,
)
from pynn.layers.multi_head_attention import MultiHeadAttention
from pynn.layers.rearranging import Permute, RepeatVector
from pynn.layers.relu import ReLU
from pynn.layers.reshape import Reshape
from pynn.layers.rms_normalization import RMSNormalization
from pynn.layers.simple_rnn import SimpleRNN
from pynn.layers.softmax import Softmax
from pynn.layers.time_distributed import TimeDistributed
from pynn.utils.serialization import deserialize_object, serialize_object

AvgPool2D = AveragePooling2D
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool2D = GlobalMaxPooling2D
MaxPool2D = MaxPooling2D

#: The classes a config may name.
ALL: dict[str, type[Layer]] = {
    c.__name__: c
    for c in (
        Activation, AveragePooling2D, BatchNormalization, Conv2D, Dense, Dropout, ELU, Embedding, Flatten, GRU,
        LSTM, SimpleRNN, Bidirectional, TimeDistributed,
        GlobalAveragePooling2D, InputLayer, LeakyReLU, MaxPooling2D, ReLU, Reshape, Softmax,
        Add, Average, Concatenate, Cropping2D, DepthwiseConv2D, GlobalMaxPooling2D, Maximum, Minimum,
        Multiply, Permute, RepeatVector, SeparableConv2D, Subtract, UpSampling2D, ZeroPadding2D,
        Activation, AveragePooling2D, BatchNormalization, Conv2D, Dense, Dropout, ELU, Flatten,
        GlobalAveragePooling2D, InputLayer, LayerNormalization, LeakyReLU, MaxPooling2D, RMSNormalization, ReLU,
        Reshape, Softmax,
        AdditiveAttention, Attention, Conv2DTranspose, Dot, EinsumDense, MultiHeadAttention,
    )
}  # fmt: skip

__all__ = [
    "ALL",
    "ELU",
    "GRU",
    "LSTM",
    "Activation",
    "Add",
    "AdditiveAttention",
    "Attention",
    "Average",
    "AveragePooling2D",
    "AvgPool2D",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv2D",
    "Conv2DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Cropping2D",
    "Dense",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalAvgPool2D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling2D",
    "Input",
    "InputLayer",
    "InputSpec",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "MaxPool2D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "SeparableConv2D",
    "SimpleRNN",
    "Softmax",
    "Subtract",
    "TimeDistributed",
    "UpSampling2D",
    "ZeroPadding2D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]  # fmt: skip


def serialize(layer: Layer) -> dict[str, Any]:
    """The dictionary :func:`deserialize` takes."""
    return serialize_object(layer, "layers")


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """The layer that ``config`` describes: one of pynn's own classes or of ``custom_objects``."""
    return deserialize_object(config, ALL, "layer", custom_objects)
