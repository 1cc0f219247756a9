"""Products of vectors and tensors, distances, norms: matrix products in other words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.ops.arrange import axes_of, diagonal, moveaxis, ravel, stack, unstack
from pynn.ops.comparison import not_equal, where
from pynn.ops.elementwise import absolute, divide, multiply, power, sqrt, square, subtract
from pynn.ops.matmul import matmul
from pynn.ops.operands import _float, cast_together
from pynn.ops.pad import pad
from pynn.ops.reduce import max as reduce_max
from pynn.ops.reduce import mean
from pynn.ops.reduce import min as reduce_min
from pynn.ops.reduce import sum as reduce_sum
from pynn.ops.shape import cast, expand_dims, reshape, transpose


def dot(x1: Any, x2: Any) -> Value:
    """The sum of products over the last axis of ``x1`` and the last but one of ``x2`` (the only one of a vector).

    Example:
        >>> from pynn import ops
        >>> ops.dot([1.0, 2.0], [3.0, 4.0]).round(4)
        np.float32(11.0)
    """
    a, b = cast_together(x1, x2)
    if a.ndim == 0 or b.ndim == 0:
        return multiply(a, b)
    if b.ndim <= 2:
        return matmul(a, b) if a.ndim > 1 or b.ndim == 2 else inner(a, b)
    return tensordot(a, b, axes=[[a.ndim - 1], [b.ndim - 2]])


def inner(x1: Any, x2: Any) -> Value:
    """The sum of products over the last axes of both.

    Example:
        >>> from pynn import ops
        >>> ops.inner([1.0, 2.0], [3.0, 4.0]).round(4)
        np.float32(11.0)
    """
    a, b = cast_together(x1, x2)
    if a.ndim == 0 or b.ndim == 0:
        return multiply(a, b)
    return tensordot(a, b, axes=[[a.ndim - 1], [b.ndim - 1]])


def outer(x1: Any, x2: Any) -> Value:
    """Each number of ``x1`` times each of ``x2``, both flattened: a matrix.

    Example:
        >>> from pynn import ops
        >>> ops.outer([1.0, 2.0], [3.0, 4.0]).round(4)
        array([[3., 4.],
               [6., 8.]], dtype=float32)
    """
    a, b = cast_together(ravel(x1), ravel(x2))
    return multiply(expand_dims(a, 1), expand_dims(b, 0))


def vdot(x1: Any, x2: Any) -> Value:
    """The sum of products of both, flattened.

    Example:
        >>> from pynn import ops
        >>> ops.vdot([1.0, 2.0], [3.0, 4.0]).round(4)
        np.float32(11.0)
    """
    return inner(ravel(x1), ravel(x2))


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Value:
    """The sum of products over axes of both.

    Args:
        x1: any array.
        x2: any array.
        axes: how many last axes of ``x1`` meet so many first ones of ``x2``, or a pair: axes of ``x1`` and of ``x2``.

    Example:
        >>> from pynn import ops
        >>> ops.tensordot([[1.0, 2.0]], [[3.0], [4.0]], axes=1).round(4)
        array([[11.]], dtype=float32)
    """
    a, b = cast_together(x1, x2)
    if isinstance(axes, int):
        if not 0 <= axes <= min(a.ndim, b.ndim):
            raise ArgumentError(f"tensordot: axes={axes!r}: {a.spec} and {b.spec} have not so many")
        firsts, seconds = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        if not isinstance(axes, list | tuple) or len(axes) != 2:
            raise ArgumentError(f"tensordot: axes must be a number or a pair, received {axes!r}")
        firsts = axes_of("tensordot", axes[0], a.ndim)
        seconds = axes_of("tensordot", axes[1], b.ndim)
    if [a.shape[i] for i in firsts] != [b.shape[i] for i in seconds]:
        raise ShapeError(f"tensordot: axes={axes!r} of {a.spec} and {b.spec} differ in length")
    rows, columns = ([i for i in range(v.ndim) if i not in used] for v, used in ((a, firsts), (b, seconds)))
    k = math.prod(a.shape[i] for i in firsts)
    left = reshape(transpose(a, rows + firsts), (math.prod(a.shape[i] for i in rows), k))
    right = reshape(transpose(b, seconds + columns), (k, math.prod(b.shape[i] for i in columns)))
    return reshape(matmul(left, right), [a.shape[i] for i in rows] + [b.shape[i] for i in columns])


def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Value:
    """Vector product of vectors of three numbers (or two: the third is 0) along the given axes.

    Of two vectors of two numbers it is the third component alone.

    Example:
        >>> from pynn import ops
        >>> ops.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).round(4)
        array([0., 0., 1.], dtype=float32)
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = cast_together(x1, x2)
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ShapeError(f"cross: expected vectors of 2 or 3 numbers, received {a.spec} and {b.spec}")
    (a0, a1, *a2), (b0, b1, *b2) = unstack(a, axis=-1), unstack(b, axis=-1)
    third = a0 * b1 - a1 * b0
    if not a2 and not b2:
        return third
    zero = as_value(0, a.dtype)
    p, q = a2[0] if a2 else zero, b2[0] if b2 else zero
    return stack([a1 * q - p * b1, p * b0 - a0 * q, third], axis=axisc)


def cdist(x: Any, y: Any) -> Value:
    """Euclidean distances of the points of ``x`` from those of ``y``.

    Args:
        x: (..., n, features).
        y: (..., m, features).

    Returns:
        (..., n, m).

    Example:
        >>> from pynn import ops
        >>> ops.cdist([[0.0, 0.0]], [[3.0, 4.0]]).round(4)
        array([[5.]], dtype=float32)
    """
    a, b = _float(x), _float(y)
    squares = reduce_sum(square(subtract(expand_dims(a, -2), expand_dims(b, -3))), axis=-1)
    return _root(squares)


def _root(x: Value) -> Value:
    """Square root with the gradient 0 at 0."""
    positive = x > 0
    return where(positive, sqrt(where(positive, x, 1.0)), 0.0)


def corrcoef(x: Any) -> Value:
    """Correlation of each row with each other.

    Example:
        >>> from pynn import ops
        >>> ops.corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]).round(4)
        array([[ 1., -1.],
               [-1.,  1.]], dtype=float32)
    """
    x = _float(x)
    if x.ndim == 1:
        x = expand_dims(x, 0)
    centered = subtract(x, mean(x, axis=1, keepdims=True))
    covariance = matmul(centered, transpose(centered))
    spread = sqrt(diagonal(covariance))
    result = divide(divide(covariance, expand_dims(spread, 1)), expand_dims(spread, 0))
    return reshape(result, ()) if x.shape[0] == 1 else result


def correlate(x1: Any, x2: Any, mode: str = "valid") -> Value:
    """Sums of products of two rows at each offset: ``sum over n of x1[n + k] * x2[n]``.

    Args:
        x1: one axis.
        x2: one axis.
        mode: offsets where both overlap fully (``"valid"``), as many as the longer has (``"same"``), or all
            (``"full"``).

    Example:
        >>> from pynn import ops
        >>> ops.correlate([1.0, 2.0, 3.0], [1.0, 1.0]).round(4)
        array([3., 5.], dtype=float32)
    """
    if mode not in ("valid", "same", "full"):
        raise ArgumentError(f"correlate: mode must be 'valid', 'same' or 'full', received {mode!r}")
    a, b = cast_together(x1, x2)
    if a.ndim != 1 or b.ndim != 1:
        raise ShapeError(f"correlate: expected two rows, received {a.spec} and {b.spec}")
    n, m = a.size, b.size
    padded = pad(a, (m - 1, m - 1)) if m > 1 else a
    windows = stack([padded[i : i + m] for i in range(n + m - 1)])  # (n + m - 1, m)
    full = reduce_sum(multiply(windows, b), axis=-1)
    shorter, longer = sorted((n, m))
    if mode == "full":
        return full
    if mode == "valid":
        return full[shorter - 1 : shorter - 1 + longer - shorter + 1]
    start = (shorter - 1) // 2 if n >= m else (n + m - 1 - longer) - (shorter - 1) // 2
    return full[start : start + longer]


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Value:
    """Length of vectors, or size of matrices.

    Args:
        x: numbers.
        ord: of vectors: 2 (the default), any number, inf, -inf, 0 (how many are not 0); of matrices: ``"fro"`` (the
            default), ``"nuc"``, 1, -1, 2, -2, inf, -inf.
        axis: one axis of vectors, two of matrices; all numbers, or the array itself if ``ord`` is given, by default.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> from pynn import ops
        >>> ops.norm([3.0, 4.0])
        array(5., dtype=float32)
    """
    x = _float(x)
    if axis is None:
        if ord is None:
            return _root(reduce_sum(square(x), None, keepdims))
        axis = tuple(range(x.ndim))
    axes = axes_of("norm", axis, x.ndim)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) != 2:
        raise ArgumentError(f"norm: axis must name one axis or two, received {axis!r} for {x.spec}")
    return _matrix_norm(x, ord, axes, keepdims)


def _vector_norm(x: Value, ord: Any, axis: int, keepdims: bool) -> Value:
    if ord in (None, 2):
        return _root(reduce_sum(square(x), axis, keepdims))
    if not isinstance(ord, int | float):
        raise ArgumentError(f"norm: ord of vectors must be a number, received {ord!r}")
    if ord == 0:
        return reduce_sum(cast(not_equal(x, 0.0), x.dtype), axis, keepdims)
    size = absolute(x)
    if math.isinf(ord):
        return (reduce_max if ord > 0 else reduce_min)(size, axis, keepdims)
    return power(reduce_sum(power(size, float(ord)), axis, keepdims), 1.0 / ord)


def _matrix_norm(x: Value, ord: Any, axes: Sequence[int], keepdims: bool) -> Value:
    rows, columns = axes
    if ord in (None, "fro"):
        return _root(reduce_sum(square(x), tuple(axes), keepdims))
    if ord in (1, -1, math.inf, -math.inf):
        summed, other = (rows, columns) if ord in (1, -1) else (columns, rows)
        sums = reduce_sum(absolute(x), summed, keepdims=True)
        y = (reduce_max if ord > 0 else reduce_min)(sums, other, keepdims=True)
    elif ord in (2, -2, "nuc"):
        from pynn.ops.linear_algebra import svd

        values = svd(moveaxis(x, (rows, columns), (-2, -1)), compute_uv=False)
        y = reduce_sum(values, -1) if ord == "nuc" else values[..., 0] if ord == 2 else values[..., -1]
        y = reshape(y, [1 if i in axes else n for i, n in enumerate(x.shape)])
    else:
        raise ArgumentError(f"norm: ord of matrices must be fro, nuc, 1, -1, 2, -2, inf or -inf, received {ord!r}")
    return y if keepdims else reshape(y, [n for i, n in enumerate(x.shape) if i not in axes])
