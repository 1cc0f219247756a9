"""Matrix products with batch axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pynn.errors import ShapeError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value


@dataclass(frozen=True)
class BatchedMatmul(Op):
    """``op(a[i]) @ op(b[i])`` for each i: a ``[batch, m, k]`` (``[batch, k, m]`` if transposed), b ``[batch, k, n]``
    (``[batch, n, k]``)."""

    float32_kernels: ClassVar[bool] = True
    transpose_a: bool = False
    transpose_b: bool = False

    def infer(self, *specs: Spec) -> Spec:
        self.require(len({s.dtype for s in specs}) == 1, "matrices of one dtype", *specs)
        self.require(len(specs) == 2 and all(len(s.shape) == 3 for s in specs), "two stacks of matrices", *specs)
        a, b = specs
        m, k = a.shape[:0:-1] if self.transpose_a else a.shape[1:]
        k2, n = b.shape[:0:-1] if self.transpose_b else b.shape[1:]
        self.require(a.shape[0] == b.shape[0] and k == k2, "stacks of one length and equal inner sizes", a, b)
        return a.with_shape((a.shape[0], m, n))

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        a, b = inputs
        ta, tb = self.transpose_a, self.transpose_b
        grad_a = BatchedMatmul(tb, True)(b, g) if ta else BatchedMatmul(False, not tb)(g, b)
        grad_b = BatchedMatmul(True, ta)(g, a) if tb else BatchedMatmul(not ta, False)(a, g)
        return grad_a, grad_b

    def params(self, node: Node) -> dict[str, Any]:
        batch, m, n = node.outputs[0].shape
        k = node.inputs[0].shape[1 if self.transpose_a else 2]
        return {"batch": batch, "m": m, "n": n, "k": k, **self.attributes()}

    def flops(self, node: Node) -> int:
        s = self.params(node)
        return 2 * s["batch"] * s["m"] * s["n"] * s["k"]

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("batched_gemm", self.params),)


def batched_matmul(a: Value, b: Value) -> Value:
    """``a @ b`` as NumPy does it: a ``[..., m, k]``, b ``[..., k, n]`` (or ``[k]``), batch axes broadcast.

    Raises:
        ShapeError: the inner sizes differ, or the batch axes do not broadcast.
    """
    from pynn.ops.shape import broadcast_to, reshape

    x, y = (a if a.ndim > 1 else reshape(a, (1, a.size))), (b if b.ndim > 1 else reshape(b, (b.size, 1)))
    try:
        batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
        if x.shape[-1] != y.shape[-2]:
            raise ValueError
    except ValueError:
        raise ShapeError(
            f"matmul: expected x1 of shape (..., m, k) and x2 of shape (..., k, n) whose leading axes broadcast, "
            f"received {a.spec} and {b.spec}"
        ) from None
    (m, k), n = x.shape[-2:], y.shape[-1]
    x = reshape(broadcast_to(x, (*batch, m, k)), (math.prod(batch), m, k))
    y = reshape(broadcast_to(y, (*batch, k, n)), (math.prod(batch), k, n))
    rows = (m,) if a.ndim > 1 else ()
    columns = (n,) if b.ndim > 1 else ()
    return reshape(BatchedMatmul()(x, y), (*batch, *rows, *columns))
