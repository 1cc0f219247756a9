"""Sums, maxima and their like over axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynn.errors import ArgumentError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.trace import as_value
from pynn.ops.shape import broadcast_to, expand_dims, reshape, transpose

_KINDS = {"sum": 0, "max": 1, "min": 2}


@dataclass(frozen=True)
class Reduction(Op, abstract=True):
    """Base: one number for the axes ``axis`` .. ``axis + count - 1``, which vanish."""

    axis: int
    count: int = 1

    def infer(self, *specs: Spec) -> Spec:
        x = specs[0]
        self.require_float(x)
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
        from pynn.ops.elementwise import Divide, Equal, Multiply

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

    def infer(self, *specs: Spec) -> Spec:
        x = specs[0]
        self.require_float(x)
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
    asked = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    axes = sorted({a % x.ndim if -x.ndim <= a < x.ndim else -1 for a in asked}) if x.ndim else []
    if -1 in axes or len(axes) != len(list(asked)):
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
    """Sum over the given axes, all by default."""
    return _reduce(Sum, "sum", x, axis, keepdims)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """Arithmetic mean over the given axes, all by default."""
    x = as_value(x)
    count = math.prod(x.shape[a] for a in _axes("mean", x, axis))
    return _reduce(Sum, "mean", x, axis, keepdims) * (1.0 / count if count else float("nan"))


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """Largest over the given axes, all by default."""
    return _reduce(Max, "max", x, axis, keepdims)


def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """Smallest over the given axes, all by default."""
    return _reduce(Min, "min", x, axis, keepdims)


def var(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """Variance (mean squared distance from the mean) over the given axes."""
    from pynn.ops.elementwise import square

    x = as_value(x)
    return mean(square(x - mean(x, axis, keepdims=True)), axis, keepdims)


def std(x: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    """Standard deviation over the given axes."""
    from pynn.ops.elementwise import sqrt

    return sqrt(var(x, axis, keepdims))


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Value:
    """Index of the first largest number along ``axis`` (of the flattened array if None), int32."""
    x = as_value(x)
    if axis is None:
        return Argmax()(reshape(x, (x.size,)))
    (at,) = _axes("argmax", x, axis)
    if at != x.ndim - 1:
        x = transpose(x, [*(i for i in range(x.ndim) if i != at), at])
    y = Argmax()(x)
    return expand_dims(y, at) if keepdims else y


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Value:
    """Index of the first smallest number along ``axis`` (of the flattened array if None), int32."""
    return argmax(-as_value(x), axis, keepdims)
