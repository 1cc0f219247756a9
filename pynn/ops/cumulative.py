"""Running sums and products, and what follows from them: products, averages, differences, integrals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynn import settings
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.dtypes import checked_dtype
from pynn.graph.ir import Op, Spec, Value
from pynn.graph.trace import as_value
from pynn.ops.arrange import axes_of, axis_of, moveaxis, ravel
from pynn.ops.comparison import not_equal, where
from pynn.ops.elementwise import absolute, add, exp, log, maximum, multiply, subtract
from pynn.ops.math import isfinite
from pynn.ops.operands import _float
from pynn.ops.pad import slice as part
from pynn.ops.reduce import Axis, _axes, _countable, mean
from pynn.ops.reduce import max as reduce_max
from pynn.ops.reduce import sum as reduce_sum
from pynn.ops.shape import broadcast_to, cast, reshape, stop_gradient


@dataclass(frozen=True)
class Cumsum(Op):
    """``y[i] = x[0] + ... + x[i]`` along ``axis``; from the end if ``reverse``."""

    axis: int
    reverse: bool = False

    def infer(self, *specs: Spec) -> Spec:
        (x,) = specs
        self.require(0 <= self.axis < len(x.shape), f"an array with an axis {self.axis}", x)
        return x

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Cumsum(self.axis, not self.reverse)(g),)


@dataclass(frozen=True)
class Cumprod(Op):
    """``y[i] = x[0] * ... * x[i]`` along ``axis``."""

    axis: int

    def infer(self, *specs: Spec) -> Spec:
        (x,) = specs
        self.require(0 <= self.axis < len(x.shape), f"an array with an axis {self.axis}", x)
        return x

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (CumprodGrad(self.axis)(g, inputs[0]),)


@dataclass(frozen=True)
class CumprodGrad(Op):
    """Gradient of :class:`Cumprod`, without dividing by ``x``, which may be 0.  Inputs ``g, x``.

    ``(x[0] ... x[i-1]) * s[i]`` with ``s[i] = g[i] + x[i+1] s[i+1]``.
    """

    axis: int

    def infer(self, *specs: Spec) -> Spec:
        g, x = specs
        self.require(g == x, "a gradient for each x", *specs)
        return x


# ---- functions -----------------------------------------------------------------------------------------------------


def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Value:
    """Running sums along ``axis``, of the flattened array if None.

    Example:
        >>> from pynn import ops
        >>> ops.cumsum([1, 2, 3])
        array([1, 3, 6], dtype=int32)
    """
    x, at = _running("cumsum", x, axis, dtype)
    return Cumsum(at)(x)


def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Value:
    """Running products along ``axis``, of the flattened array if None.

    Example:
        >>> from pynn import ops
        >>> ops.cumprod([1.0, 2.0, 3.0]).round(4)
        array([1., 2., 6.], dtype=float32)
    """
    x, at = _running("cumprod", x, axis, dtype)
    return Cumprod(at)(x)


def _running(function: str, x: Any, axis: int | None, dtype: Any) -> tuple[Value, int]:
    x = as_value(x)
    if dtype is not None:
        x = cast(x, checked_dtype(function, dtype))
    x = cast(x, "int32") if x.dtype == "bool" else x
    return (ravel(x), 0) if axis is None else (x, axis_of(function, axis, x.ndim))


def prod(x: Any, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Value:
    """Product over the given axes, all by default; of whole numbers at least int32.

    Example:
        >>> from pynn import ops
        >>> ops.prod([2.0, 3.0, 4.0]).round(4)
        np.float32(24.0)
    """
    x = _countable(x) if dtype is None else cast(x, checked_dtype("prod", dtype))
    axes = _axes("prod", x, axis)
    kept = [n for i, n in enumerate(x.shape) if i not in axes]
    shape = [1 if i in axes else n for i, n in enumerate(x.shape)] if keepdims else kept
    count = math.prod(x.shape[i] for i in axes)
    if count == 0:
        return broadcast_to(as_value(1, x.dtype), shape)
    row = reshape(moveaxis(x, axes, list(range(-len(axes), 0))) if axes else x, (*kept, count))
    running = Cumprod(len(kept))(row)
    return reshape(part(running, (*(0 for _ in kept), count - 1), (*kept, 1)), shape)


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """``log(sum(e^x))`` over the given axes (all by default), without overflow.

    Example:
        >>> from pynn import ops
        >>> round(float(ops.logsumexp([1000.0, 1000.0])), 2)
        1000.69
    """
    x = _float(x)
    top = stop_gradient(reduce_max(x, axis, keepdims=True))
    top = where(isfinite(top), top, 0.0)
    total = add(log(reduce_sum(exp(subtract(x, top)), axis, keepdims=True)), top)
    if keepdims:
        return total
    axes = _axes("logsumexp", x, axis)
    return reshape(total, [n for i, n in enumerate(x.shape) if i not in axes])


def average(x: Any, axis: Axis = None, weights: Any = None) -> Value:
    """Mean over the given axes (all by default), each number counted by its weight.

    Args:
        x: numbers.
        axis: one axis or several.
        weights: of ``x``'s shape, or one for each number along ``axis``.

    Example:
        >>> from pynn import ops
        >>> ops.average([1.0, 3.0], weights=[3.0, 1.0]).round(4)
        np.float32(1.5)
    """
    x = _float(x)
    if weights is None:
        return mean(x, axis)
    w = _float(weights)
    if w.shape != x.shape:
        if not isinstance(axis, int) or w.shape != (x.shape[axis_of("average", axis, x.ndim)],):
            raise ShapeError(f"average: weights {w.spec} fit neither x {x.spec} nor its axis {axis}")
        at = axis_of("average", axis, x.ndim)
        w = broadcast_to(reshape(w, [w.size if i == at else 1 for i in range(x.ndim)]), x.shape)
    return reduce_sum(multiply(x, w), axis) / reduce_sum(w, axis)


def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> tuple[Value, Value]:
    """Mean and variance over the given axes.

    ``synchronized`` (over several devices) may only be False: there is one.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> mean, variance = ops.moments(np.array([1.0, 3.0]), axes=0)
        >>> float(mean), float(variance)
        (2.0, 1.0)
    """
    if synchronized:
        raise ArgumentError("moments: synchronized=True needs several devices; leave it out")
    x = _float(x)
    center = mean(x, axes, keepdims=True)
    distance = subtract(x, center)
    spread = mean(multiply(distance, distance), axes, keepdims)
    return (center if keepdims else mean(x, axes)), spread


def diff(a: Any, n: int = 1, axis: int = -1) -> Value:
    """Differences of neighbours along ``axis``, taken ``n`` times.

    Example:
        >>> from pynn import ops
        >>> ops.diff([1.0, 4.0, 9.0]).round(4)
        array([3., 5.], dtype=float32)
    """
    x = as_value(a)
    at = axis_of("diff", axis, x.ndim)
    if n < 0 or n >= x.shape[at] + (n == 0):
        raise ArgumentError(f"diff: n must be from 0 to {x.shape[at] - 1} for {x.spec}, axis {axis}, received {n!r}")
    for _ in range(n):
        size = [m - 1 if i == at else m for i, m in enumerate(x.shape)]
        first, second = [0] * x.ndim, [int(i == at) for i in range(x.ndim)]
        ahead, behind = part(x, second, size), part(x, first, size)
        x = not_equal(ahead, behind) if x.dtype == "bool" else subtract(ahead, behind)
    return x


def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Value:
    """Integral along ``axis`` by the trapezoidal rule, at positions ``x`` or at distances ``dx``.

    Example:
        >>> from pynn import ops
        >>> ops.trapezoid([1.0, 2.0, 3.0]).round(4)
        np.float32(4.0)
    """
    y = _float(y)
    at = axis_of("trapezoid", axis, y.ndim)
    y = moveaxis(y, at, -1)
    size = (*y.shape[:-1], y.shape[-1] - 1)
    start = (0,) * (y.ndim - 1)
    pairs = part(y, (*start, 1), size) + part(y, (*start, 0), size)
    if x is None:
        return reduce_sum(pairs, axis=-1) * (0.5 * dx)
    positions = _float(x)
    steps = diff(positions if positions.ndim == 1 else moveaxis(positions, at, -1))
    return reduce_sum(multiply(pairs, steps), axis=-1) * 0.5


def normalize(x: Any, axis: Any = -1, order: float = 2, epsilon: float | None = None) -> Value:
    """``x`` divided by its norm along ``axis``; norms below ``epsilon``, by default ``config.epsilon()``, count as it.

    Args:
        x: numbers.
        axis: one axis or several.
        order: of the norm, above 0: 2 is the Euclidean length.
        epsilon: see above.

    Example:
        >>> from pynn import ops
        >>> ops.normalize([[3.0, 4.0]])
        array([[0.6, 0.8]], dtype=float32)
    """
    from pynn.ops.elementwise import divide, power, rsqrt, square

    if not isinstance(order, int | float) or order < 1:
        raise ArgumentError(f"normalize: order must be at least 1, received {order!r}")
    x = _float(x)
    axes = axes_of("normalize", axis, x.ndim)
    least = settings.epsilon() if epsilon is None else epsilon
    if order == 2:
        # The square root only of what is not 0, whose gradient there is infinite.
        return multiply(x, rsqrt(maximum(reduce_sum(square(x), axes, keepdims=True), least * least)))
    size = absolute(x)
    if math.isinf(order):
        return divide(x, maximum(reduce_max(size, axes, keepdims=True), least))
    length = power(maximum(reduce_sum(power(size, order), axes, keepdims=True), least**order), 1.0 / order)
    return divide(x, length)
