"""Matrix products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from pynn.errors import GraphError, ShapeError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value

#: Activations a product can apply to its result while it is in the cache; numbers as in params.h.
EPILOGUE_ACTIVATIONS = {"linear": 0, "relu": 1, "sigmoid": 2, "tanh": 3, "relu6": 4}

#: Columns of a panel of packed weights, kPackedCols of microkernel.h.
PANEL_COLUMNS = 32


@dataclass(frozen=True)
class Matmul(Op):
    """``activation(op(a) @ op(b) + bias + residual)``: a ``[m, k]`` (``[k, m]`` if transposed), b ``[k, n]``, bias
    ``[n]``, residual ``[m, n]``.

    Layers record the plain product; the bias, the residual (another branch's result) and the activation are folded in
    by the fuse pass.  Each of the two may be absent; their ranks tell them apart.  With ``packed_n`` b is what
    `PackMatmulKernel` made of a ``[k, packed_n]`` matrix.
    """

    float32_kernels: ClassVar[bool] = True
    transpose_a: bool = False
    transpose_b: bool = False
    activation: str = "linear"
    packed_n: int = 0

    def infer(self, *specs: Spec) -> Spec:
        self.require(len({s.dtype for s in specs}) == 1, "matrices of one dtype", *specs)
        self.require(2 <= len(specs) <= 4, "two matrices and maybe a bias and a residual", *specs)
        a, b, *added = specs
        self.require(len(a.shape) == 2, "two matrices", a, b)
        m, k = a.shape[::-1] if self.transpose_a else a.shape
        if self.packed_n:
            n = self.packed_n
            packed = (-(-n // PANEL_COLUMNS), k, PANEL_COLUMNS)
            self.require(not self.transpose_b and b.shape == packed, f"packed weights of shape {packed}", a, b)
        else:
            self.require(len(b.shape) == 2, "two matrices", a, b)
            k2, n = b.shape[::-1] if self.transpose_b else b.shape
            self.require(k == k2, "matrices with equal inner sizes", a, b)
        if added and len(added[0].shape) == 1:
            bias = added.pop(0)
            self.require(bias.shape == (n,), f"a bias of shape ({n},)", bias)
        if added:
            self.require(added[0].shape == (m, n) and len(added) == 1, f"a residual of shape {(m, n)}", *added)
        return a.with_shape((m, n))

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        if len(inputs) != 2 or self.activation != "linear" or self.packed_n:
            raise GraphError("matmul: differentiate before passes fold a bias or an activation in or pack the weights")
        a, b = inputs
        ta, tb = self.transpose_a, self.transpose_b
        grad_a = Matmul(tb, True)(b, g) if ta else Matmul(False, not tb)(g, b)
        grad_b = Matmul(True, ta)(g, a) if tb else Matmul(not ta, False)(a, g)
        return grad_a, grad_b

    def params(self, node: Node) -> dict[str, Any]:
        m, n = node.outputs[0].shape
        a = node.inputs[0].shape
        added = [len(v.shape) for v in node.inputs[2:]]
        return {
            "m": m,
            "n": n,
            "k": a[0] if self.transpose_a else a[1],
            "transpose_a": self.transpose_a,
            "transpose_b": self.transpose_b,
            "packed": self.packed_n > 0,
            "bias": 1 in added,
            "residual": 2 in added,
            "activation": EPILOGUE_ACTIVATIONS[self.activation],
        }

    def channel_shape(self, kernel: Spec) -> tuple[int, ...] | None:
        return (kernel.shape[0], 1) if self.transpose_b else kernel.shape[1:]

    def flops(self, node: Node) -> int:
        sizes = self.params(node)
        return 2 * sizes["m"] * sizes["n"] * sizes["k"]

    def candidates(self) -> Sequence[Candidate]:
        epilogue = frozenset({"bias", "residual", "relu", "relu6", "sigmoid", "tanh"})
        return (Candidate("gemm", self.params, epilogue=epilogue, prepack=_prepack),)


class PackMatmulKernel(Op):
    """Weights ``[k, n]`` to panels ``[ceil(n / 32), k, 32]``, zeros beyond column ``n``, for ``Matmul(packed_n=n)``."""

    def infer(self, *specs: Spec) -> Spec:
        (b,) = specs
        self.require_float(b)
        self.require(len(b.shape) == 2, "a matrix", b)
        k, n = b.shape
        return b.with_shape((-(-n // PANEL_COLUMNS), k, PANEL_COLUMNS))

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        raise GraphError("pack_matmul_kernel: differentiate before the weights are packed")

    def params(self, node: Node) -> dict[str, Any]:
        k, n = node.inputs[0].shape
        return {"n": n, "k": k}

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("gemm_pack_b", self.params),)


def _prepack(node: Node) -> tuple[Op, Op] | None:
    """Packing pays where the kernel would pack the weights itself, or would read them from memory in short pieces."""
    op = node.op
    assert isinstance(op, Matmul)
    if op.transpose_b or op.packed_n:
        return None
    k, n = node.inputs[1].shape
    if n <= 512 and k * n * 4 <= 1 << 19:
        return None
    return PackMatmulKernel(), replace(op, packed_n=n)


def matmul(x1: Any, x2: Any) -> Value:
    """``x1 @ x2``, as NumPy does it: ``[..., m, k] @ [..., k, n]`` with leading axes that broadcast, or vectors.

    Raises:
        ShapeError: the inner sizes differ, the leading axes do not broadcast, or one is a scalar.

    Example:
        >>> from pynn import ops
        >>> ops.matmul([[1.0, 2.0]], [[3.0], [4.0]]).round(4)
        array([[11.]], dtype=float32)
    """
    from pynn.ops.batched_matmul import batched_matmul
    from pynn.ops.operands import common_dtype
    from pynn.ops.shape import cast, reshape

    dtype = common_dtype(x1, x2)
    a, b = cast(x1, dtype), cast(x2, dtype)
    if a.ndim and b.ndim not in (0, 2):
        return batched_matmul(a, b)
    if a.ndim < 1 or b.ndim != 2 or a.shape[-1] != b.shape[0]:
        raise ShapeError(
            f"matmul: expected x1 of shape (..., k) and x2 of shape (k, n), received {a.spec} and {b.spec}"
        )
    if a.ndim == 2:
        return Matmul()(a, b)
    rows = math.prod(a.shape[:-1])
    return reshape(Matmul()(reshape(a, (rows, a.shape[-1])), b), (*a.shape[:-1], b.shape[1]))
