"""Cases for Winograd's algorithm: clipped tiles, images smaller than a tile, every way of cutting the work."""

import math
from typing import Any

from pynn.graph.ir import Spec
from pynn.ops.conv import Conv2d, Conv2dGradInput, Conv2dGradKernel, Padding
from pynn.testing.op_case import OpCase

SAME: Padding = ((1, 1), (1, 1))
VALID: Padding = ((0, 0), (0, 0))


def _tolerance(terms: int) -> dict[str, Any]:
    # Tiles of 4 x 4 err by up to 3e-5 of the largest result, and that is some 4 standard deviations.
    return {"rtol": 1e-5, "atol": 1.2e-4 * math.sqrt(terms)}


def _cases(n: int, h: int, w: int, c: int, filters: int, padding: Padding = SAME, note: str = "") -> list[OpCase]:
    """The convolution and its two gradients."""
    x, kernel = (n, h, w, c), (3, 3, c, filters)
    y = (n, h + sum(padding[0]) - 2, w + sum(padding[1]) - 2, filters)
    return [
        OpCase(Conv2d(padding=padding), [Spec(x), Spec(kernel)], expect=[y], note=note, **_tolerance(9 * c)),
        OpCase(
            Conv2dGradInput(padding=padding, input_shape=x), [Spec(y), Spec(kernel)], expect=[x], note=note,
            **_tolerance(9 * filters),
        ),
        OpCase(
            Conv2dGradKernel(padding=padding, kernel_shape=kernel), [Spec(x), Spec(y)], expect=[kernel], note=note,
            **_tolerance(n * y[1] * y[2]),
        ),
    ]  # fmt: skip


def _fused(activation: str, filters: int, bias: bool = True, residual: bool = False, c: int = 16) -> OpCase:
    specs = [Spec((2, 7, 6, c)), Spec((3, 3, c, filters))]
    specs += [Spec((filters,))] * bias + [Spec((2, 7, 6, filters))] * residual
    return OpCase(Conv2d(padding=SAME, activation=activation), specs, grad=(), **_tolerance(9 * c))


CASES = [
    *_cases(2, 7, 7, 16, 32, note="tiles hang over both edges"),
    *_cases(1, 14, 14, 32, 16),
    *_cases(1, 28, 28, 16, 16, VALID),
    *_cases(2, 5, 9, 48, 16, ((0, 2), (2, 1)), note="padding differs on each side; half a panel of filters"),
    *_cases(1, 13, 11, 16, 48, ((2, 2), (2, 2)), note="the input's gradient has no padding"),
    *_cases(1, 6, 3, 16, 16, ((4, 3), (0, 5)), note="padding above 2: the input's gradient crops"),
    *_cases(1, 1, 1, 16, 16, note="an image of one pixel"),
    *_cases(40, 2, 3, 16, 16, note="images smaller than a tile"),
    *_cases(2, 56, 56, 16, 16, note="several blocks in each split"),
    *_cases(1, 24, 24, 272, 272, note="cut by filters and by channels; the last parts are narrow"),
    *(
        _fused(activation, filters)
        for activation in ("linear", "relu", "relu6", "sigmoid", "tanh")
        for filters in (16, 48)
    ),
    *(
        _fused(activation, 48, bias, True)
        for activation in ("linear", "relu", "relu6", "tanh")
        for bias in (False, True)
    ),
    _fused("relu", 272, bias=True, residual=True, c=272),  # cut by filters
]
