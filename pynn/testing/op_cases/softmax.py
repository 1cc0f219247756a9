"""Cases of softmax and the cross-entropies: rows shorter and longer than vectors, huge logits, labels of no class."""

import numpy as np

from pynn.graph.ir import Spec
from pynn.ops.softmax import (
    LogSoftmax,
    LogSoftmaxGrad,
    Softmax,
    SoftmaxCrossentropy,
    SoftmaxCrossentropyGrad,
    SoftmaxGrad,
    SparseSoftmaxCrossentropy,
    SparseSoftmaxCrossentropyGrad,
)
from pynn.testing.op_case import OpCase

#: 1..4 vectors of each ISA with full and ragged ends, and longer; leading axes of several kinds.
_SHAPES = [
    (1, 1), (3, 2), (5, 4), (128, 10), (2, 15), (1, 16), (7, 17), (4, 31), (2, 33), (3, 48), (2, 64), (3, 65),
    (2, 130), (2, 1000), (10,), (2, 3, 5), (600, 100),
]  # fmt: skip


def _huge(rng, spec):
    return rng.uniform(-1e4, 1e4, spec.shape)


def _probabilities(rng, spec):
    p = rng.uniform(0.01, 1, spec.shape)
    return p / p.sum(axis=-1, keepdims=True)


def _log_probabilities(rng, spec):
    return np.log(_probabilities(rng, spec))


def _labels_of(classes):
    def draw(rng, spec):
        return rng.integers(0, classes, spec.shape)

    return draw


def _labels_beyond(rng, spec):
    return np.resize(np.array([-1, 0, 9, 10, 2**31 - 1, -(2**31)]), spec.shape)


def _cases_of(shape):
    x, rows = Spec(shape), Spec(shape[:-1])
    labels = Spec(shape[:-1], "int32")
    draw_labels = _labels_of(shape[-1])
    return [
        OpCase(Softmax(), [x], expect=[shape]),
        OpCase(SoftmaxGrad(), [x, x], {1: _probabilities}, expect=[shape]),
        OpCase(LogSoftmax(), [x], expect=[shape]),
        OpCase(LogSoftmaxGrad(), [x, x], {1: _log_probabilities}, rtol=1e-5, atol=5e-6, expect=[shape]),
        OpCase(SoftmaxCrossentropy(), [x, x], {1: _probabilities}, expect=[shape[:-1], shape]),
        OpCase(SoftmaxCrossentropyGrad(), [rows, x, x], {1: _probabilities, 2: _probabilities}, expect=[shape]),
        OpCase(SparseSoftmaxCrossentropy(), [x, labels], {1: draw_labels}, expect=[shape[:-1], shape]),
        OpCase(SparseSoftmaxCrossentropyGrad(), [rows, x, labels], {1: _probabilities, 2: draw_labels}, expect=[shape]),
    ]


CASES = [case for shape in _SHAPES for case in _cases_of(shape)]

for _shape in [(6, 10), (2, 100)]:
    _x, _labels = Spec(_shape), Spec(_shape[:-1], "int32")
    CASES += [
        OpCase(Softmax(), [_x], {0: _huge}, grad=(), note="logits of +-1e4"),
        OpCase(LogSoftmax(), [_x], {0: _huge}, grad=(), note="logits of +-1e4"),
        OpCase(SoftmaxCrossentropy(), [_x, _x], {0: _huge, 1: _probabilities}, grad=(), note="logits of +-1e4"),
        OpCase(
            SparseSoftmaxCrossentropy(), [_x, _labels], {0: _huge, 1: _labels_of(10)}, grad=(), note="logits of +-1e4"
        ),
    ]
CASES += [
    OpCase(
        SparseSoftmaxCrossentropy(),
        [Spec((12, 10)), Spec((12,), "int32")],
        {1: _labels_beyond},
        grad=(),
        note="labels of no class give NaN",
    ),
    OpCase(
        SparseSoftmaxCrossentropyGrad(),
        [Spec((12,)), Spec((12, 10)), Spec((12,), "int32")],
        {2: _labels_beyond},
        grad=(),
        note="labels of no class give NaN",
    ),
]
