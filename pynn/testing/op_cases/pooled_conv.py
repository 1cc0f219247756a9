"""Cases of a max-pooled convolution and its gradients: rows around the vectors' widths, every kind of window, ties."""

import numpy as np

from pynn.graph.ir import Spec
from pynn.ops.conv import Padding, Pair
from pynn.ops.pooled_conv import (
    PooledConv2d,
    PooledConv2dGradInput,
    PooledConv2dGradKernel,
    PooledConv2dGradKernelOfWinners,
    winners_shape,
)
from pynn.reference.pool import max_pool2d
from pynn.testing.op_case import OpCase

VALID: Padding = ((0, 0), (0, 0))
SAME_5: Padding = ((2, 2), (2, 2))
Shape = tuple[int, int, int, int]


def _results(spec: Spec) -> np.ndarray:
    """What the convolution may have given: few different numbers, so that there are ties, and always the same."""
    return np.random.default_rng(spec.size).integers(-3, 3, spec.shape).astype(np.float64)


def _some_zeros(rng: np.random.Generator, spec: Spec) -> np.ndarray:
    return rng.standard_normal(spec.shape) * (rng.random(spec.shape) < 0.7)


def _cases(
    x: Shape, w: Shape, y: Shape, pooled: Shape, padding: Padding = VALID, pool: Pair = (2, 2),
    strides: Pair = (2, 2), pool_padding: Padding = VALID, note: str = "",
) -> list[OpCase]:  # fmt: skip
    def largest(rng: np.random.Generator, spec: Spec) -> np.ndarray:
        return max_pool2d(_results(Spec(y)), pool=pool, strides=strides, padding=pool_padding)

    geometry = (padding, pool, strides, pool_padding)
    winners = pooled[1] * pooled[2]
    return [
        OpCase(
            PooledConv2dGradKernel(*geometry, kernel_shape=w), [Spec(x), Spec(pooled), Spec(y), Spec(pooled)],
            draw={1: _some_zeros, 2: lambda rng, spec: _results(spec), 3: largest}, grad=(), expect=[w], note=note,
            rtol=1e-5, atol=max(8e-6, 2e-7 * winners * x[0]),
        ),
        OpCase(
            PooledConv2dGradInput(*geometry, input_shape=x), [Spec(pooled), Spec(y), Spec(pooled), Spec(w)],
            draw={0: _some_zeros, 1: lambda rng, spec: _results(spec), 2: largest}, grad=(), expect=[x], note=note,
            rtol=1e-5, atol=8e-6,
        ),
    ]  # fmt: skip


def _in_registers(
    x: Shape, w: Shape, padding: Padding = VALID, activation: str = "relu", note: str = ""
) -> list[OpCase]:
    """Forward and the kernel's gradient of a convolution that is pooled by windows of 2 x 2.

    Inputs and weights are small integers, so that sums are exact: there are ties, and everybody finds the same winners.
    """

    def integers(rng: np.random.Generator, spec: Spec) -> np.ndarray:
        return rng.integers(-2, 3, spec.shape).astype(np.float64)

    def winners(rng: np.random.Generator, spec: Spec) -> np.ndarray:
        drawn = rng.integers(-1, 4, spec.shape).astype(np.float64)
        drawn[..., pooled[2] :] = -1
        return drawn

    rows, columns = (x[1 + d] + sum(padding[d]) - w[d] + 1 for d in (0, 1))
    pooled = (x[0], rows // 2, columns // 2, w[3])
    geometry = (padding, (2, 2), (2, 2), VALID)
    bias = [Spec(w[3:])] if activation == "relu" else []
    return [
        OpCase(
            PooledConv2d(*geometry, activation), [Spec(x), Spec(w), *bias], draw=dict.fromkeys(range(3), integers),
            grad=(), expect=[pooled, winners_shape(pooled)], note=note,
        ),
        OpCase(
            PooledConv2dGradKernelOfWinners(*geometry, kernel_shape=w),
            [Spec(x), Spec(pooled), Spec(winners_shape(pooled))], draw={1: _some_zeros, 2: winners}, grad=(),
            expect=[w], note=note, rtol=1e-5, atol=max(8e-6, 2e-7 * rows * columns * x[0]),
        ),
    ]  # fmt: skip


CASES = [
    *_in_registers((37, 28, 28, 1), (5, 5, 1, 6), SAME_5, note="LeNet conv1"),
    *_in_registers((3, 11, 9, 1), (2, 4, 1, 8), activation="linear", note="odd sizes, two groups of filters"),
    *_in_registers((2, 3, 3, 1), (2, 2, 1, 1), note="one window"),
    *_in_registers((1, 7, 75, 1), (3, 3, 1, 5), ((0, 1), (4, 0)), note="several vectors in a row"),
    *_in_registers((1, 9, 300, 1), (3, 2, 1, 7), activation="linear", note="rows longer than a task"),
    *_in_registers((2, 5, 4, 1), (1, 3, 1, 2), ((0, 0), (1, 1)), activation="linear"),
    *_in_registers((2, 6, 12, 1), (3, 11, 1, 3), note="a wide kernel, and rows mostly beyond the results"),
    *_cases((3, 28, 28, 1), (5, 5, 1, 6), (3, 28, 28, 6), (3, 14, 14, 6), padding=SAME_5, note="LeNet conv1"),
    *_cases((19, 14, 14, 6), (5, 5, 6, 16), (19, 10, 10, 16), (19, 5, 5, 16), note="LeNet conv2, odd blocks of images"),
    *(case for c in (1, 2, 3, 4, 5, 6, 7, 8, 10) for case in
      _cases((2, 6, 7, c), (3, 3, c, 5), (2, 4, 5, 5), (2, 2, 2, 5), note="a column that no window covers")),
    *_cases((1, 2, 2, 1), (1, 1, 1, 1), (1, 2, 2, 1), (1, 1, 1, 1)),
    *_cases((2, 9, 6, 2), (7, 2, 2, 17), (2, 6, 7, 17), (2, 3, 3, 17), padding=((1, 2), (1, 1)), pool=(3, 3),
            strides=(2, 2), pool_padding=((1, 1), (0, 0)), note="many rows, overlapping windows, padding"),
    *_cases((2, 12, 9, 3), (6, 3, 3, 4), (2, 7, 7, 4), (2, 2, 3, 4), pool=(2, 2), strides=(5, 2), note="gaps"),
    *_cases((2, 4, 4, 4), (1, 8, 4, 33), (2, 4, 4, 33), (2, 2, 2, 33), padding=((0, 0), (3, 4)),
            note="kernel wider than the image"),
]  # fmt: skip
