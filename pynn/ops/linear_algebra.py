"""Linear algebra of stacks of matrices ``[..., m, n]``: factorizations, systems of equations, determinants.

LAPACK computes them through NumPy inside the program.  Gradients: M. Giles, "An extended collection of matrix
derivative results for forward and reverse mode algorithmic differentiation" (2008); for Cholesky I. Murray (2016); for
QR S. Walter and L. Lehmann (2018).  Where there is no result (a singular matrix) it is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Op, Spec, Value
from pynn.ops.arrange import swapaxes, tril, triu
from pynn.ops.comparison import equal, where
from pynn.ops.elementwise import add, divide, multiply, negative, subtract
from pynn.ops.elementwise import log as _log
from pynn.ops.matmul import matmul
from pynn.ops.operands import _float
from pynn.ops.reduce import max as reduce_max
from pynn.ops.reduce import sum as reduce_sum
from pynn.ops.shape import expand_dims, reshape, squeeze


def _t(x: Value) -> Value:
    """Each matrix transposed."""
    return swapaxes(x, -1, -2)


class _Square(Op, abstract=True):
    """Base: takes square matrices."""

    def _square(self, x: Spec) -> Spec:
        self.require_float(x)
        self.require(len(x.shape) >= 2 and x.shape[-1] == x.shape[-2] > 0, "square matrices (..., n, n)", x)
        return x


class Cholesky(_Square):
    """Lower triangular ``L`` with ``L L^T = x``, for symmetric positive definite ``x``."""

    def infer(self, *specs: Spec) -> Spec:
        return self._square(*specs)

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        inner = tril(matmul(_t(y), g))
        inner = subtract(inner, multiply(inner, 0.5 * np.eye(y.shape[-1], dtype="float32")))
        half = SolveTriangular(True, True)(y, inner)  # L^-T inner
        full = _t(SolveTriangular(True, True)(y, _t(half)))
        return (multiply(add(full, _t(full)), 0.5),)


class Inv(_Square):
    """``x^-1``."""

    def infer(self, *specs: Spec) -> Spec:
        return self._square(*specs)

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (negative(matmul(_t(y), matmul(g, _t(y)))),)


class Slogdet(_Square):
    """Sign and logarithm of the size of the determinant."""

    def infer(self, *specs: Spec) -> tuple[Spec, Spec]:
        x = self._square(*specs)
        return x.with_shape(x.shape[:-2]), x.with_shape(x.shape[:-2])

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        size = g[1]
        return (None if size is None else multiply(_matrices(size), _t(Inv()(inputs[0]))),)


class Det(_Square):
    """Determinant."""

    def infer(self, *specs: Spec) -> Spec:
        x = self._square(*specs)
        return x.with_shape(x.shape[:-2])

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (multiply(_matrices(multiply(g, y)), _t(Inv()(inputs[0]))),)


class Solve(_Square):
    """``a^-1 b``: a ``[..., n, n]``, b ``[..., n, k]``, of equal leading axes."""

    def infer(self, *specs: Spec) -> Spec:
        a, b = specs
        self._square(a)
        self.require(b.dtype == a.dtype and b.shape[:-1] == a.shape[:-1], "right sides (..., n, k)", *specs)
        return b

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        g_b = self(_t(inputs[0]), g)
        return negative(matmul(g_b, _t(y))), g_b


@dataclass(frozen=True)
class SolveTriangular(_Square):
    """``a^-1 b`` (``a^-T b`` if ``transpose``), reading only the lower (or upper) triangle of ``a``."""

    lower: bool = False
    transpose: bool = False

    def infer(self, *specs: Spec) -> Spec:
        a, b = specs
        self._square(a)
        self.require(b.dtype == a.dtype and b.shape[:-1] == a.shape[:-1], "right sides (..., n, k)", *specs)
        return b

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        g_b = SolveTriangular(self.lower, not self.transpose)(inputs[0], g)
        g_a = matmul(y, _t(g_b)) if self.transpose else matmul(g_b, _t(y))
        return negative((tril if self.lower else triu)(g_a)), g_b


@dataclass(frozen=True)
class Qr(Op):
    """``x = q r`` with orthonormal columns in q and an upper triangular r; q square if ``complete``."""

    complete: bool = False

    def infer(self, *specs: Spec) -> tuple[Spec, Spec]:
        (x,) = specs
        self.require_float(x)
        self.require(len(x.shape) >= 2, "matrices", x)
        *stack, m, n = x.shape
        k = m if self.complete else min(m, n)
        return x.with_shape((*stack, m, k)), x.with_shape((*stack, k, n))

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        q, r = y
        if r.shape[-2] != r.shape[-1]:
            raise ArgumentError(
                f"qr: no gradient for {inputs[0].spec}, which has more columns than rows or is factored completely"
            )
        g_q = g[0] if g[0] is not None else multiply(q, 0.0)
        m = negative(matmul(_t(g_q), q))
        if g[1] is not None:
            m = add(m, matmul(r, _t(g[1])))
        symmetric = add(tril(m), _t(tril(m, -1)))
        right = add(g_q, matmul(q, symmetric))  # right r^-T
        return (_t(SolveTriangular()(r, _t(right))),)


class Eigh(_Square):
    """Eigenvalues, rising, and eigenvectors (columns) of symmetric matrices, of which the lower triangle is read."""

    def infer(self, *specs: Spec) -> tuple[Spec, Spec]:
        x = self._square(*specs)
        return x.with_shape(x.shape[:-1]), x

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        w, v = y
        inner = multiply(v, 0.0)
        if g[1] is not None:
            inner = multiply(_one_over(subtract(expand_dims(w, -2), expand_dims(w, -1))), matmul(_t(v), g[1]))
        if g[0] is not None:
            inner = add(inner, multiply(expand_dims(g[0], -1), np.eye(v.shape[-1], dtype="float32")))
        full = matmul(v, matmul(inner, _t(v)))
        # As a function of the lower triangle and its mirror image.
        return (multiply(add(full, _t(full)), 0.5),)


@dataclass(frozen=True)
class Svd(Op):
    """``x = u diag(s) v^T``, singular values falling; ``full``: u and v^T square."""

    full: bool = False

    def infer(self, *specs: Spec) -> tuple[Spec, Spec, Spec]:
        (x,) = specs
        self.require_float(x)
        self.require(len(x.shape) >= 2, "matrices", x)
        *stack, m, n = x.shape
        k = min(m, n)
        u, v = ((m, m), (n, n)) if self.full else ((m, k), (k, n))
        return x.with_shape((*stack, *u)), x.with_shape((*stack, k)), x.with_shape((*stack, *v))

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        u, s, vt = y
        g_u, g_s, g_vt = g
        k = s.shape[-1]
        if (g_u is not None or g_vt is not None) and not u.shape[-1] == vt.shape[-2] == k:
            raise ArgumentError("svd: no gradient of u and v with full_matrices=True unless the matrices are square")
        u, vt = u[..., :k], vt[..., :k, :]
        inner = multiply(expand_dims(s, -1), 0.0 * np.eye(k, dtype="float32"))
        if g_s is not None:
            inner = add(inner, multiply(expand_dims(g_s, -1), np.eye(k, dtype="float32")))
        square = multiply(s, s)
        apart = _one_over(subtract(expand_dims(square, -2), expand_dims(square, -1)))
        columns, rows = expand_dims(s, -2), expand_dims(s, -1)
        outside = None
        if g_u is not None:
            m = matmul(_t(u), g_u)
            inner = add(inner, multiply(multiply(apart, subtract(m, _t(m))), columns))
            beyond = divide(subtract(g_u, matmul(u, m)), columns)
            outside = matmul(beyond, vt)
        if g_vt is not None:
            m = matmul(vt, _t(g_vt))
            inner = add(inner, multiply(rows, multiply(apart, subtract(m, _t(m)))))
            beyond = matmul(u, divide(subtract(g_vt, matmul(_t(m), vt)), rows))
            outside = beyond if outside is None else add(outside, beyond)
        full = matmul(u, matmul(inner, vt))
        return (full if outside is None else add(full, outside),)


def _matrices(x: Value) -> Value:
    """Numbers as matrices of one."""
    return reshape(x, (*x.shape, 1, 1))


def _one_over(x: Value) -> Value:
    """``1 / x``, and 0 where x is 0: on the diagonal."""
    zero = equal(x, 0.0)
    return where(zero, 0.0, divide(1.0, where(zero, 1.0, x)))


# ---- functions -----------------------------------------------------------------------------------------------------


def cholesky(x: Any, upper: bool = False) -> Value:
    """Lower triangular ``L`` with ``L L^T = x``, or its transpose if ``upper``; NaN unless x is positive definite.

    Example:
        >>> from pynn import ops
        >>> ops.cholesky([[4.0, 2.0], [2.0, 5.0]])
        array([[2., 0.],
               [1., 2.]], dtype=float32)
    """
    factor = Cholesky()(_float(x))
    return _t(factor) if upper else factor


def inv(x: Any) -> Value:
    """``x^-1``.

    Example:
        >>> from pynn import ops
        >>> ops.inv([[2.0, 0.0], [0.0, 4.0]]).round(4)
        array([[0.5 , 0.  ],
               [0.  , 0.25]], dtype=float32)
    """
    return Inv()(_float(x))


def det(x: Any) -> Value:
    """Determinant.

    Example:
        >>> from pynn import ops
        >>> ops.det([[2.0, 0.0], [0.0, 3.0]]).round(4)
        np.float32(6.0)
    """
    return Det()(_float(x))


def slogdet(x: Any) -> tuple[Value, Value]:
    """Sign of the determinant, and the logarithm of its size, which does not overflow."""
    return Slogdet()(_float(x))


def logdet(x: Any) -> Value:
    """Logarithm of the determinant of positive definite matrices.

    Example:
        >>> from pynn import ops
        >>> ops.logdet([[2.0, 0.0], [0.0, 3.0]]).round(4)
        np.float32(1.7918)
    """
    from pynn.ops.arrange import diagonal

    return multiply(2.0, reduce_sum(_log(diagonal(cholesky(x), 0, -2, -1)), axis=-1))


def _right_sides(function: str, a: Any, b: Any) -> tuple[Value, Value, bool]:
    """Both, b as matrices of the same leading axes, and whether it was vectors."""
    from pynn.ops.shape import broadcast_to

    x, y = _float(a), _float(b)
    vector = y.ndim == x.ndim - 1
    y = expand_dims(y, -1) if vector else y
    if x.ndim < 2 or x.ndim != y.ndim or x.shape[-2] != y.shape[-2]:
        raise ShapeError(f"{function}: expected a (..., m, n), b (..., m) or (..., m, k); received {x.spec}, {y.spec}")
    stack = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    return broadcast_to(x, (*stack, *x.shape[-2:])), broadcast_to(y, (*stack, *y.shape[-2:])), vector


def solve(a: Any, b: Any) -> Value:
    """The ``x`` with ``a x = b``: a (..., n, n), b (..., n) or (..., n, k).

    Example:
        >>> from pynn import ops
        >>> ops.solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0]).round(4)
        array([1. , 0.5], dtype=float32)
    """
    x, y, vector = _right_sides("solve", a, b)
    found = Solve()(x, y)
    return squeeze(found, -1) if vector else found


def solve_triangular(a: Any, b: Any, lower: bool = False) -> Value:
    """The ``x`` with ``a x = b`` for upper (or ``lower``) triangular a, whose other half is not read."""
    x, y, vector = _right_sides("solve_triangular", a, b)
    found = SolveTriangular(bool(lower))(x, y)
    return squeeze(found, -1) if vector else found


def qr(x: Any, mode: str = "reduced") -> tuple[Value, Value]:
    """``x = q r``: orthonormal columns times an upper triangular matrix; ``mode`` ``"reduced"`` or ``"complete"``.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> q, r = ops.qr(np.eye(2))
        >>> q.shape, r.shape
        ((2, 2), (2, 2))
    """
    if mode not in ("reduced", "complete"):
        raise ArgumentError(f"qr: mode must be 'reduced' or 'complete', received {mode!r}")
    return Qr(mode == "complete")(_float(x))


def eigh(x: Any) -> tuple[Value, Value]:
    """Eigenvalues, rising, and eigenvectors (columns) of symmetric matrices.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> values, vectors = ops.eigh(np.diag([3.0, 2.0]))
        >>> values
        array([2., 3.], dtype=float32)
    """
    return Eigh()(_float(x))


def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """``(u, s, v^T)`` with ``x = u diag(s) v^T``, or ``s`` alone unless ``compute_uv``; s falls.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> u, s, v = ops.svd(np.diag([3.0, 2.0]))
        >>> s
        array([3., 2.], dtype=float32)
    """
    if not compute_uv:
        return Svd()(_float(x))[1]
    return Svd(bool(full_matrices))(_float(x))


def lstsq(a: Any, b: Any, rcond: float | None = None) -> Value:
    """The ``x`` of least length among those for which ``|a x - b|`` is least.

    Args:
        a: (m, n).
        b: (m,) or (m, k).
        rcond: singular values below this part of the largest count as 0; by default the number of rows or columns,
            whichever is larger, times the rounding error of float32.
    """
    x, y, vector = _right_sides("lstsq", a, b)
    limit = max(x.shape[-2:]) * float(np.finfo("float32").eps) if rcond is None else rcond
    u, s, vt = Svd()(x)
    used = s > multiply(reduce_max(s, axis=-1, keepdims=True), limit)
    over = where(used, divide(1.0, where(used, s, 1.0)), 0.0)
    found = matmul(_t(vt), multiply(expand_dims(over, -1), matmul(_t(u), y)))
    return squeeze(found, -1) if vector else found
