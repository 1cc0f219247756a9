"""Cases of linear algebra: stacks, tall and wide matrices; all well conditioned, so that float32 shows no noise."""

from typing import Any

import numpy as np

from pynn.graph.ir import Spec
from pynn.ops import linear_algebra as la
from pynn.testing.op_case import OpCase


def _dominant(rng, spec):
    return rng.standard_normal(spec.shape) * 0.3 + 2 * np.eye(spec.shape[-1])


def _positive(rng, spec):
    x = rng.standard_normal(spec.shape) * 0.5
    return x @ np.swapaxes(x, -1, -2) + np.eye(spec.shape[-1])


def _symmetric(rng, spec):
    """Eigenvalues well apart."""
    q = np.linalg.qr(rng.standard_normal(spec.shape))[0]
    return (q * np.arange(1, spec.shape[-1] + 1)) @ np.swapaxes(q, -1, -2)


def _apart(rng, spec):
    """Singular values well apart."""
    *stack, m, n = spec.shape
    k = min(m, n)
    u, v = (np.linalg.qr(rng.standard_normal((*stack, size, k)))[0] for size in (m, n))
    return (u * np.arange(1, k + 1)) @ np.swapaxes(v, -1, -2)


_A, _B = Spec((2, 3, 3)), Spec((2, 3, 4))
_LOOSE: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5}

CASES = [
    # Finite differences move all numbers; a symmetric rule sees half of each pair.  Gradients of these two are checked
    # through an argument that is made symmetric: tests/ops/test_linear_algebra.py.
    OpCase(la.Cholesky(), [_A], draw={0: _positive}, grad=(), expect=[(2, 3, 3)], **_LOOSE),
    OpCase(la.Eigh(), [_A], draw={0: _symmetric}, grad=(), expect=[(2, 3), (2, 3, 3)], **_LOOSE),
    *(OpCase(op, [_A], draw={0: _dominant}, **_LOOSE) for op in (la.Inv(), la.Det())),
    OpCase(la.Slogdet(), [_A], draw={0: _dominant}, **_LOOSE),
    OpCase(la.Solve(), [_A, _B], draw={0: _dominant}, **_LOOSE),
    *(OpCase(la.SolveTriangular(lower, turned), [_A, _B], draw={0: _dominant}, **_LOOSE)
      for lower in (False, True) for turned in (False, True)),
    *(OpCase(la.Qr(), [Spec(shape)], **_LOOSE) for shape in [(3, 3), (2, 5, 3)]),
    OpCase(la.Qr(True), [Spec((5, 3))], grad=(), expect=[(5, 5), (5, 3)], **_LOOSE),
    *(OpCase(la.Svd(), [Spec(shape)], draw={0: _apart}, **_LOOSE) for shape in [(3, 3), (5, 3), (3, 5)]),
    OpCase(la.Svd(True), [Spec((5, 3))], draw={0: _apart}, grad=(), expect=[(5, 5), (3,), (3, 3)], **_LOOSE),
]  # fmt: skip
