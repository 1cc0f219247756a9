"""Ops that move, repeat or reinterpret numbers without computing new ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.dtypes import checked_dtype
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.symbolic import with_plain
from pynn.graph.trace import as_value

MAX_RANK = 8  # of the strided kernel


@dataclass(frozen=True)
class Reshape(Op):
    """The same numbers, in the same order, under another shape."""

    is_view: ClassVar[bool] = True
    shape: tuple[int, ...]

    def infer(self, *specs: Spec) -> Spec:
        self.require(math.prod(self.shape) == specs[0].size, f"{math.prod(self.shape)} elements", *specs)
        return specs[0].with_shape(self.shape)

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Reshape(inputs[0].shape)(g),)


class StopGradient(Op):
    """``x``, taken as a constant by differentiation."""

    is_view: ClassVar[bool] = True

    def infer(self, *specs: Spec) -> Spec:
        return specs[0]

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (None,)


@dataclass(frozen=True)
class Transpose(Op):
    """Axes in another order: axis i of the result is axis ``perm[i]`` of ``x``."""

    perm: tuple[int, ...]

    def infer(self, *specs: Spec) -> Spec:
        x = specs[0]
        self.require(sorted(self.perm) == list(range(len(x.shape))), f"{len(self.perm)} axes", x)
        return x.with_shape([x.shape[i] for i in self.perm])

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Transpose(tuple(int(i) for i in np.argsort(self.perm)))(g),)

    def params(self, node: Node) -> dict[str, Any]:
        strides = _strides(node.inputs[0].shape)
        return _strided(node.outputs[0].shape, [strides[i] for i in self.perm])

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("strided_copy", self.params, declines=_strided_declines),)


@dataclass(frozen=True)
class BroadcastTo(Op):
    """``x`` repeated along new axes and axes of size 1, as NumPy broadcasts."""

    shape: tuple[int, ...]

    def infer(self, *specs: Spec) -> Spec:
        x = specs[0].shape
        tail = self.shape[len(self.shape) - len(x) :]
        fits = len(x) <= len(self.shape) and all(a in (1, b) for a, b in zip(x, tail, strict=True))
        self.require(fits, f"a shape that broadcasts to {self.shape}", *specs)
        return specs[0].with_shape(self.shape)

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        from pynn.ops.reduce import sum as reduce_sum

        x = inputs[0].shape
        added = len(self.shape) - len(x)
        axes = [i for i in range(len(self.shape)) if i < added or x[i - added] != self.shape[i]]
        return (reshape(reduce_sum(g, axis=tuple(axes)), x) if axes else g,)

    def params(self, node: Node) -> dict[str, Any]:
        x = node.inputs[0].shape
        added = len(self.shape) - len(x)
        strides = [0] * added + [0 if n == 1 else s for n, s in zip(x, _strides(x), strict=True)]
        return _strided(self.shape, strides)

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("strided_copy", self.params, declines=_strided_declines),)

    def access(self, node: Node) -> tuple[int, int] | None:
        """``(repeat, period)`` if flat position i of the result is element ``(i // repeat) % period`` of x."""
        x = node.inputs[0].shape
        x = (1,) * (len(self.shape) - len(x)) + x
        kept = [i for i, n in enumerate(x) if n != 1]
        if not kept:
            return 1, 1
        first, last = kept[0], kept[-1]
        if any(x[i] != self.shape[i] for i in range(first, last + 1)):
            return None
        return math.prod(self.shape[last + 1 :]), math.prod(x)


def _strides(shape: Sequence[int]) -> list[int]:
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return strides[::-1]


def _strided(shape: Sequence[int], strides: Sequence[int]) -> dict[str, Any]:
    """Sizes and source strides for the kernel, with axes merged where the source steps evenly through both."""
    merged: list[list[int]] = []
    for n, s in zip(shape, strides, strict=True):
        if n == 1:
            continue
        if merged and merged[-1][1] == n * s:
            merged[-1] = [merged[-1][0] * n, s]
        else:
            merged.append([n, s])
    merged = merged or [[1, 0]]
    return {"rank": len(merged), "sizes": [n for n, _ in merged], "strides": [s for _, s in merged]}


def _strided_declines(node: Node) -> str | None:
    if np.dtype(node.inputs[0].dtype).itemsize != 4:
        return "it moves 4-byte elements"
    if len(node.outputs[0].shape) > MAX_RANK:
        return f"it takes at most {MAX_RANK} axes"
    return None


#: What the kernel takes.  Truth values are bytes 0 and 1.
_CAST_CODES = {"float32": 0, "int32": 1, "int64": 2, "uint8": 3, "uint32": 4, "bool": 3}


def _cast_declines(node: Node) -> str | None:
    from pynn.ops.comparison import is_truth

    x, y = node.inputs[0], node.outputs[0]
    missing = {x.dtype, y.dtype} - _CAST_CODES.keys()
    if missing:
        return f"it does not know {', '.join(sorted(missing))}"
    return "only 0 and 1 become bool by cutting" if y.dtype == "bool" and not is_truth(x) else None


@dataclass(frozen=True)
class Cast(Op):
    """``x`` as another dtype; to whole numbers by cutting the fraction off, to bool by what is not 0."""

    dtype: str

    def infer(self, *specs: Spec) -> Spec:
        # In a float64 graph "float32" means the graph's float: gradient checks run everything in float64.
        return Spec(specs[0].shape, self.dtype)

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        x = inputs[0]
        return (cast(g, x.dtype),) if x.spec.is_float and y.spec.is_float else (None,)

    def params(self, node: Node) -> dict[str, Any]:
        return {"source": _CAST_CODES[node.inputs[0].dtype], "target": _CAST_CODES[self.dtype]}

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("cast", self.params, declines=_cast_declines),)


@dataclass(frozen=True)
class OneHot(Op):
    """Rows of ``depth`` zeros with a 1 at each index; all zeros where the index is out of range."""

    depth: int
    dtype: str = "float32"

    def infer(self, *specs: Spec) -> Spec:
        self.require(specs[0].dtype == "int32", "int32 indices", *specs)
        return Spec((*specs[0].shape, self.depth), self.dtype)

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (None,)

    def params(self, node: Node) -> dict[str, Any]:
        return {"depth": self.depth}

    def candidates(self) -> Sequence[Candidate]:
        declines = None if self.dtype == "float32" else "it makes float32"
        return (Candidate("one_hot", self.params, declines=lambda node: declines),)


# ---- functions -----------------------------------------------------------------------------------------------------


@with_plain("newshape")
def reshape(x: Any, newshape: int | Sequence[int]) -> Value:
    """``x`` under another shape; one size may be -1 and is then worked out.

    Raises:
        ShapeError: the numbers of elements differ.

    Example:
        >>> from pynn import ops
        >>> ops.reshape([1, 2, 3, 4], (2, 2))
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    x = as_value(x)
    asked = (int(newshape),) if isinstance(newshape, int) else tuple(int(n) for n in newshape)
    shape = asked
    if asked.count(-1) == 1:
        rest = math.prod(n for n in asked if n != -1)
        if rest and x.size % rest == 0:
            shape = tuple(x.size // rest if n == -1 else n for n in asked)
    if any(n < 0 for n in shape) or math.prod(shape) != x.size:
        raise ShapeError(f"reshape: cannot give {x.spec} ({x.size} elements) the shape {asked}")
    return x if shape == x.shape else Reshape(shape)(x)


@with_plain("axes")
def transpose(x: Any, axes: Sequence[int] | None = None) -> Value:
    """``x`` with its axes reversed, or in the order of ``axes``.

    Example:
        >>> from pynn import ops
        >>> ops.transpose([[1, 2], [3, 4]])
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    x = as_value(x)
    perm = tuple(range(x.ndim))[::-1] if axes is None else tuple(int(a) % max(x.ndim, 1) for a in axes)
    if sorted(perm) != list(range(x.ndim)):
        raise ArgumentError(f"transpose: axes must be an order of 0..{x.ndim - 1} for {x.spec}, received {axes}")
    return Transpose(perm)(x)


@with_plain("shape")
def broadcast_to(x: Any, shape: Sequence[int]) -> Value:
    """``x`` repeated to ``shape``, as NumPy broadcasts.

    Example:
        >>> from pynn import ops
        >>> ops.broadcast_to([1, 2], (2, 2))
        array([[1, 2],
               [1, 2]], dtype=int32)
    """
    x = as_value(x)
    shape = tuple(int(n) for n in shape)
    return x if x.shape == shape else BroadcastTo(shape)(x)


def cast(x: Any, dtype: Any) -> Value:
    """``x`` as another dtype; to whole numbers by cutting the fraction off, to bool by what is not 0.

    Raises:
        DtypeError: programs know no such dtype (float16 and bfloat16 among them).

    Example:
        >>> from pynn import ops
        >>> ops.cast([1.7, -1.7], "int32")
        array([ 1, -1], dtype=int32)
    """
    from pynn.ops.comparison import NotEqual, is_truth
    from pynn.ops.operands import _like

    dtype, v = checked_dtype("cast", dtype), as_value(x)
    if v.dtype == dtype:
        return v
    if dtype == "bool" and v.spec.is_float and not is_truth(v):
        v = NotEqual()(v, _like(v, 0.0))
    return Cast(dtype)(v)


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Value:
    """Indices to rows of ``num_classes`` zeros with a 1; all zeros where an index is out of range.

    Args:
        x: whole numbers of any shape.
        num_classes: the length of a row.
        axis: where the rows' axis is, -1 for the end.
        dtype: of the result, float32 by default.
        sparse: only False: results are dense.

    Example:
        >>> from pynn import ops
        >>> ops.one_hot([0, 2], 3)
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    if num_classes < 1 or sparse:
        raise ArgumentError(
            f"one_hot: num_classes must be at least 1 and results are dense, received {num_classes}, sparse={sparse!r}"
        )
    rows = OneHot(int(num_classes), checked_dtype("one_hot", dtype))(cast(x, "int32"))
    if axis in (-1, rows.ndim - 1):
        return rows
    if not -rows.ndim <= axis < rows.ndim:
        raise ArgumentError(f"one_hot: axis {axis} is outside of the result {rows.spec}")
    order = list(range(rows.ndim - 1))
    order.insert(axis % rows.ndim, rows.ndim - 1)
    return transpose(rows, order)


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Value:
    """``fill_value`` in the shape of ``x``, and in its dtype unless another is given.

    Example:
        >>> from pynn import ops
        >>> ops.full_like([1, 2], 7)
        array([7, 7], dtype=int32)
    """
    x = as_value(x)
    return broadcast_to(cast(fill_value, x.dtype if dtype is None else checked_dtype("full_like", dtype)), x.shape)


def zeros_like(x: Any, dtype: Any = None) -> Value:
    """Zeros in the shape of ``x``, and in its dtype unless another is given.

    Example:
        >>> from pynn import ops
        >>> ops.zeros_like([1, 2])
        array([0, 0], dtype=int32)
    """
    return full_like(x, 0, dtype)


def ones_like(x: Any, dtype: Any = None) -> Value:
    """Ones in the shape of ``x``, and in its dtype unless another is given.

    Example:
        >>> from pynn import ops
        >>> ops.ones_like([1, 2])
        array([1, 1], dtype=int32)
    """
    return full_like(x, 1, dtype)


def empty_like(x: Any, dtype: Any = None) -> Value:
    """Numbers nobody has chosen (zeros) in the shape of ``x``, and in its dtype unless another is given."""
    return full_like(x, 0, dtype)


def copy(x: Any) -> Value:
    """The same numbers; arrays are copied."""
    return as_value(x)


def expand_dims(x: Any, axis: int | Sequence[int]) -> Value:
    """``x`` with a new axis of size 1 at ``axis``, or several.

    Example:
        >>> from pynn import ops
        >>> ops.expand_dims([1, 2], 0)
        array([[1, 2]], dtype=int32)
    """
    x = as_value(x)
    asked: list[Any] = list(axis) if isinstance(axis, list | tuple) else [axis]
    rank = x.ndim + len(asked)
    places = [a if a >= 0 else a + rank for a in asked]
    if len(set(places)) != len(places) or not all(0 <= at < rank for at in places):
        raise ArgumentError(f"expand_dims: axis {axis} is outside of {x.spec}")
    lengths = iter(x.shape)
    return reshape(x, [1 if i in places else next(lengths) for i in range(rank)])


def squeeze(x: Any, axis: int | Sequence[int] | None = None) -> Value:
    """``x`` without its axes of size 1, or without those given.

    Example:
        >>> from pynn import ops
        >>> ops.squeeze([[1, 2]], 0)
        array([1, 2], dtype=int32)
    """
    x = as_value(x)
    if axis is None:
        return reshape(x, [n for n in x.shape if n != 1])
    asked: list[Any] = list(axis) if isinstance(axis, list | tuple) else [axis]
    if not all(-x.ndim <= a < x.ndim and x.shape[a] == 1 for a in asked):
        raise ArgumentError(f"squeeze: axis {axis} of {x.spec} is not of size 1")
    gone = {a % x.ndim for a in asked}
    return reshape(x, [n for i, n in enumerate(x.shape) if i not in gone])


def stop_gradient(variable: Any) -> Value:
    """``variable``, taken as a constant by differentiation.

    Example:
        >>> import pynn
        >>> import numpy as np
        >>> from pynn import ops
        >>> pynn.grad(lambda x: ops.stop_gradient(x) * x)(3.0)
        array(3., dtype=float32)
    """
    return StopGradient()(as_value(variable))
