"""The networks, data and first weights that every framework gets, so that all do the same work.

``weights`` come in Keras's order and layout: kernel and bias per layer, dense kernels as (inputs, units),
convolution kernels as (height, width, channels in, channels out), and dense layers after images expect the
flattened (height, width, channels).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BATCH = 128
SAMPLES = 12_800
STEPS_PER_EPOCH = SAMPLES // BATCH

SGD_RATE = 0.01
# Keras's defaults, spelled out where a framework has others.
ADAM_RATE, ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON = 0.001, 0.9, 0.999, 1e-7


@dataclass(frozen=True)
class Network:
    """What a network learns from and where it starts."""

    name: str
    input_shape: tuple[int, ...]
    weight_shapes: tuple[tuple[int, ...], ...]
    one_hot: bool  # targets as rows of ten numbers, or as the index of the class

    def data(self, samples: int = SAMPLES) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(1)
        x = rng.random((samples, *self.input_shape), dtype=np.float32)
        labels = rng.integers(0, 10, samples)
        y = np.eye(10, dtype=np.float32)[labels] if self.one_hot else labels.astype(np.int32)
        return x, y

    def weights(self) -> list[np.ndarray]:
        rng = np.random.default_rng(2)
        arrays = []
        for shape in self.weight_shapes:
            if len(shape) == 1:
                arrays.append(np.zeros(shape, np.float32))
                continue
            receptive = int(np.prod(shape[:-2]))
            limit = np.sqrt(6 / (receptive * (shape[-2] + shape[-1])))  # Glorot
            arrays.append(rng.uniform(-limit, limit, shape).astype(np.float32))
        return arrays


NETWORKS = {
    "mlp": Network("mlp", (784,), ((784, 64), (64,), (64, 10), (10,)), one_hot=True),
    "lenet5": Network(
        "lenet5",
        (28, 28, 1),
        ((5, 5, 1, 6), (6,), (5, 5, 6, 16), (16,), (400, 120), (120,), (120, 84), (84,), (84, 10), (10,)),
        one_hot=False,
    ),
}
