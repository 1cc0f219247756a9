"""Image classifiers, as one list of nodes that every framework builds its own network of.

All convolutions and pools are padded "same", as Keras means it: where zeros do not divide evenly, the bottom and the
right get one more.  Weights are drawn, so nothing is downloaded; what they are does not change the time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

INPUT_SHAPE = (224, 224, 3)
CLASSES = 1000
EPSILON = 1e-3
BATCHES = (1, 16)
TRAIN_BATCH = 16
LEARNING_RATE = 0.001
#: How many times faster than the best of the others pynn is meant to be.
BARS = {"vgg16": 1.5, "resnet50": 1.2, "mobilenet_v2": 1.0}
TRAIN_BARS = {"resnet50": 1.5, "mobilenet_v2": 1.5}


@dataclass(frozen=True)
class Node:
    """``kind`` applied to the results of the nodes ``inputs`` (-1: the image), with weights in Keras's layout."""

    kind: str
    inputs: tuple[int, ...]
    arrays: tuple[np.ndarray, ...] = ()
    stride: int = 1
    groups: int = 1
    window: int = 0


@dataclass
class Net:
    """Nodes in order; the last one is the result, of logits."""

    nodes: list[Node] = field(default_factory=list)
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(5))

    def add(self, kind: str, *inputs: int, **options: Any) -> int:
        self.nodes.append(Node(kind, inputs, **options))
        return len(self.nodes) - 1

    def conv(
        self, x: int, channels: int, filters: int, window: int, stride: int = 1, groups: int = 1, bias: bool = False
    ) -> int:
        taps = (window, window, channels // groups)
        kernel = self.rng.standard_normal((*taps, filters), np.float32) * np.sqrt(2 / np.prod(taps), dtype=np.float32)
        arrays = (kernel, np.zeros(filters, np.float32)) if bias else (kernel,)
        return self.add("conv", x, arrays=arrays, stride=stride, groups=groups)

    def norm(self, x: int, channels: int, gamma: float = 1.0) -> int:
        mean = self.rng.standard_normal(channels, np.float32) * np.float32(0.1)
        variance = self.rng.random(channels, np.float32) + np.float32(0.5)
        full = np.full(channels, gamma, np.float32)
        return self.add("norm", x, arrays=(full, np.zeros(channels, np.float32), mean, variance))

    def dense(self, x: int, inputs: int, units: int) -> int:
        kernel = self.rng.standard_normal((inputs, units), np.float32) * np.sqrt(1 / inputs, dtype=np.float32)
        return self.add("dense", x, arrays=(kernel, np.zeros(units, np.float32)))


def vgg16() -> Net:
    net, x, channels = Net(), -1, 3
    for filters, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            x = net.add("relu", net.conv(x, channels, filters, 3, bias=True))
            channels = filters
        x = net.add("max_pool", x, window=2, stride=2)
    x = net.add("flatten", x)
    x = net.add("relu", net.dense(x, 25088, 4096))
    net.dense(net.add("relu", net.dense(x, 4096, 4096)), 4096, CLASSES)
    return net


def resnet50() -> Net:
    net = Net()
    x = net.add("relu", net.norm(net.conv(-1, 3, 64, 7, stride=2), 64))
    x, channels = net.add("max_pool", x, window=3, stride=2), 64
    for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for i in range(blocks):
            step = stride if i == 0 else 1
            shortcut = x if i else net.norm(net.conv(x, channels, 4 * width, 1, step), 4 * width)
            y = net.add("relu", net.norm(net.conv(x, channels, width, 1), width))
            y = net.add("relu", net.norm(net.conv(y, width, width, 3, step), width))
            y = net.norm(net.conv(y, width, 4 * width, 1), 4 * width, gamma=0.3)
            x, channels = net.add("relu", net.add("add", y, shortcut)), 4 * width
    net.dense(net.add("mean", x), channels, CLASSES)
    return net


def mobilenet_v2() -> Net:
    net = Net()
    x, channels = net.add("relu6", net.norm(net.conv(-1, 3, 32, 3, stride=2), 32)), 32
    settings = (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    )
    for expand, filters, blocks, stride in settings:
        for i in range(blocks):
            step, wide, y = stride if i == 0 else 1, expand * channels, x
            if expand > 1:
                y = net.add("relu6", net.norm(net.conv(y, channels, wide, 1), wide))
            y = net.add("relu6", net.norm(net.conv(y, wide, wide, 3, step, groups=wide), wide))
            y = net.norm(net.conv(y, wide, filters, 1), filters)
            x = net.add("add", x, y) if step == 1 and channels == filters else y
            channels = filters
    x = net.add("relu6", net.norm(net.conv(x, channels, 1280, 1), 1280))
    net.dense(net.add("mean", x), 1280, CLASSES)
    return net


NETS = {net.__name__: net for net in (vgg16, resnet50, mobilenet_v2)}


def images(batch: int) -> np.ndarray:
    """The batch that is classified: (batch, height, width, channels)."""
    return np.random.default_rng(6).standard_normal((batch, *INPUT_SHAPE), np.float32)


def labels(batch: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, CLASSES, batch).astype(np.int32)


def same_padding(size: int, window: int, stride: int) -> tuple[int, int]:
    """Zeros before and after, by Keras's rule."""
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2
