"""Cases of the convolutions: LeNet's shapes, channels around the vectors' widths, every attribute, odd images."""

from typing import Any

from pynn.graph.ir import Spec
from pynn.ops.conv import Conv2d, Conv2dGradInput, Conv2dGradKernel, Padding, Pair
from pynn.testing.op_case import OpCase

VALID: Padding = ((0, 0), (0, 0))


def _tolerance(terms: int) -> dict[str, Any]:
    # Each addition rounds a partial sum, whose size grows too: the error of `terms` products of size 1 is linear.
    return {"rtol": 1e-5, "atol": max(8e-6, 2e-7 * terms)}


def _cases(
    x: tuple[int, int, int, int],
    w: tuple[int, int, int, int],
    y: tuple[int, int, int, int],
    strides: Pair = (1, 1),
    padding: Padding = VALID,
    dilation: Pair = (1, 1),
    groups: int = 1,
    note: str = "",
) -> list[OpCase]:
    """The convolution and its two gradients for one geometry."""
    geometry = (strides, padding, dilation, groups)
    products = w[0] * w[1] * w[2]
    return [
        OpCase(Conv2d(*geometry), [Spec(x), Spec(w)], expect=[y], note=note, **_tolerance(products)),
        OpCase(
            Conv2dGradInput(*geometry, input_shape=x), [Spec(y), Spec(w)], expect=[x], note=note,
            **_tolerance(w[0] * w[1] * w[3]),
        ),
        OpCase(
            Conv2dGradKernel(*geometry, kernel_shape=w), [Spec(x), Spec(y)], expect=[w], note=note,
            **_tolerance(y[0] * y[1] * y[2]),
        ),
    ]  # fmt: skip


def _fused(activation: str, bias: bool, filters: int, c: int, residual: bool = False, window: int = 3) -> OpCase:
    y, pad = (2, 7, 6, filters), window // 2
    specs = [Spec((2, 7, 6, c)), Spec((window, window, c, filters))]
    specs += [Spec((filters,))] * bias + [Spec(y)] * residual
    return OpCase(
        Conv2d(padding=((pad, pad), (pad, pad)), activation=activation), specs, expect=[y], grad=(),
        **_tolerance(window**2 * c),
    )  # fmt: skip


#: What residual blocks end in, and one activation that the micro-kernel does not apply.
_RESIDUALS = [("linear", True), ("relu", True), ("relu", False), ("relu6", True), ("tanh", True)]
SAME_5: Padding = ((2, 2), (2, 2))
SAME_3: Padding = ((1, 1), (1, 1))

CASES = [
    *_cases((3, 28, 28, 1), (5, 5, 1, 6), (3, 28, 28, 6), padding=SAME_5, note="LeNet conv1"),
    *_cases((3, 14, 14, 6), (5, 5, 6, 16), (3, 10, 10, 16), note="LeNet conv2"),
    *_cases((9, 5, 5, 16), (5, 5, 16, 30), (9, 1, 1, 30), note="images of one pixel: blocks span images"),
    *_cases((1, 1, 1, 1), (1, 1, 1, 1), (1, 1, 1, 1)),
    *(case for o in (1, 3, 4, 7, 8) for case in _cases((2, 5, 18, 1), (3, 2, 1, o), (2, 3, 17, o), note="narrow")),
    *_cases((2, 9, 70, 1), (3, 3, 1, 5), (2, 9, 70, 5), padding=((2, 2), (3, 3)), dilation=(2, 3), note="narrow"),
    *_cases((1, 3, 300, 1), (2, 3, 1, 4), (1, 2, 298, 4), note="narrow, a row above the task's size"),
    *_cases((2, 2, 1, 1), (1, 1, 1, 3), (2, 2, 1, 3), note="fewer numbers than one vector"),
    *_cases((5, 2, 2, 1), (2, 2, 1, 2), (5, 1, 1, 2), note="overreading must stay inside x"),
    *(case for c, o in [(1, 15), (15, 1), (16, 16), (17, 33), (4, 32), (8, 17), (3, 64), (31, 8), (65, 70)]
      for case in _cases((2, 6, 5, c), (3, 3, c, o), (2, 6, 5, o), padding=SAME_3)),
    *_cases((2, 5, 7, 20), (1, 1, 20, 18), (2, 5, 7, 18), note="1x1 reads x in place"),
    *_cases((2, 5, 7, 20), (1, 1, 10, 18), (2, 5, 7, 18), groups=2, note="1x1 in place, groups"),
    *_cases((2, 5, 7, 9), (1, 1, 9, 4), (2, 3, 4, 4), strides=(2, 2), note="1x1 with strides"),
    *_cases((1, 3, 3, 4), (1, 1, 4, 5), (1, 5, 5, 5), padding=SAME_3, note="1x1 with padding"),
    *_cases((2, 9, 8, 3), (3, 3, 3, 5), (2, 5, 4, 5), strides=(2, 2), padding=((1, 1), (0, 1)), note="same, strides"),
    *_cases((1, 11, 10, 2), (3, 2, 2, 7), (1, 4, 3, 7), strides=(3, 4), padding=((1, 1), (1, 0)), note="gaps"),
    *_cases((1, 12, 9, 2), (2, 3, 2, 4), (1, 2, 7, 4), strides=(6, 1), note="stride above the kernel, rest below"),
    *_cases((2, 9, 10, 3), (3, 3, 3, 6), (2, 5, 4, 6), dilation=(2, 3), note="dilation"),
    *_cases((1, 8, 8, 17), (3, 2, 17, 4), (1, 8, 8, 4), padding=((2, 2), (1, 1)), dilation=(2, 2)),
    *_cases((2, 7, 7, 8), (3, 3, 2, 12), (2, 7, 7, 12), padding=SAME_3, groups=4, note="groups"),
    *_cases((2, 6, 6, 5), (3, 3, 1, 5), (2, 3, 3, 5), strides=(2, 2), padding=((0, 1), (0, 1)), groups=5),
    *_cases((2, 6, 9, 34), (2, 3, 17, 40), (2, 4, 5, 40), dilation=(2, 2), groups=2),
    *_cases((1, 4, 3, 2), (7, 6, 2, 3), (1, 4, 3, 3), padding=((3, 3), (2, 3)), note="kernel above the image"),
    *_cases((1, 30, 40, 8), (3, 3, 8, 8), (1, 30, 40, 8), padding=SAME_3, note="several splits and blocks"),
    *_cases((3, 20, 21, 3), (7, 7, 3, 12), (3, 10, 11, 12), strides=(2, 2), padding=((2, 3), (3, 3))),
    *_cases((2, 8, 8, 200), (3, 3, 200, 40), (2, 8, 8, 40), padding=SAME_3, note="kernel rows in chunks"),
    *_cases((1, 6, 7, 120), (1, 1, 120, 130), (1, 6, 7, 130), note="few pixels: cut by filters, in place"),
    *_cases((2, 9, 8, 110), (3, 3, 110, 101), (2, 5, 4, 101), strides=(2, 2), padding=SAME_3, note="cut by filters"),
    *_cases((20, 4, 5, 8), (3, 3, 8, 20), (20, 4, 5, 20), padding=SAME_3, note="blocks of several images"),
    *_cases((1, 3, 9, 5), (3, 2, 5, 18), (1, 1, 8, 18), note="one row of windows that overlap"),
    *_cases((3, 40, 12, 24), (1, 1, 24, 70), (3, 40, 12, 70), note="1x1: several blocks of tiles and panels"),
    *_cases((2, 7, 6, 9), (2, 3, 9, 20), (2, 6, 5, 20), strides=(2, 2), padding=((3, 2), (4, 2)),
            note="padding above the kernel: the input's gradient crops"),
    *_cases((2, 9, 11, 6), (3, 4, 6, 12), (2, 3, 4, 12), strides=(3, 2), note="strides: residues of different size"),
    *_cases((1, 10, 9, 12), (2, 2, 12, 17), (1, 5, 4, 17), strides=(2, 2), note="windows side by side, a rest"),
    *(_fused(activation, bias, o, c) for activation in ("linear", "relu", "relu6", "sigmoid", "tanh")
      for bias in (False, True) for o, c in [(6, 1), (6, 3), (16, 3), (40, 3)] if bias or activation != "linear"),
    *(_fused(activation, bias, o, c, True, window) for activation, bias in _RESIDUALS
      for o, c, window in [(6, 1, 3), (6, 3, 3), (40, 3, 3), (70, 20, 1), (140, 5, 3)]),
    *(OpCase(Conv2d(groups=2, activation=activation), [Spec((2, 5, 6, 8)), Spec((3, 3, 4, 10)), *added], grad=(),
             note="groups", **_tolerance(36))
      for activation in ("linear", "relu6") for added in [(Spec((2, 3, 4, 10)),), (Spec((10,)), Spec((2, 3, 4, 10)))]),
]  # fmt: skip
