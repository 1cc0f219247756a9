"""Cases of running sums and products."""

from pynn.graph.ir import Spec
from pynn.ops.cumulative import Cumprod, CumprodGrad, Cumsum
from pynn.testing.op_case import OpCase


def _with_zeros(rng, spec):
    return rng.integers(0, 4, spec.shape) * 0.5


CASES = [
    OpCase(Cumsum(0), [Spec((5, 7))], expect=[(5, 7)]),
    OpCase(Cumsum(1, reverse=True), [Spec((5, 7))]),
    OpCase(Cumsum(0), [Spec((1,))]),
    OpCase(Cumsum(0), [Spec((6,), "int32")], rtol=0, atol=0),
    OpCase(Cumprod(1), [Spec((3, 6))], expect=[(3, 6)]),
    OpCase(Cumprod(0), [Spec((3, 6))], draw={0: _with_zeros}),
    OpCase(CumprodGrad(1), [Spec((3, 6)), Spec((3, 6))], draw={1: _with_zeros}, grad=()),
]
