"""Matrix products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynn.errors import GraphError, ShapeError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.trace import as_value

#: Activations a product can apply to its result while it is in the cache; numbers as in params.h.
EPILOGUE_ACTIVATIONS = {"linear": 0, "relu": 1, "sigmoid": 2, "tanh": 3}


@dataclass(frozen=True)
class Matmul(Op):
    """``activation(op(a) @ op(b) + bias)``: a ``[m, k]`` (``[k, m]`` if transposed), b ``[k, n]``, bias ``[n]``.

    Layers record the plain product; the bias and the activation are folded in by the fuse pass.
    """

    transpose_a: bool = False
    transpose_b: bool = False
    activation: str = "linear"

    def infer(self, *specs: Spec) -> Spec:
        self.require_float(*specs)
        self.require(len(specs) in (2, 3), "two matrices and maybe a bias", *specs)
        a, b = specs[:2]
        self.require(len(a.shape) == 2 and len(b.shape) == 2, "two matrices", a, b)
        m, k = a.shape[::-1] if self.transpose_a else a.shape
        k2, n = b.shape[::-1] if self.transpose_b else b.shape
        self.require(k == k2, "matrices with equal inner sizes", a, b)
        if len(specs) == 3:
            self.require(specs[2].shape == (n,), f"a bias of shape ({n},)", specs[2])
        return a.with_shape((m, n))

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        if len(inputs) != 2 or self.activation != "linear":
            raise GraphError("matmul: differentiate before the fuse pass folds the bias and activation in")
        a, b = inputs
        ta, tb = self.transpose_a, self.transpose_b
        grad_a = Matmul(tb, True)(b, g) if ta else Matmul(False, not tb)(g, b)
        grad_b = Matmul(True, ta)(g, a) if tb else Matmul(not ta, False)(a, g)
        return grad_a, grad_b

    def params(self, node: Node) -> dict[str, Any]:
        m, n = node.outputs[0].shape
        a = node.inputs[0].shape
        return {
            "m": m,
            "n": n,
            "k": a[0] if self.transpose_a else a[1],
            "transpose_a": self.transpose_a,
            "transpose_b": self.transpose_b,
            "bias": len(node.inputs) == 3,
            "activation": EPILOGUE_ACTIVATIONS[self.activation],
        }

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("gemm", self.params, epilogue=frozenset({"bias", "relu", "sigmoid", "tanh"})),)


def matmul(x1: Any, x2: Any) -> Value:
    """``x1 @ x2``, as NumPy does it: ``[..., m, k] @ [..., k, n]`` with leading axes that broadcast, or vectors.

    Raises:
        ShapeError: the inner sizes differ, the leading axes do not broadcast, or one is a scalar.
    """
    from pynn.ops.batched_matmul import batched_matmul
    from pynn.ops.shape import reshape

    a, b = as_value(x1), as_value(x2)
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
