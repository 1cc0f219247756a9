"""Cases of the optimizer steps: one and several parameters, pieces that cross the tasks' 16384 elements."""

import numpy as np

from pynn.graph.ir import Spec
from pynn.ops.optimizer_step import (
    AdadeltaStep,
    AdagradStep,
    AdamaxStep,
    AdamStep,
    Increment,
    LionStep,
    NadamStep,
    RmspropStep,
    SgdStep,
)
from pynn.testing.op_case import OpCase

_MODELS = [
    [(1,)], [(15,), (16,), (17,)], [(784, 64), (64,), (64, 10), (10,)], [(), (16384,), (3, 3, 1, 2), (16385,)],
]  # fmt: skip


def _number(value, dtype="float64"):
    def draw(rng, spec):
        return np.asarray(value, dtype)

    return draw


def _squares(rng, spec):
    return rng.standard_normal(spec.shape) ** 2


def _above(rng, spec):
    return 2 + rng.standard_normal(spec.shape) ** 2


def _case(op, shapes, t=3, squares=(), above=(), **how):
    """``squares`` and ``above`` name slots that are never negative, or more than a mean's square."""
    w, first = [Spec(s) for s in shapes], len(op.scalars)
    scalars = [Spec((), dtype or "float32") for dtype in op.scalars]
    # The product is that of Nadam's u(t), each at most beta_1.
    draw = dict(zip(range(first), (_number(0.05), _number(t, np.int64), _number(0.4)), strict=False))
    for slots, kind in ((squares, _squares), (above, _above)):
        for slot in slots:
            start = first + (2 + slot) * len(shapes)
            draw |= dict.fromkeys(range(start, start + len(shapes)), kind)
    expect = shapes * (1 + op.slots)
    return OpCase(op, [*scalars, *w * (2 + op.slots)], draw, expect=expect, **how)


def _cases_of(shapes):
    n = len(shapes)
    # m / sqrt(v) is large where a square is tiny.
    near = {"rtol": 1e-5}
    return [
        _case(SgdStep(0.0, False, n), shapes),
        _case(SgdStep(0.0, False, n, 0.5), shapes),
        _case(SgdStep(0.9, False, n), shapes),
        _case(SgdStep(0.9, False, n, 0.5, 0.9), shapes),
        _case(SgdStep(0.9, True, n), shapes),
        *(_case(AdamStep(0.9, 0.999, 1e-7, n), shapes, t, squares=[1], **near) for t in (0, 1, 100_000)),
        _case(AdamStep(0.5, 0.9, 1e-3, n), shapes, squares=[1], **near),
        _case(AdamStep(0.9, 0.999, 1e-7, n, 0.5), shapes, squares=[1], **near),
        _case(AdamStep(0.9, 0.999, 1e-7, n, 0.5, True), shapes, squares=[1, 2], **near),
        *(_case(NadamStep(0.9, 0.999, 1e-7, n, 0.1), shapes, t, squares=[1], **near) for t in (0, 100_000)),
        *(_case(AdamaxStep(0.9, 0.999, 1e-7, n, 0.1), shapes, t, squares=[1], **near) for t in (0, 100_000)),
        _case(RmspropStep(0.9, 0.0, 1e-7, False, n), shapes, squares=[0], **near),
        _case(RmspropStep(0.9, 0.5, 1e-7, False, n, 0.1), shapes, squares=[0], **near),
        _case(RmspropStep(0.9, 0.0, 20.0, True, n, 0.1), shapes, above=[0], **near),
        _case(RmspropStep(0.9, 0.5, 20.0, True, n), shapes, above=[0], **near),
        _case(AdagradStep(1e-7, n), shapes, squares=[0], **near),
        _case(AdagradStep(1e-3, n, 0.1), shapes, squares=[0], **near),
        _case(AdadeltaStep(0.95, 1e-7, n, 0.1), shapes, squares=[0, 1], **near),
        _case(LionStep(0.9, 0.99, n), shapes),
        _case(LionStep(0.5, 0.9, n, 0.1), shapes),
    ]


CASES = [case for shapes in _MODELS for case in _cases_of(shapes)]
CASES += [
    OpCase(Increment(), [Spec((), "int64")], {0: _number(2**40, np.int64)}, expect=[()]),
    OpCase(Increment(-3), [Spec((), "int64")], {0: _number(1, np.int64)}),
]
