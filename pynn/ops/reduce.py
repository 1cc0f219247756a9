"""Sums, maxima and their like over axes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pynn.errors import ArgumentError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.trace import as_value
from pynn.ops.shape import broadcast_to, cast, expand_dims, reshape, transpose

_KINDS = {"sum": 0, "max": 1, "min": 2}


@dataclass(frozen=True)
class Reduction(Op, abstract=True):
    """Base: one number for the axes ``axis`` .. ``axis + count - 1``, which vanish."""

    float32_kernels: ClassVar[bool] = True
    axis: int
    count: int = 1

    def infer(self, *specs: Spec) -> Spec:
        x = specs[0]
        self.require(self.count >= 1 and self.axis + self.count <= len(x.shape), "the axes it reduces", x)
        return x.with_shape(x.shape[: self.axis] + x.shape[self.axis + self.count :])

    def params(self, node: Node) -> dict[str, Any]:
        shape = node.inputs[0].shape
        return {
            "kind": _KINDS[self.name],
            "outer": math.prod(shape[: self.axis]),
            "reduced": math.prod(shape[self.axis : self.axis + self.count]),
            "inner": math.prod(shape[self.axis + self.count :]),
        }

    def flops(self, node: Node) -> int:
        return node.inputs[0].size

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("reduce", self.params),)

    def spread(self, v: Value, x: Value) -> Value:
        """A result back over the reduced axes."""
        kept = x.shape[: self.axis] + (1,) * self.count + x.shape[self.axis + self.count :]
        return broadcast_to(reshape(v, kept), x.shape)


class Sum(Reduction):
    """Sum over adjacent axes."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (self.spread(g, inputs[0]),)


class _Extreme(Reduction, abstract=True):
    """Base: equal extremes share the gradient equally."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        from pynn.ops.comparison import Equal
        from pynn.ops.elementwise import Divide, Multiply

        x = inputs[0]
        chosen = Equal()(x, self.spread(y, x))
        share = Divide()(g, Sum(self.axis, self.count)(chosen))
        return (Multiply()(chosen, self.spread(share, x)),)


class Max(_Extreme):
    """Largest over adjacent axes."""


class Min(_Extreme):
    """Smallest over adjacent axes."""


class Argmax(Op):
    """Index of the first largest number along the last axis, int32.  No gradient."""

    float32_kernels: ClassVar[bool] = True

    def infer(self, *specs: Spec) -> Spec:
        x = specs[0]
        self.require(len(x.shape) >= 1 and x.shape[-1] >= 1, "a last axis with at least one number", x)
        return Spec(x.shape[:-1], "int32")

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (None,)

    def params(self, node: Node) -> dict[str, Any]:
        return {"columns": node.inputs[0].shape[-1]}

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("argmax", self.params),)


# ---- functions -----------------------------------------------------------------------------------------------------


Axis = int | Sequence[int] | None


def _axes(name: str, x: Value, axis: Axis) -> list[int]:
    asked = range(x.ndim) if axis is None else [axis] if isinstance(axis, int | np.integer) else axis
    whole = isinstance(asked, Iterable) and not [a for a in asked if not isinstance(a, int | np.integer)]
    axes = sorted({int(a) % x.ndim if -x.ndim <= a < x.ndim else -1 for a in asked}) if whole and x.ndim else []
    if not whole or -1 in axes or len(axes) != len(list(asked)):
        raise ArgumentError(f"{name}: axis {axis} does not name distinct axes of {x.spec}")
    return axes


def _reduce(op: type[Reduction], name: str, x: Any, axis: Axis, keepdims: bool) -> Value:
    x = as_value(x)
    axes = _axes(name, x, axis)
    y = x
    # Groups of adjacent axes, from the last, so that earlier axes keep their numbers.
    while axes:
        last = first = axes.pop()
        while axes and axes[-1] == first - 1:
            first = axes.pop()
        y = op(first, last - first + 1)(y)
    if keepdims:
        kept = set(_axes(name, x, axis))
        y = reshape(y, [1 if i in kept else n for i, n in enumerate(x.shape)])
    return y


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """Sum over the given axes, all by default; of whole numbers and truth values at least int32.

    Example:
        >>> from pynn import ops
        >>> ops.sum([[1.0, 2.0], [3.0, 5.0]], axis=1).round(4)
        array([3., 8.], dtype=float32)
    """
    return _reduce(Sum, "sum", _countable(x), axis, keepdims)


def _countable(x: Any) -> Value:
    """``x`` in a dtype that sums and products fit in: small whole numbers as 32 bits."""
    v = as_value(x)
    if v.dtype in ("bool", "int8", "int16"):
        return cast(v, "int32")
    return cast(v, "uint32") if v.dtype in ("uint8", "uint16") else v


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """Arithmetic mean over the given axes, all by default.

    Example:
        >>> from pynn import ops
        >>> ops.mean([[1.0, 2.0], [3.0, 5.0]], axis=0).round(4)
        array([2. , 3.5], dtype=float32)
    """
    from pynn.ops.operands import _float

    x = _float(x)
    count = math.prod(x.shape[a] for a in _axes("mean", x, axis))
    return _reduce(Sum, "mean", x, axis, keepdims) * (1.0 / count if count else float("nan"))


def max(x: Any, axis: Axis = None, keepdims: bool = False, initial: float | None = None) -> Value:
    """Largest over the given axes, all by default, and of ``initial``.

    Example:
        >>> from pynn import ops
        >>> ops.max([[1.0, 4.0], [3.0, 2.0]], axis=0).round(4)
        array([3., 4.], dtype=float32)
    """
    return _extreme(Max, "max", x, axis, keepdims, initial)


def min(x: Any, axis: Axis = None, keepdims: bool = False, initial: float | None = None) -> Value:
    """Smallest over the given axes, all by default, and of ``initial``.

    Example:
        >>> from pynn import ops
        >>> ops.min([[1.0, 4.0], [3.0, 2.0]], axis=0).round(4)
        array([1., 2.], dtype=float32)
    """
    return _extreme(Min, "min", x, axis, keepdims, initial)


def _extreme(op: type[Reduction], name: str, x: Any, axis: Axis, keepdims: bool, initial: float | None) -> Value:
    from pynn.ops import elementwise

    x = as_value(x)
    if initial is None and 0 in [x.shape[a] for a in _axes(name, x, axis)]:
        raise ArgumentError(f"{name}: {x.spec} holds no number along axis {axis}; give initial=")
    y = _reduce(op, name, x, axis, keepdims)
    return y if initial is None else getattr(elementwise, f"{name}imum")(y, as_value(initial, x.dtype))


def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """Whether at least one along the given axes (all by default) is not 0: bool.

    Example:
        >>> from pynn import ops
        >>> ops.any([[True, False], [False, False]], axis=1)
        array([ True, False])
    """
    return _quantify(Max, "any", x, axis, keepdims)


def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """Whether none along the given axes (all by default) is 0: bool.

    Example:
        >>> from pynn import ops
        >>> ops.all([[True, False], [True, True]], axis=1)
        array([False,  True])
    """
    return _quantify(Min, "all", x, axis, keepdims)


def _quantify(op: type[Reduction], name: str, x: Any, axis: Axis, keepdims: bool) -> Value:
    from pynn.ops.comparison import _truth

    v = _truth(x)
    if 0 in [v.shape[a] for a in _axes(name, v, axis)]:  # none is 0, and none is not
        return broadcast_to(as_value(op is Min, "bool"), _reduce(Sum, name, v, axis, keepdims).shape)
    return cast(_reduce(op, name, v, axis, keepdims), "bool")


def count_nonzero(x: Any, axis: Axis = None) -> Value:
    """How many along the given axes (all by default) are not 0: int32.

    Example:
        >>> from pynn import ops
        >>> ops.count_nonzero([0, 2, 0, 3])
        array(2, dtype=int32)
    """
    from pynn.ops.comparison import _truth

    return _reduce(Sum, "count_nonzero", _truth(x, "int32"), axis, False)


def var(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """Variance (mean squared distance from the mean) over the given axes.

    Example:
        >>> from pynn import ops
        >>> ops.var([1.0, 3.0]).round(4)
        np.float32(1.0)
    """
    from pynn.ops.elementwise import square
    from pynn.ops.operands import _float

    x = _float(x)
    return mean(square(x - mean(x, axis, keepdims=True)), axis, keepdims)


def std(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """Standard deviation over the given axes.

    Example:
        >>> from pynn import ops
        >>> ops.std([1.0, 3.0]).round(4)
        np.float32(1.0)
    """
    from pynn.ops.elementwise import sqrt

    return sqrt(var(x, axis, keepdims))


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Value:
    """Index of the first largest number along ``axis`` (of the flattened array if None), int32.

    Example:
        >>> from pynn import ops
        >>> ops.argmax([[1.0, 4.0], [3.0, 2.0]], axis=1)
        array([1, 0], dtype=int32)
    """
    x = as_value(x)
    if axis is None:
        y = Argmax()(reshape(x, (x.size,)))
        return reshape(y, (1,) * x.ndim) if keepdims else y
    (at,) = _axes("argmax", x, axis)
    if at != x.ndim - 1:
        x = transpose(x, [*(i for i in range(x.ndim) if i != at), at])
    y = Argmax()(x)
    return expand_dims(y, at) if keepdims else y


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Value:
    """Index of the first smallest number along ``axis`` (of the flattened array if None), int32.

    Example:
        >>> from pynn import ops
        >>> ops.argmin([[1.0, 4.0], [3.0, 2.0]], axis=1)
        array([0, 1], dtype=int32)
    """
    from pynn.ops.elementwise import _number

    v = as_value(x)
    if v.dtype.startswith("uint"):
        v = cast(v, "int64")
    return argmax(-_number(v), axis, keepdims)
