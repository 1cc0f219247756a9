"""Cases of the rarer element-wise ops: inside of where each is defined, and special values."""

import numpy as np

from pynn.graph.ir import Spec
from pynn.ops import math as m
from pynn.testing.op_case import OpCase

_X = Spec((5, 7))


def _between(low, high):
    return lambda rng, spec: rng.uniform(low, high, spec.shape)


def _edges(rng, spec):
    x = rng.uniform(-1, 1, spec.shape).reshape(-1)
    x[:7] = [np.nan, 1.0, -1.0, 0.0, 1.5, 0.99999, -0.99999]
    return x.reshape(spec.shape)


CASES = [
    *(OpCase(op, [_X], draw={0: _between(-1.2, 1.2)}, rtol=4e-6, expect=[_X.shape])
      for op in (m.Tan(), m.Arctan(), m.Sinh(), m.Cosh(), m.Arcsinh(), m.Expm1(), m.Exp2())),
    *(OpCase(op, [_X], draw={0: _between(-0.9, 0.9)}, rtol=4e-6)
      for op in (m.Arcsin(), m.Arccos(), m.Arctanh(), m.Erfinv())),
    *(OpCase(op, [_X], draw={0: _between(1.1, 5.0)}, rtol=4e-6, atol=4e-6)
      for op in (m.Arccosh(), m.Log2(), m.Log10())),
    OpCase(m.Arctan2(), [_X, _X], draw={1: _between(0.2, 2.0)}),
    OpCase(m.Rint(), [_X], draw={0: lambda rng, spec: rng.integers(-9, 9, spec.shape) / 2}, grad=()),
    OpCase(m.Fmod(), [_X, _X], draw={0: _between(6.1, 7.9), 1: _between(2.7, 3.0)}),
    OpCase(m.Fmod(), [Spec((9,), "int32")] * 2, draw={1: lambda rng, spec: rng.integers(1, 4, spec.shape)}),
    OpCase(m.Erfinv(), [_X], draw={0: _edges}, rtol=1e-2, grad=(), note="steep at the ends: 1 - 1e-5 is rounded"),
]  # fmt: skip
