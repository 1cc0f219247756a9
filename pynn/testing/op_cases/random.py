"""Cases of the random ops: sizes around the 64 numbers of a group and the 4096 of a task, several seeds and streams."""

import numpy as np

from pynn.graph.ir import Spec
from pynn.ops.random import STATE, Dropout, NextSeed, RandomDraw, RandomNormal, RandomUniform
from pynn.testing.op_case import OpCase

_SHAPES = [(1,), (3, 5), (16,), (17,), (63,), (64,), (65,), (5, 29), (4096,), (3, 4, 1000)]


def _state(seed, step):
    def draw(rng, spec):
        return np.array([seed, step], np.uint32)

    return draw


CASES = [
    case
    for i, shape in enumerate(_SHAPES)
    for case in [
        OpCase(Dropout(0.25, i), [Spec(shape), STATE], {1: _state(i * 987654321 % 2**32, i)}, expect=[shape]),
        OpCase(RandomUniform(shape, -1.0, 3.0, i), [STATE], {0: _state(i, 2)}, rtol=0, atol=0, expect=[shape]),
        OpCase(RandomNormal(shape, 0.5, 2.0, i), [STATE], {0: _state(i, 3)}, expect=[shape]),
    ]
]


def _parameter(low, high):
    return lambda rng, spec: rng.uniform(low, high, spec.shape)


CASES += [
    OpCase(RandomDraw("gamma", (4, 5)), [STATE, Spec((4, 5))], {0: _state(1, 2), 1: _parameter(0.5, 3)}, grad=()),
    OpCase(
        RandomDraw("beta", (9,)),
        [STATE, Spec((9,)), Spec((9,))],
        {0: _state(1, 2), 1: _parameter(1, 2), 2: _parameter(1, 2)},
        grad=(),
        rtol=1e-4,
    ),
    OpCase(
        RandomDraw("binomial", (9,)),
        [STATE, Spec((9,)), Spec((9,))],
        {0: _state(1, 2), 1: lambda rng, spec: rng.integers(3, 9, spec.shape), 2: _parameter(0.2, 0.8)},
        grad=(),
    ),
    OpCase(
        RandomDraw("integers", (9,)),
        [STATE, Spec((9,), "int64"), Spec((9,), "int64")],
        {0: _state(1, 2), 2: lambda rng, spec: rng.integers(7, 9, spec.shape)},
        grad=(),
    ),
    OpCase(Dropout(1.0, 0), [Spec((100,)), STATE], {1: _state(1, 0)}, note="everything is dropped"),
    OpCase(Dropout(0.5, 3), [Spec((100,)), STATE], {1: _state(2**32 - 1, 2**32 - 1)}, note="the largest words"),
    OpCase(RandomUniform((70,), 0.0, 1.0, 0), [STATE], {0: _state(7, 0)}, rtol=0, atol=0),
    OpCase(NextSeed(), [STATE], {0: _state(5, 41)}, expect=[(2,)]),
    OpCase(NextSeed(3), [STATE], {0: _state(5, 2**32 - 1)}, note="the step wraps around"),
]
