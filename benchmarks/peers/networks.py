"""The networks, data and first weights that every framework gets, so that all do the same work.

``weights`` come in Keras's order and layout: kernel and bias per layer, dense kernels as (inputs, units), convolution
kernels as (height, width, channels in, channels out), batch normalization as gamma, beta, moving mean and variance,
dense layers after images expect the flattened (height, width, channels), and an LSTM has the gates i, f, g, o.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

BATCH = 128

SGD_RATE = 0.01
# Keras's defaults, spelled out where a framework has others.
ADAM_RATE, ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON = 0.001, 0.9, 0.999, 1e-7
BATCH_NORM_EPSILON, BATCH_NORM_MOMENTUM = 1e-3, 0.99
DROPOUT = 0.2

#: Sizes of the networks for sequences of words.
VOCABULARY = 20_000
LSTM_STEPS, LSTM_UNITS = 80, 128
WORDS, WIDTH, HEADS, FEED_FORWARD, BLOCKS = 128, 128, 4, 512, 2
LAYER_NORM_EPSILON = 1e-6

#: ("dense", inputs, units), ("conv", window, channels, filters, has a bias), ("norm", channels), ("layer_norm", width),
#: ("table", rows, width), ("lstm", inputs, units), ("attention", width, heads): in Keras's order.
Layer = tuple[Any, ...]


@dataclass(frozen=True)
class Network:
    """What a network learns from, where it starts, and how much faster than the best peer pynn is meant to train it."""

    name: str
    description: str
    input_shape: tuple[int, ...]
    layers: tuple[Layer, ...]
    bar: float
    #: Peers with a bar of their own, which then do not count among the others.
    peer_bars: Mapping[str, float] = field(default_factory=dict)
    batch: int = BATCH
    words: bool = False  # the inputs are numbers of words
    binary: bool = False  # targets are 0 or 1
    one_hot: bool = False  # targets as rows of ten numbers, or as the index of the class
    flattened: tuple[int, int, int] | None = None  # the image that the first dense layer reads
    is_random: bool = False  # dropout: each framework draws its own numbers, so losses differ
    samples: int = 12_800  # of an epoch of ``fit``
    #: How far losses after the first may lie apart.  Adam's first steps go by the gradient's sign alone, and behind a
    #: normalization many gradients are rounding errors about zero: two layouts in PyTorch differ by 7e-4.
    loss_tolerance: float = 2e-4

    @property
    def steps_per_epoch(self) -> int:
        return self.samples // self.batch

    def data(self, samples: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(1)
        samples = samples or self.samples
        if self.words:
            x = rng.integers(0, VOCABULARY, (samples, *self.input_shape)).astype(np.int32)
        else:
            x = rng.random((samples, *self.input_shape), dtype=np.float32)
        if self.binary:
            return x, rng.integers(0, 2, (samples, 1)).astype(np.float32)
        labels = rng.integers(0, 10, samples)
        y = np.eye(10, dtype=np.float32)[labels] if self.one_hot else labels.astype(np.int32)
        return x, y

    def weights(self) -> list[np.ndarray]:
        rng = np.random.default_rng(2)

        def glorot(*shape: int) -> np.ndarray:
            receptive = int(np.prod(shape[:-2]))
            limit = np.sqrt(6 / (receptive * (shape[-2] + shape[-1])))
            return rng.uniform(-limit, limit, shape).astype(np.float32)

        arrays = []
        for kind, *sizes in self.layers:
            if kind == "dense":
                arrays += [glorot(*sizes), np.zeros(sizes[1], np.float32)]
            elif kind == "conv":
                window, channels, filters, has_bias = sizes
                arrays.append(glorot(window, window, channels, filters))
                arrays += [np.zeros(filters, np.float32)] if has_bias else []
            elif kind == "table":
                arrays.append(rng.uniform(-0.05, 0.05, sizes).astype(np.float32))
            elif kind == "layer_norm":
                arrays += [np.full(sizes[0], value, np.float32) for value in (1, 0)]
            elif kind == "lstm":
                inputs, units = sizes
                arrays += [glorot(inputs, 4 * units), glorot(units, 4 * units)]
                arrays.append(np.repeat(np.float32([0, 1, 0, 0]), units))
            elif kind == "attention":
                width, heads = sizes
                for _ in "qkv":
                    arrays.append(glorot(width, width).reshape(width, heads, -1))
                    arrays.append(np.zeros((heads, width // heads), np.float32))
                arrays.append(glorot(width, width).reshape(heads, -1, width))
                arrays.append(np.zeros(width, np.float32))
            else:
                arrays += [np.full(sizes[0], value, np.float32) for value in (1, 0, 0, 1)]
        return arrays


def _cifar_layers() -> Iterator[Layer]:
    channels = 3
    for filters in (32, 32, 64, 64, 128, 128):
        yield "conv", 3, channels, filters, False
        yield "norm", filters
        channels = filters
    yield "dense", 4 * 4 * 128, 10


def resnet20_blocks() -> list[tuple[int, int, int]]:
    """Channels, filters and stride of each block."""
    return [
        (stage[0] if i == 0 else stage[1], stage[1], stage[2] if i == 0 else 1)
        for stage in ((16, 16, 1), (16, 32, 2), (32, 64, 2))
        for i in range(3)
    ]


def _resnet20_layers() -> Iterator[Layer]:
    yield from (("conv", 3, 3, 16, False), ("norm", 16))
    for channels, filters, stride in resnet20_blocks():
        yield from (("conv", 3, channels, filters, False), ("norm", filters))
        yield from (("conv", 3, filters, filters, False), ("norm", filters))
        if stride > 1:
            yield from (("conv", 1, channels, filters, False), ("norm", filters))
    yield "dense", 64, 10


def _transformer_layers() -> Iterator[Layer]:
    yield from (("table", VOCABULARY, WIDTH), ("table", WORDS, WIDTH))
    for _ in range(BLOCKS):
        yield from (("attention", WIDTH, HEADS), ("layer_norm", WIDTH))
        yield from (("dense", WIDTH, FEED_FORWARD), ("dense", FEED_FORWARD, WIDTH), ("layer_norm", WIDTH))
    yield "dense", WIDTH, 10


_LENET5_LAYERS = (
    ("conv", 5, 1, 6, True),
    ("conv", 5, 6, 16, True),
    ("dense", 400, 120),
    ("dense", 120, 84),
    ("dense", 84, 10),
)

NETWORKS = {
    network.name: network
    for network in (
        Network(
            "mlp",
            "784-64-10, sigmoid, softmax, MSE, SGD, batch 128",
            (784,),
            (("dense", 784, 64), ("dense", 64, 10)),
            bar=3.0,
            peer_bars={"numpy": 2.2},  # no framework in between, and BLAS for the products
            one_hot=True,
        ),
        Network(
            "mlp_dropout",
            "784-512-512-10, relu, dropout, cross entropy, Adam, batch 128",
            (784,),
            (("dense", 784, 512), ("dense", 512, 512), ("dense", 512, 10)),
            bar=1.8,
            is_random=True,
        ),
        Network(
            "lenet5",
            "LeNet-5, relu, cross entropy, Adam, batch 128",
            (28, 28, 1),
            _LENET5_LAYERS,
            bar=5.0,
            flattened=(5, 5, 16),
        ),
        Network(
            "cifar",
            "6 convolutions with batch normalization, cross entropy, Adam, batch 128",
            (32, 32, 3),
            tuple(_cifar_layers()),
            bar=2.2,
            flattened=(4, 4, 128),
            samples=1_280,
            loss_tolerance=3e-3,
        ),
        Network(
            "resnet20",
            "ResNet-20 for 32 x 32 images, cross entropy, Adam, batch 128",
            (32, 32, 3),
            tuple(_resnet20_layers()),
            bar=2.0,
            samples=1_280,
            loss_tolerance=3e-3,
        ),
        Network(
            "lstm",
            "words, embedding 20,000 x 128, LSTM(128) over 80 steps, binary cross entropy, Adam, batch 32",
            (LSTM_STEPS,),
            (("table", VOCABULARY, 128), ("lstm", 128, LSTM_UNITS), ("dense", LSTM_UNITS, 1)),
            bar=1.5,
            batch=32,
            words=True,
            binary=True,
            samples=1_280,
            # PyTorch adds Adam's epsilon to another number, which shows where gradients are as small as at early words.
            loss_tolerance=3e-3,
        ),
        Network(
            "transformer",
            "128 words, embedding 20,000 x 128, 2 encoder blocks (4 heads, 512), cross entropy, Adam, batch 32",
            (WORDS,),
            tuple(_transformer_layers()),
            bar=1.5,
            batch=32,
            words=True,
            samples=640,
            # Likewise, and these first losses go up and down by a third: Keras on TensorFlow and on JAX differ by 1 %.
            loss_tolerance=1.5e-2,
        ),
    )
}
