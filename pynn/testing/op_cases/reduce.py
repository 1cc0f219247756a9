"""Cases of the reductions: rows, columns, the middle, everything; sizes around the vector and the chunk."""

import numpy as np

from pynn.graph.ir import Spec
from pynn.ops.reduce import Argmax, Max, Min, Sum
from pynn.testing.op_case import OpCase


def _ties(rng, spec):
    return rng.integers(0, 3, spec.shape).astype("float64")


def _distinct(rng, spec):
    return rng.permutation(int(np.prod(spec.shape))).reshape(spec.shape) * 0.1


_SHAPES = [
    ((5, 7), 0, 1), ((5, 7), 1, 1), ((5, 7), 0, 2), ((3, 4, 5), 1, 1), ((3, 4, 5), 0, 2), ((3, 4, 5), 1, 2),
    ((1,), 0, 1), ((17,), 0, 1), ((128, 10), 0, 1), ((128, 10), 1, 1), ((128, 64), 0, 1), ((3, 1, 4), 1, 1),
]  # fmt: skip

CASES = [
    *(OpCase(Sum(axis, count), [Spec(shape)], atol=1e-5) for shape, axis, count in _SHAPES),
    *(OpCase(op(axis, count), [Spec(shape)], draw={0: _distinct})
      for shape, axis, count in _SHAPES for op in (Max, Min)),
    OpCase(Sum(0), [Spec((3000, 6))], atol=2e-5),
    OpCase(Sum(0), [Spec((2500, 70))], atol=2e-5),
    OpCase(Sum(0), [Spec((40000,))], atol=2e-5),
    OpCase(Sum(1), [Spec((70, 4100))], atol=2e-5),
    OpCase(Sum(1), [Spec((6, 1500, 33))], atol=2e-5),
    *(OpCase(op(0), [Spec((700, c))], atol=2e-5, draw={0: _distinct} if op is Max else {})
      for op in (Sum, Max) for c in range(1, 16)),
    OpCase(Sum(0), [Spec((100352, 6))], atol=1e-4, grad=(), note="the bias gradient of a convolution"),
    OpCase(Sum(1), [Spec((2, 600, 1100))], atol=2e-5, grad=(), note="two slabs of columns"),
    OpCase(Max(0), [Spec((40000,))]),
    OpCase(Max(0), [Spec((9, 5))], draw={0: _ties}, grad=(), note="equal maxima"),
    *(OpCase(op(0), [Spec((9, 5), "int32")], rtol=0, atol=0, grad=()) for op in (Sum, Max, Min)),
    OpCase(Argmax(), [Spec((5, 7), "int32")], rtol=0, atol=0, grad=()),
    *(OpCase(Argmax(), [Spec(shape)], draw={0: _ties}, rtol=0, atol=0, grad=())
      for shape in [(1,), (5, 1), (128, 10), (7, 33), (2, 3, 1000)]),
]  # fmt: skip
