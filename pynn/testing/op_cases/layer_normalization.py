"""Cases of layer and RMS normalization: rows around the width of a vector and of four, few rows and many."""

from dataclasses import replace

from pynn.graph.ir import Spec
from pynn.ops.layer_normalization import LayerNorm, LayerNormGrad, RmsNorm, RmsNormGrad
from pynn.testing.op_case import OpCase


def _positive(rng, spec):
    return rng.uniform(0.5, 2, spec.shape)


def _cases_of(shape, axes=1):
    x, features, positions = Spec(shape), Spec(shape[-axes:]), Spec(shape[:-axes])
    cases = [
        OpCase(LayerNorm(1e-3, axes), [x, features, features], expect=[shape, positions.shape, positions.shape]),
        OpCase(LayerNormGrad(1e-3, axes), [x, x, features, positions, positions], {4: _positive}, grad=()),
        OpCase(RmsNorm(1e-6, axes), [x, features], expect=[shape, positions.shape]),
        OpCase(RmsNormGrad(1e-6, axes), [x, x, features, positions], {3: _positive}, grad=()),
    ]
    return [replace(case, rtol=1e-5, atol=1e-5) for case in cases]


CASES = [
    case
    for shape in [
        (3, 1), (5, 3), (2, 15), (1, 16), (7, 17), (64, 64), (3, 65), (2, 3, 130), (70, 33), (600, 20), (4, 5, 2, 6),
    ]
    for case in _cases_of(shape)
]  # fmt: skip
CASES += _cases_of((3, 4, 5, 6), axes=3) + _cases_of((3, 300), axes=2) + _cases_of((17, 9, 40), axes=2)
CASES += [
    OpCase(
        LayerNorm(1e-3),
        [Spec((9, 200)), Spec((200,)), Spec((200,))],
        {0: lambda rng, spec: 1000 + rng.standard_normal(spec.shape)},
        rtol=1e-4,
        atol=5e-4,
        grad=(),
        note="a mean of a thousand deviations: sums of squares would have lost the variance",
    ),
    OpCase(LayerNorm(1e-3), [Spec((2, 8))] + [Spec((8,))] * 2, {0: lambda rng, spec: rng.uniform(1, 1, spec.shape)},
           grad=(), note="all numbers of a row equal: variance 0"),
]  # fmt: skip
