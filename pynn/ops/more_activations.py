"""Activation functions composed of others: they fuse into one chain like those with a tile function of their own."""

from __future__ import annotations

from typing import Any

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.ops.activations import elu, relu6, sigmoid, softplus, tanh
from pynn.ops.arrange import axis_of, moveaxis, split
from pynn.ops.comparison import greater, less_equal, logical_and, where
from pynn.ops.cumulative import cumsum
from pynn.ops.elementwise import absolute, clip, divide, maximum, minimum, multiply, sqrt, square
from pynn.ops.operands import _float
from pynn.ops.reduce import sum as reduce_sum
from pynn.ops.shape import cast
from pynn.ops.sorting import sort


def celu(x: Any, alpha: float = 1.0) -> Value:
    """``max(x, 0) + min(0, alpha * (e^(x / alpha) - 1))`` (Barron, 2017).

    Example:
        >>> from pynn import ops
        >>> ops.celu([-1.0, 2.0]).round(4)
        array([-0.6321,  2.    ], dtype=float32)
    """
    return elu(_float(x) / alpha) * alpha


def glu(x: Any, axis: int = -1) -> Value:
    """One half of ``x`` along ``axis`` times the sigmoid of the other (Dauphin et al., 2017).

    Example:
        >>> from pynn import ops
        >>> ops.glu([2.0, 0.0]).round(4)
        array([1.], dtype=float32)
    """
    x = _float(x)
    if x.shape[axis_of("glu", axis, x.ndim)] % 2:
        raise ShapeError(f"glu: the length along axis {axis} must be even, received {x.spec}")
    first, second = split(x, 2, axis)
    return first * sigmoid(second)


def hard_silu(x: Any) -> Value:
    """``x * relu6(x + 3) / 6``.

    Example:
        >>> from pynn import ops
        >>> ops.hard_silu([-4.0, 1.0]).round(4)
        array([-0.    ,  0.6667], dtype=float32)
    """
    x = _float(x)
    return x * relu6(x + 3.0) * (1.0 / 6.0)


def hard_tanh(x: Any) -> Value:
    """``x`` limited to -1 .. 1.

    Example:
        >>> from pynn import ops
        >>> ops.hard_tanh([-4.0, 0.5]).round(4)
        array([-1. ,  0.5], dtype=float32)
    """
    return clip(_float(x), -1.0, 1.0)


def hard_shrink(x: Any, threshold: float = 0.5) -> Value:
    """``x`` where ``|x| > threshold``, else 0.

    Example:
        >>> from pynn import ops
        >>> ops.hard_shrink([0.3, 2.0]).round(4)
        array([0., 2.], dtype=float32)
    """
    x = _float(x)
    return where(greater(absolute(x), threshold), x, 0.0)


def soft_shrink(x: Any, threshold: float = 0.5) -> Value:
    """``x`` moved towards 0 by ``threshold``, and 0 within it.

    Example:
        >>> from pynn import ops
        >>> ops.soft_shrink([0.3, 2.0]).round(4)
        array([0. , 1.5], dtype=float32)
    """
    x = _float(x)
    return maximum(x - threshold, 0.0) + minimum(x + threshold, 0.0)


def tanh_shrink(x: Any) -> Value:
    """``x - tanh(x)``.

    Example:
        >>> from pynn import ops
        >>> ops.tanh_shrink([0.0, 1.0]).round(4)
        array([0.    , 0.2384], dtype=float32)
    """
    x = _float(x)
    return x - tanh(x)


def threshold(x: Any, threshold: float, default_value: float) -> Value:
    """``x`` where it is above ``threshold``, else ``default_value``."""
    x = _float(x)
    return where(greater(x, threshold), x, default_value)


def log_sigmoid(x: Any) -> Value:
    """``log(sigmoid(x))``, without taking the logarithm of a small number.

    Example:
        >>> from pynn import ops
        >>> ops.log_sigmoid([0.0, 4.0]).round(4)
        array([-0.6931, -0.0181], dtype=float32)
    """
    return -softplus(-_float(x))


def mish(x: Any) -> Value:
    """``x * tanh(softplus(x))`` (Misra, 2019)."""
    x = _float(x)
    return x * tanh(softplus(x))


def squareplus(x: Any, b: float = 4) -> Value:
    """``(x + sqrt(x^2 + b)) / 2`` (Barron, 2021).

    Example:
        >>> from pynn import ops
        >>> ops.squareplus([0.0, 2.0]).round(4)
        array([1.    , 2.4142], dtype=float32)
    """
    x = _float(x)
    return (x + sqrt(square(x) + b)) * 0.5


def sparse_plus(x: Any) -> Value:
    """0 up to -1, ``x`` from 1 on, ``(x + 1)^2 / 4`` between.

    Example:
        >>> from pynn import ops
        >>> ops.sparse_plus([0.0, 2.0]).round(4)
        array([0.25, 2.  ], dtype=float32)
    """
    x = _float(x)
    return where(less_equal(x, -1.0), 0.0, where(greater(1.0, x), square(x + 1.0) * 0.25, x))


def sparse_sigmoid(x: Any) -> Value:
    """0 up to -1, 1 from 1 on, ``(x + 1) / 2`` between.

    Example:
        >>> from pynn import ops
        >>> ops.sparse_sigmoid([0.0, 2.0]).round(4)
        array([0.5, 1. ], dtype=float32)
    """
    x = _float(x)
    between = logical_and(greater(x, -1.0), greater(1.0, x))
    return where(between, (x + 1.0) * 0.5, cast(greater(x, 0.0), x.dtype))


def sparsemax(x: Any, axis: int = -1) -> Value:
    """The point of the simplex nearest to ``x`` along ``axis``: like softmax, but most results are 0.

    Source: Martins and Astudillo, 2016.

    Example:
        >>> from pynn import ops
        >>> ops.sparsemax([[1.0, 1.5, 0.0]]).round(4)
        array([[0.25, 0.75, 0.  ]], dtype=float32)
    """
    from pynn.ops.creation import arange

    if not isinstance(axis, int):
        raise ArgumentError(f"sparsemax: axis must be a whole number, received {axis!r}")
    x = moveaxis(_float(x), axis, -1)
    falling = -sort(-x)
    running = cumsum(falling, axis=-1)
    count = arange(1, x.shape[-1] + 1, dtype=x.dtype)
    inside = cast(greater(multiply(falling, count) + 1.0, running), x.dtype)
    support = reduce_sum(inside, axis=-1, keepdims=True)
    limit = divide(reduce_sum(multiply(falling, inside), axis=-1, keepdims=True) - 1.0, support)
    return moveaxis(maximum(x - limit, 0.0), -1, axis)
