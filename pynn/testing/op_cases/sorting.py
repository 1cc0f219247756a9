"""Cases of order: ties, several rows, numbers on the borders of a row."""

from pynn.graph.ir import Spec
from pynn.ops.sorting import Argsort, SearchSorted
from pynn.testing.op_case import OpCase


def _ties(rng, spec):
    return rng.integers(0, 4, spec.shape)


def _rising(rng, spec):
    return sorted(rng.integers(0, 9, spec.shape))


CASES = [
    *(OpCase(Argsort(down), [Spec(shape)], draw={0: _ties}, rtol=0, atol=0, grad=(), expect=[shape])
      for down in (False, True) for shape in [(1,), (5, 7), (2, 3, 9)]),
    OpCase(Argsort(True), [Spec((4, 6), "uint8")], rtol=0, atol=0),
    *(OpCase(SearchSorted(side), [Spec((6,)), Spec((4, 5))], draw={0: _rising, 1: _ties}, rtol=0, atol=0, grad=())
      for side in ("left", "right")),
]  # fmt: skip
