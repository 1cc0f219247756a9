"""Cases of the element-wise ops: every op, sizes around the vector width and the tile, special values."""

import numpy as np

from pynn.graph.ir import Spec
from pynn.ops import activations as act
from pynn.ops import comparison as cmp
from pynn.ops import elementwise as ew
from pynn.ops.elementwise_chain import Access, ElementwiseChain, Step
from pynn.testing.op_case import OpCase


def _positive(rng, spec):
    return rng.uniform(0.1, 3.0, spec.shape)


def _away_from_zero(rng, spec):
    return rng.uniform(0.2, 2.0, spec.shape) * rng.choice([-1.0, 1.0], spec.shape)


def _zero_one(rng, spec):
    return rng.integers(0, 2, spec.shape).astype("float64")


def _small_whole(rng, spec):
    return rng.integers(-1, 2, spec.shape).astype("float64")


def _special(rng, spec):
    x = rng.standard_normal(spec.shape).astype("float64").reshape(-1)
    x[:6] = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e4]
    return x.reshape(spec.shape)


def _above_three(rng, spec):
    return rng.uniform(3.2, 4.0, spec.shape)


_SHAPE = (5, 7)
_X = Spec(_SHAPE)
_WHOLE = Spec(_SHAPE, "int32")


def _around_six(rng, spec):
    """Below 0, between and above 6, and away from both."""
    return rng.integers(-3, 9, spec.shape) + rng.uniform(0.2, 0.8, spec.shape)


_UNARY = [
    ew.Negative(), ew.Square(), ew.Sin(), ew.Cos(), act.Sigmoid(), act.Tanh(), act.Softplus(), act.Elu(0.7), act.Erf(),
]  # fmt: skip
_UNARY_KINKED = [ew.Abs(), ew.Sign(), ew.Floor(), act.Relu(), act.Relu6(), act.LeakyRelu(0.1), act.Step(), cmp.IsNan()]
_BINARY = [ew.Add(), ew.Subtract(), ew.Multiply(), ew.Divide()]
_UNARY_POSITIVE = [ew.Exp(), ew.Log(), ew.Log1p(), ew.Sqrt(), ew.Rsqrt()]
_NAN_SAFE = [
    ew.Exp(), ew.Log(), ew.Abs(), ew.Sign(), cmp.IsNan(), ew.Sqrt(), act.Relu(), act.Relu6(), act.Tanh(), act.Sigmoid(),
    act.Softplus(),
]  # fmt: skip
_COMPARISONS = [cmp.Equal(), cmp.NotEqual(), cmp.Greater(), cmp.GreaterEqual(), cmp.Less(), cmp.LessEqual()]

CASES = [
    *(OpCase(op, [_X], expect=[_SHAPE]) for op in _UNARY),
    *(OpCase(op, [_X], draw={0: _away_from_zero}) for op in _UNARY_KINKED),
    *(OpCase(op, [_X], draw={0: _positive}, rtol=4e-6) for op in _UNARY_POSITIVE),
    *(OpCase(op, [_X, _X], draw={1: _away_from_zero}, rtol=4e-6) for op in _BINARY),
    OpCase(ew.Power(), [_X, _X], draw={0: _positive}, rtol=2e-5),
    *(OpCase(op, [_X, _X]) for op in (ew.Maximum(), ew.Minimum())),
    *(OpCase(op, [_X, _X], draw={0: _small_whole, 1: _small_whole}, grad=()) for op in _COMPARISONS),
    OpCase(cmp.Select(), [_X, _X, _X], draw={0: _zero_one}, grad=(1, 2)),
    OpCase(ew.FloorDivide(), [_X, _X], draw={1: _away_from_zero}, grad=()),
    OpCase(ew.Mod(), [_X, _X], draw={0: _positive, 1: _above_three}),
    # Whole numbers and truth values, by NumPy.
    *(OpCase(op, [_WHOLE, _WHOLE], grad=()) for op in (ew.Add(), ew.Multiply(), ew.Maximum(), cmp.Equal(), cmp.Less())),
    *(OpCase(op, [_WHOLE], grad=()) for op in (ew.Negative(), ew.Square(), ew.Sign())),
    OpCase(ew.Mod(), [_WHOLE, _WHOLE], draw={1: lambda rng, spec: rng.integers(1, 5, spec.shape)}, grad=()),
    OpCase(cmp.Select(), [Spec(_SHAPE, "bool")] * 3, grad=()),
    OpCase(act.SigmoidGrad(), [_X, _X]),
    OpCase(act.TanhGrad(), [_X, _X]),
    OpCase(act.ReluGrad(), [_X, _X], draw={1: _away_from_zero}, grad=(0,)),
    OpCase(act.Relu6(), [_X], draw={0: _around_six}),
    OpCase(act.Relu6Grad(), [_X, _X], draw={1: _around_six}, grad=(0,)),
    OpCase(act.LeakyReluGrad(0.3), [_X, _X], draw={1: _away_from_zero}, grad=(0,)),
    OpCase(act.EluGrad(0.7), [_X, _X], draw={1: _away_from_zero}),
    # Sizes around the vector width, the tile of 512 and the task of 8192.
    *(OpCase(act.Sigmoid(), [Spec((n,))]) for n in (1, 3, 4, 5, 8, 9, 15, 16, 17, 31, 33, 511, 512, 513, 8193, 20000)),
    *(OpCase(ew.Add(), [Spec(s), Spec(s)]) for s in ((), (1,), (2, 3, 4, 5), (0,))),
    # Not-a-number and infinity go through as NumPy lets them.
    *(OpCase(op, [_X], draw={0: _special}, grad=())
      for op in _NAN_SAFE),
    *(OpCase(op, [_X, _X], draw={0: _special}, grad=()) for op in (ew.Maximum(), ew.Minimum(), cmp.Equal())),
    # Chains: (x * row + column) relu, with two outputs; a scalar; a period that does not divide the tile.
    OpCase(
        ElementwiseChain(
            (Step(ew.Multiply(), (0, 1)), Step(ew.Add(), (3, 2)), Step(act.Relu(), (4,))),
            (Access(1, 35), Access(1, 7), Access(7, 5)), (4, 5), (_SHAPE, _SHAPE),
        ),
        [_X, Spec((7,)), Spec((5, 1))],
    ),
    OpCase(
        ElementwiseChain(
            (Step(ew.Multiply(), (0, 1)), Step(ew.Add(), (3, 2)), Step(act.Tanh(), (4,)), Step(ew.Subtract(), (5, 0))),
            (Access(1, 3 * 40 * 100), Access(1, 1), Access(100, 40)), (6,), ((3, 40, 100),),
        ),
        [Spec((3, 40, 100)), Spec(()), Spec((40, 1))],
    ),
    # A short row over many tiles and tasks, a row longer than a tile, a row longer than a task.
    *(OpCase(
        ElementwiseChain((Step(ew.Add(), (0, 1)),), (Access(1, n * row), Access(1, row)), (2,), ((n, row),)),
        [Spec((n, row)), Spec((row,))],
    ) for n, row in [(3000, 10), (700, 513), (3, 9001)]),
]  # fmt: skip
