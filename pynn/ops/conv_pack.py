"""Kernels of convolutions, packed once for many runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynn.errors import GraphError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.ops.matmul import PANEL_COLUMNS


def packed_shape(kernel: tuple[int, ...], tile: int) -> tuple[int, ...]:
    """Shape of a packed kernel: ``tile`` as in :class:`PackConv2dKernel`, ``kernel`` (kh, kw, c, filters)."""
    kh, kw, c, filters = kernel
    rows = ((tile + 2) ** 2, c) if tile else (kh * kw * c,)
    return (-(-filters // PANEL_COLUMNS), *rows, PANEL_COLUMNS)


@dataclass(frozen=True)
class PackConv2dKernel(Op):
    """Kernel ``w`` (kh, kw, c, filters) to panels of 32 filters, zeros beyond the last.

    With ``tile`` 0 as it is, (panels, kh * kw * c, 32), for the direct convolution; with 2 or 4 as ``G w G^T`` of
    Winograd's algorithm with tiles of that size, (panels, (tile + 2)^2, c, 32).  For ``Conv2d(packed=w.shape,
    tile=tile)``.
    """

    tile: int = 0

    def infer(self, *specs: Spec) -> Spec:
        (w,) = specs
        self.require_float(w)
        self.require(len(w.shape) == 4, "a kernel of 4 dimensions (kh, kw, c, filters)", w)
        self.require(self.tile in (0, 2, 4), f"a tile of 0, 2 or 4, not {self.tile}", w)
        if self.tile:
            whole = w.shape[:2] == (3, 3) and w.shape[2] % 16 == 0 and w.shape[3] % 16 == 0
            self.require(whole, "a kernel of 3 x 3 with channels and filters in sixteens", w)
        return w.with_shape(packed_shape(w.shape, self.tile))

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        raise GraphError("pack_conv2d_kernel: differentiate before the weights are packed")

    def params(self, node: Node) -> dict[str, Any]:
        kh, kw, c, filters = node.inputs[0].shape
        if self.tile:
            return {"c": c, "filters": filters, "tile": self.tile}
        return {"n": filters, "k": kh * kw * c}

    def flops(self, node: Node) -> int:
        if not self.tile:
            return 0
        _, _, c, filters = node.inputs[0].shape
        size = self.tile + 2  # G is size x 3: first G w, then (G w) G^T
        return c * filters * 2 * 3 * (3 * size + size * size)

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("conv2d_winograd_pack" if self.tile else "gemm_pack_b", self.params),)
