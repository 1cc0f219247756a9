"""Cases of convolutions whose kernels were packed beforehand, and of the packing."""

import math

import numpy as np

from pynn.graph.ir import Spec
from pynn.ops.conv import Conv2d
from pynn.ops.conv_pack import PackConv2dKernel, packed_shape
from pynn.reference.conv import pack_conv2d_kernel
from pynn.testing.op_case import OpCase

_Shape = tuple[int, int, int, int]


def _case(
    x: _Shape,
    w: _Shape,
    stride: int = 1,
    pad: int = 1,
    tile: int = 0,
    act: str = "linear",
    added: str = "",
    note: str = "",
) -> OpCase:
    """``added``: "b" for a bias, "r" for a residual."""
    op = Conv2d((stride, stride), ((pad, pad), (pad, pad)), activation=act, packed=w, tile=tile)
    h, width = ((x[1 + d] + 2 * pad - w[d]) // stride + 1 for d in (0, 1))
    y = (x[0], h, width, w[3])
    specs = [Spec(x), Spec(packed_shape(w, tile)), *(Spec(w[3:] if a == "b" else y) for a in added)]

    def kernel(rng: np.random.Generator, spec: Spec) -> np.ndarray:
        return pack_conv2d_kernel(rng.standard_normal(w), tile=tile)

    # The transformed kernel is rounded, so tiles err as much as in conv_winograd.py, and half as much again.
    terms = math.prod(w[:3])
    atol = 1.8e-4 * math.sqrt(terms) if tile else max(8e-6, 2e-7 * terms)
    return OpCase(op, specs, draw={1: kernel}, rtol=1e-5, atol=atol, expect=[y], grad=(), note=note)


CASES = [
    *(_case((2, 7, 6, 16), (3, 3, 16, filters), tile=tile) for tile in (2, 4) for filters in (16, 32, 48)),
    *(_case((1, 13, 12, 32), (3, 3, 32, 80), tile=tile, act="relu", added="br") for tile in (2, 4)),
    *(_case((1, 24, 24, 16), (3, 3, 16, 48), tile=tile, note="by tiles: more than filters") for tile in (2, 4)),
    *(_case((1, 24, 24, 112), (3, 3, 112, 288), tile=tile, act="tanh", added="r", note="by filters")
      for tile in (2, 4)),
    *(_case((2, 6, 5, c), (3, 3, c, filters)) for c, filters in [(3, 5), (9, 17), (16, 33), (5, 70)]),
    *(_case((2, 5, 7, 20), (1, 1, 20, filters), pad=0, act="relu6", added="br") for filters in (10, 45, 130)),
    _case((3, 40, 12, 24), (1, 1, 24, 70), pad=0, note="several blocks of tiles"),
    _case((1, 20, 21, 12), (3, 3, 12, 40), stride=2, added="b", note="by pixels, with strides"),
    _case((2, 9, 8, 110), (3, 3, 110, 101), stride=2, act="relu", added="r", note="by filters, with strides"),
    *(OpCase(PackConv2dKernel(tile), [Spec(w)], expect=[packed_shape(w, tile)], grad=(), rtol=1e-5)
      for tile, w in [(0, (1, 1, 3, 5)), (0, (3, 2, 5, 70)), (2, (3, 3, 16, 16)), (2, (3, 3, 32, 80)),
                      (4, (3, 3, 16, 64)), (4, (3, 3, 48, 48))]),
]  # fmt: skip
