"""Cases of depthwise convolution: windows and strides with strips of their own and those without, borders, tails."""

from typing import Any

from pynn.graph.ir import Spec
from pynn.ops.conv import Conv2d, Conv2dGradInput, Conv2dGradKernel, Padding, Pair, window_positions
from pynn.testing.op_case import OpCase

VALID: Padding = ((0, 0), (0, 0))


def _tolerance(terms: int) -> dict[str, Any]:
    return {"rtol": 1e-5, "atol": max(8e-6, 2e-7 * terms)}


def _cases(
    x: tuple[int, int, int, int],
    window: Pair = (3, 3),
    stride: int = 1,
    padding: Padding | int = 0,
    dilation: int = 1,
    note: str = "",
) -> list[OpCase]:
    """The convolution and its two gradients; a number as padding is the same on all sides."""
    pads: Padding = ((padding, padding), (padding, padding)) if isinstance(padding, int) else padding
    geometry = ((stride, stride), pads, (dilation, dilation), x[3])
    kernel = (*window, 1, x[3])
    oh, ow = (window_positions(x[1 + d], window[d], stride, dilation, pads[d]) for d in (0, 1))
    y = (x[0], oh, ow, x[3])
    terms = window[0] * window[1]
    return [
        OpCase(Conv2d(*geometry), [Spec(x), Spec(kernel)], expect=[y], note=note, **_tolerance(terms)),
        OpCase(
            Conv2dGradInput(*geometry, input_shape=x), [Spec(y), Spec(kernel)], expect=[x], note=note,
            **_tolerance(terms),
        ),
        OpCase(
            Conv2dGradKernel(*geometry, kernel_shape=kernel), [Spec(x), Spec(y)], expect=[kernel], note=note,
            **_tolerance(x[0] * oh * ow),
        ),
    ]  # fmt: skip


def _fused(activation: str, bias: bool, channels: int, residual: bool = False) -> OpCase:
    specs = [Spec((2, 5, 9, channels)), Spec((3, 3, 1, channels))]
    specs += [Spec((channels,))] * bias + [Spec((2, 5, 9, channels))] * residual
    op = Conv2d(padding=((1, 1), (1, 1)), groups=channels, activation=activation)
    return OpCase(op, specs, expect=[(2, 5, 9, channels)], grad=(), **_tolerance(9))


CASES = [
    *(case for window in (3, 5, 7) for stride in (1, 2) for channels in (3, 16, 37)
      for case in _cases((2, 9, 11, channels), (window, window), stride, window // 2)),
    *(case for width in (1, 2, 3, 4, 6, 7, 8, 13, 14, 15, 16, 18)
      for case in _cases((2, 4, width, 16), padding=1, note="strips")),
    *(case for width in (5, 14, 17) for case in _cases((1, 6, width, 20), stride=2, padding=1, note="strips")),
    *_cases((2, 7, 7, 48), padding=1, note="MobileNetV2, last"),
    *_cases((1, 8, 8, 32), stride=2, padding=((0, 1), (0, 1)), note="same, strides"),
    *_cases((1, 3, 4, 16), (7, 7), padding=3, note="window above the image"),
    *_cases((1, 9, 10, 16), padding=2, dilation=2, note="dilation"),
    *_cases((1, 9, 10, 7), padding=((3, 2), (1, 0)), dilation=3, note="dilation"),
    *_cases((1, 8, 9, 17), (2, 4), note="even window"),
    *_cases((1, 8, 9, 16), (4, 1), stride=3, padding=((1, 2), (0, 0)), note="gaps between windows"),
    *_cases((2, 9, 7, 16), (1, 1), stride=2, note="one tap of four positions"),
    *_cases((2, 5, 6, 18), padding=((4, 3), (3, 5)), note="padding above the window: the gradient crops"),
    *_cases((2, 40, 45, 33), padding=1, note="several splits"),
    *_cases((2, 40, 45, 100), (5, 5), padding=2, note="several splits, blocks of channels"),
    *(_fused(activation, bias, channels) for activation in ("linear", "relu", "relu6", "sigmoid", "tanh")
      for bias in (False, True) for channels in (5, 24) if bias or activation != "linear"),
    *(_fused(activation, bias, channels, residual=True) for activation in ("linear", "relu6", "tanh")
      for bias in (False, True) for channels in (5, 24)),
    *(OpCase(Conv2d(activation="relu6"), [Spec((2, 6, 6, c)), Spec((3, 3, c, filters))], grad=(), rtol=1e-5, atol=4e-5)
      for c, filters in ((1, 5), (3, 16), (32, 32))),
]  # fmt: skip
