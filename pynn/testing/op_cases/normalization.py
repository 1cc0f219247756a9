"""Cases of batch normalization: channels that fill vectors and that do not, rows in whole blocks and with a tail."""

from dataclasses import replace

from pynn.graph.ir import Spec
from pynn.ops.normalization import BatchNorm, BatchNormGrad, BatchNormInference
from pynn.testing.op_case import OpCase

_SHAPES = [
    (2, 1), (7, 3), (128, 6), (1000, 1), (33, 10), (65, 15), (64, 16), (50, 17), (9, 64), (40, 65), (5, 300),
    (2, 513), (4, 5, 6), (3, 9, 11, 24), (2100, 48), (2, 3, 4, 5, 7),
]  # fmt: skip


def _positive(rng, spec):
    return rng.uniform(0.5, 2, spec.shape)


def _far_from_zero(rng, spec):
    return 1000 + rng.standard_normal(spec.shape)


def _cases_of(shape):
    x, vector = Spec(shape), Spec(shape[-1:])
    five = [x, vector, vector, vector, vector]
    return [
        OpCase(BatchNorm(1e-3), [x, vector, vector], rtol=1e-5, atol=5e-6, expect=[shape, shape[-1:], shape[-1:]]),
        OpCase(BatchNormGrad(1e-3), [x, *five[:4]], {4: _positive}, rtol=1e-5, atol=2e-5, grad=()),
        OpCase(BatchNormInference(1e-3), five, {4: _positive}, rtol=1e-5, atol=2e-6, expect=[shape]),
    ]


def _cases_with_activation(shape, activation):
    x, vector = Spec(shape), Spec(shape[-1:])
    cases = [
        OpCase(BatchNorm(1e-3, activation), [x, vector, vector]),
        OpCase(BatchNorm(1e-3, activation, residual=True), [x, vector, vector, x]),
        OpCase(BatchNormGrad(1e-3, activation), [x, x, *[vector] * 4], {4: _positive}, grad=()),
        OpCase(BatchNormGrad(1e-3, activation, residual=True), [x, x, *[vector] * 3, x], {4: _positive}, grad=()),
    ]
    # A beta of several deviations, so that ReLU6 has something to cut.
    draw = {2: lambda rng, spec: rng.uniform(-1, 8, spec.shape)} if activation == "relu6" else {}
    return [
        replace(c, rtol=1e-5, atol=3e-5, draw={**(draw if isinstance(c.op, BatchNorm) else {}), **c.draw})
        for c in cases
    ]


CASES = [
    case
    for activation in ("relu", "relu6")
    for shape in [(7, 3), (33, 10), (40, 65), (5, 300), (3, 9, 11, 24), (2100, 48)]
    for case in _cases_with_activation(shape, activation)
]
CASES += [OpCase(BatchNorm(1e-3, residual=True), [Spec((9, 5)), Spec((5,)), Spec((5,)), Spec((9, 5))], atol=5e-6)]
CASES += [case for shape in _SHAPES for case in _cases_of(shape)]
CASES += [
    OpCase(BatchNorm(1e-5), [Spec((1, 8)), Spec((8,)), Spec((8,))], grad=(), note="one row: variance 0"),
    OpCase(BatchNorm(0.1), [Spec((20, 8)), Spec((8,)), Spec((8,))], rtol=1e-5, atol=5e-6, note="a large epsilon"),
    OpCase(
        BatchNorm(1e-3),
        [Spec((4000, 12)), Spec((12,)), Spec((12,))],
        {0: _far_from_zero},
        rtol=1e-4,
        atol=5e-4,
        grad=(),
        note="a mean of a thousand deviations: float32 sums of squares would have lost the variance",
    ),
]
