"""Cases of the shape ops: ranks, merged and unmerged axes, dtypes."""

from pynn.graph.ir import Spec
from pynn.ops.shape import BroadcastTo, Cast, OneHot, Reshape, StopGradient, Transpose
from pynn.testing.op_case import OpCase


def _in_range(rng, spec):
    return rng.uniform(0.0, 200.0, spec.shape)


def _around(rng, spec):
    return rng.integers(-2, 9, spec.shape)


def _zero_and_others(rng, spec):
    return rng.integers(0, 2, spec.shape) * 0.25


CASES = [
    OpCase(Reshape((6, 4)), [Spec((2, 3, 4))], expect=[(6, 4)]),
    OpCase(StopGradient(), [Spec((3,))], grad=()),
    *(OpCase(Transpose(perm), [Spec(shape)], rtol=0, atol=0) for perm, shape in [
        ((1, 0), (5, 7)), ((1, 0), (64, 33)), ((1, 0), (1, 9)), ((0, 2, 1), (3, 17, 18)), ((2, 0, 1), (4, 5, 6)),
        ((0, 3, 1, 2), (2, 6, 7, 5)), ((0, 1), (3, 4)), ((), ()), ((3, 2, 1, 0), (2, 3, 4, 70)),
    ]),
    OpCase(Transpose((1, 0)), [Spec((4, 9), "int32")], rtol=0, atol=0),
    *(OpCase(BroadcastTo(to), [Spec(shape)], rtol=0, atol=0) for to, shape in [
        ((3, 4), ()), ((3, 4), (4,)), ((3, 4), (3, 1)), ((2, 3, 4, 5), (3, 1, 5)), ((2, 3, 4), (2, 1, 1)),
        ((2, 3, 4), (2, 1, 4)), ((5, 2000), (2000,)), ((2000, 5), (2000, 1)), ((3,), (3,)),
    ]),
    OpCase(Cast("int32"), [Spec((5, 7))], draw={0: _in_range}, rtol=0, atol=0, grad=()),
    OpCase(Cast("uint8"), [Spec((5, 7))], draw={0: _in_range}, rtol=0, atol=0, grad=()),
    OpCase(Cast("float32"), [Spec((5, 7), "int32")], rtol=0, atol=0),
    OpCase(Cast("float32"), [Spec((33,), "uint8")], rtol=0, atol=0),
    OpCase(Cast("float32"), [Spec((33,), "int64")], rtol=0, atol=0),
    OpCase(Cast("bool"), [Spec((5, 7))], draw={0: _zero_and_others}, rtol=0, atol=0, grad=()),
    OpCase(Cast("bool"), [Spec((5, 7), "int32")], rtol=0, atol=0, grad=()),
    OpCase(Cast("int8"), [Spec((5, 7), "int32")], rtol=0, atol=0, grad=()),
    OpCase(Cast("float32"), [Spec((33,), "bool")], rtol=0, atol=0),
    OpCase(OneHot(6), [Spec((9,), "int32")], draw={0: _around}, rtol=0, atol=0),
    OpCase(OneHot(3), [Spec((2, 5), "int32")], draw={0: _around}, rtol=0, atol=0, expect=[(2, 5, 3)]),
]  # fmt: skip
