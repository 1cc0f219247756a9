"""Cases of pooling: channels around the vectors' widths, tiling, overlapping and distant windows, padding."""

import numpy as np

from pynn.graph.ir import Spec
from pynn.ops.conv import Padding, Pair
from pynn.ops.pool import AveragePool2d, AveragePool2dGrad, MaxPool2d, MaxPool2dGrad
from pynn.reference.pool import max_pool2d
from pynn.testing.op_case import OpCase

VALID: Padding = ((0, 0), (0, 0))


def _distinct(rng: np.random.Generator, spec: Spec) -> np.ndarray:
    """No two numbers are close: finite differences must not change which one is the largest."""
    return (rng.permutation(spec.size) / 8 - spec.size / 16).reshape(spec.shape)


def _with_ties(spec: Spec) -> np.ndarray:
    """Few different numbers, always the same: the first of equal ones must take the gradient."""
    return np.random.default_rng(spec.size).integers(0, 3, spec.shape).astype(np.float64)


def _cases(
    x: tuple[int, int, int, int],
    y: tuple[int, int, int, int],
    pool: Pair = (2, 2),
    strides: Pair = (2, 2),
    padding: Padding = VALID,
    note: str = "",
) -> list[OpCase]:
    """Both poolings and both gradients for one geometry."""
    windows = (pool, strides, padding)

    def largest(rng: np.random.Generator, spec: Spec) -> np.ndarray:
        return max_pool2d(_with_ties(Spec(x)), pool=pool, strides=strides, padding=padding)

    return [
        OpCase(MaxPool2d(*windows), [Spec(x)], draw={0: _distinct}, expect=[y], note=note),
        OpCase(
            MaxPool2dGrad(*windows), [Spec(y), Spec(x), Spec(y)],
            draw={1: lambda rng, spec: _with_ties(spec), 2: largest}, grad=(), expect=[x], note=note,
        ),
        OpCase(AveragePool2d(*windows), [Spec(x)], expect=[y], note=note),
        OpCase(AveragePool2dGrad(*windows, input_shape=x), [Spec(y)], expect=[x], note=note),
    ]  # fmt: skip


CASES = [
    *_cases((3, 28, 28, 6), (3, 14, 14, 6), note="LeNet pool1"),
    *_cases((3, 10, 10, 16), (3, 5, 5, 16), note="LeNet pool2"),
    *(case for c in (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64)
      for case in _cases((2, 5, 6, c), (2, 2, 3, c), note="a row that no window covers")),
    *_cases((1, 2, 2, 1), (1, 1, 1, 1)),
    *_cases((2, 4, 7, 3), (2, 2, 3, 3), note="a column that no window covers"),
    *_cases((2, 7, 8, 6), (2, 3, 4, 6), pool=(3, 3), padding=((0, 0), (1, 0)), note="overlap"),
    *_cases((2, 9, 7, 20), (2, 5, 3, 20), pool=(2, 3), strides=(2, 2), padding=((0, 1), (0, 0))),
    *_cases((2, 5, 5, 6), (2, 3, 3, 6), padding=((0, 1), (0, 1)), note="same on an odd image"),
    *_cases((2, 5, 5, 6), (2, 3, 3, 6), padding=((1, 0), (1, 0)), note="padding above and to the left"),
    *_cases((2, 7, 7, 18), (2, 7, 7, 18), pool=(3, 3), strides=(1, 1), padding=((1, 1), (1, 1)), note="inception"),
    *_cases((1, 9, 10, 3), (1, 2, 3, 3), pool=(2, 2), strides=(5, 4), note="gaps between windows"),
    *_cases((2, 6, 6, 12), (2, 1, 1, 12), pool=(6, 6), strides=(6, 6), note="global"),
    *_cases((2, 6, 9, 2), (2, 6, 3, 2), pool=(1, 3), strides=(1, 3)),
]  # fmt: skip
