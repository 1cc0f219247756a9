"""Cases of the optimizer steps: one and several parameters, pieces that cross the tasks' 16384 elements."""

import numpy as np

from pynn.graph.ir import Spec
from pynn.ops.optimizer_step import AdamStep, Increment, SgdStep
from pynn.testing.op_case import OpCase

_MODELS = [
    [(1,)], [(15,), (16,), (17,)], [(784, 64), (64,), (64, 10), (10,)], [(), (16384,), (3, 3, 1, 2), (16385,)],
]  # fmt: skip


def _lr(rng, spec):
    return np.asarray(0.05)


def _iterations(n):
    def draw(rng, spec):
        return np.asarray(n, np.int64)

    return draw


def _squares(rng, spec):
    return rng.standard_normal(spec.shape) ** 2


def _cases_of(shapes):
    n, w, lr = len(shapes), [Spec(s) for s in shapes], Spec(())
    squares = dict.fromkeys(range(2 + 3 * n, 2 + 4 * n), _squares)
    adam = [lr, Spec((), "int64"), *w, *w, *w, *w]
    return [
        OpCase(SgdStep(0.0, False, n), [lr, *w, *w], {0: _lr}, expect=shapes),
        OpCase(SgdStep(0.9, False, n), [lr, *w, *w, *w], {0: _lr}, expect=shapes * 2),
        OpCase(SgdStep(0.9, True, n), [lr, *w, *w, *w], {0: _lr}, expect=shapes * 2),
        *(
            # m / sqrt(v) is large where a square is tiny.
            OpCase(AdamStep(0.9, 0.999, 1e-7, n), adam, {0: _lr, 1: _iterations(t), **squares}, rtol=1e-5)
            for t in (0, 1, 100_000)
        ),
        OpCase(AdamStep(0.5, 0.9, 1e-3, n), adam, {0: _lr, 1: _iterations(3), **squares}, rtol=1e-5),
    ]


CASES = [case for shapes in _MODELS for case in _cases_of(shapes)]
CASES += [
    OpCase(Increment(), [Spec((), "int64")], {0: _iterations(2**40)}, expect=[()]),
    OpCase(Increment(-3), [Spec((), "int64")], {0: _iterations(1)}),
]
