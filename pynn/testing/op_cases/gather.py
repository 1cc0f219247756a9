"""Cases of computed places: repeated ones, ones from the end, ones outside."""

from pynn.graph.ir import Spec
from pynn.ops.gather import AddAlongAxis, ScatterRows, SegmentReduce, TakeAlongAxis
from pynn.testing.op_case import OpCase


def _numbers(low, high):
    return lambda rng, spec: rng.integers(low, high, spec.shape)


def _different(rng, spec):
    return rng.permutation(7)[: spec.shape[0]]


def _all_of_four(rng, spec):
    return rng.permutation(spec.shape[0]) % 4


_X, _N = Spec((5, 7)), Spec((5, 3), "int32")

CASES = [
    OpCase(TakeAlongAxis(1), [_X, _N], draw={1: _numbers(-7, 7)}, expect=[(5, 3)]),
    OpCase(TakeAlongAxis(0), [_X, Spec((2, 7), "int32")], draw={1: _numbers(-5, 5)}),
    OpCase(TakeAlongAxis(1), [_X, _N], draw={1: _numbers(5, 12)}, grad=(), note="some outside"),
    OpCase(TakeAlongAxis(1), [Spec((5, 7), "int32"), _N], draw={1: _numbers(5, 12)}),
    OpCase(AddAlongAxis(1, 7), [Spec((5, 3)), _N], draw={1: _numbers(-7, 7)}, expect=[(5, 7)]),
    *(OpCase(ScatterRows(kind), [Spec((7, 2)), Spec((4,), "int32"), Spec((4, 2))], draw={1: _different})
      for kind in ("set", "add", "mul", "max", "min")),
    OpCase(ScatterRows("add"), [Spec((7, 2)), Spec((9,), "int32"), Spec((9, 2))], draw={1: _numbers(-9, 9)}),
    *(OpCase(SegmentReduce(kind, 4), [Spec((9, 2)), Spec((9,), "int32")], draw={1: _all_of_four})
      for kind in ("prod", "max", "min")),
    *(OpCase(SegmentReduce(kind, 6), [Spec((9, 2)), Spec((9,), "int32")], grad=(), note="an empty segment")
      for kind in ("prod", "max", "min")),
]  # fmt: skip
