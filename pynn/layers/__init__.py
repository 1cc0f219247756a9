"""Layers, one class per file."""

from __future__ import annotations

from typing import Any

from pynn.layers.activation import Activation
from pynn.layers.activity_regularization import ActivityRegularization
from pynn.layers.attention import AdditiveAttention, Attention
from pynn.layers.batch_normalization import BatchNormalization
from pynn.layers.bidirectional import Bidirectional
from pynn.layers.borders import Cropping1D, Cropping2D, Cropping3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from pynn.layers.category_encoding import CategoryEncoding
from pynn.layers.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from pynn.layers.convolution import Conv1D, Conv2D, Conv3D
from pynn.layers.dense import Dense
from pynn.layers.depthwise_convolution import DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D
from pynn.layers.discretization import Discretization
from pynn.layers.dot import Dot, dot
from pynn.layers.dropout import Dropout
from pynn.layers.einsum_dense import EinsumDense
from pynn.layers.elu import ELU
from pynn.layers.embedding import Embedding
from pynn.layers.flatten import Flatten
from pynn.layers.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from pynn.layers.group_normalization import GroupNormalization
from pynn.layers.grouped_query_attention import GroupedQueryAttention, GroupQueryAttention
from pynn.layers.gru import GRU, GRUCell
from pynn.layers.hashing import HashedCrossing, Hashing
from pynn.layers.identity import Identity
from pynn.layers.input_layer import Input, InputLayer
from pynn.layers.input_spec import InputSpec
from pynn.layers.lambda_layer import Lambda
from pynn.layers.layer import Layer
from pynn.layers.layer_normalization import LayerNormalization
from pynn.layers.leaky_relu import LeakyReLU
from pynn.layers.lookup import IntegerLookup, StringLookup
from pynn.layers.lstm import LSTM, LSTMCell
from pynn.layers.masking import Masking
from pynn.layers.mel_spectrogram import MelSpectrogram
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
from pynn.layers.noise import AlphaDropout, GaussianDropout, GaussianNoise
from pynn.layers.normalization import Normalization
from pynn.layers.pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from pynn.layers.prelu import PReLU
from pynn.layers.random_colors import (
    RandomBrightness,
    RandomColorJitter,
    RandomContrast,
    RandomGrayscale,
    RandomHue,
    RandomSaturation,
)
from pynn.layers.random_filters import RandomGaussianBlur, RandomSharpness
from pynn.layers.random_patches import CutMix, MixUp, RandomErasing
from pynn.layers.random_places import RandomFlip, RandomRotation, RandomShear, RandomTranslation, RandomZoom
from pynn.layers.rearranging import Permute, RepeatVector
from pynn.layers.relu import ReLU
from pynn.layers.rescaling import Rescaling
from pynn.layers.reshape import Reshape
from pynn.layers.resizing import CenterCrop, RandomCrop, Resizing
from pynn.layers.rms_normalization import RMSNormalization
from pynn.layers.rnn import RNN
from pynn.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from pynn.layers.softmax import Softmax
from pynn.layers.spatial_dropout import SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from pynn.layers.spectral_normalization import SpectralNormalization
from pynn.layers.stacked_rnn_cells import StackedRNNCells
from pynn.layers.text_vectorization import TextVectorization
from pynn.layers.time_distributed import TimeDistributed
from pynn.layers.transposed_convolution import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from pynn.layers.unit_normalization import UnitNormalization
from pynn.layers.upsampling import UpSampling1D, UpSampling2D, UpSampling3D
from pynn.layers.wrapper import Wrapper
from pynn.utils.serialization import deserialize_object, serialize_object

AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
Convolution1D = Conv1D
Convolution1DTranspose = Conv1DTranspose
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
Convolution3D = Conv3D
Convolution3DTranspose = Conv3DTranspose
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D

#: The classes a config may name: all of this module.
ALL: dict[str, type[Layer]] = {
    c.__name__: c for c in list(globals().values()) if isinstance(c, type) and issubclass(c, Layer)
}

__all__ = [
    "ALL",
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "CategoryEncoding",
    "CenterCrop",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "CutMix",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Discretization",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "GroupQueryAttention",
    "GroupedQueryAttention",
    "HashedCrossing",
    "Hashing",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "IntegerLookup",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "MelSpectrogram",
    "Minimum",
    "MixUp",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "RandomBrightness",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "StackedRNNCells",
    "StringLookup",
    "Subtract",
    "TextVectorization",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
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
