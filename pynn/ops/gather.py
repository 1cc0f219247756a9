"""Numbers read from and written to places that a program computes: along an axis, by rows, by segments.

Whatever addresses more than one axis is turned into numbers of rows of a table, so that few ops are needed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Op, Spec, Value
from pynn.graph.symbolic import with_plain
from pynn.graph.trace import as_value
from pynn.ops.arrange import axis_of
from pynn.ops.comparison import Equal, Select
from pynn.ops.elementwise import Add, Divide, Multiply
from pynn.ops.embedding import AddRows, TakeRows
from pynn.ops.operands import _like
from pynn.ops.shape import cast, reshape


@dataclass(frozen=True)
class TakeAlongAxis(Op):
    """``y[.., i, ..] = x[.., numbers[.., i, ..], ..]``: x and int32 numbers have one shape but for ``axis``.

    A number below zero counts from the end; outside of the axis the result is NaN (of whole numbers the smallest).
    """

    axis: int

    def infer(self, *specs: Spec) -> Spec:
        x, numbers = specs
        axis = self.axis
        same = (*x.shape[:axis], *x.shape[axis + 1 :]) == (*numbers.shape[:axis], *numbers.shape[axis + 1 :])
        fits = 0 <= axis < len(x.shape) == len(numbers.shape) and same and numbers.dtype == "int32"
        self.require(fits, f"x and int32 numbers that differ along axis {axis} at most", *specs)
        return x.with_shape(numbers.shape)

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        x, numbers = inputs
        return AddAlongAxis(self.axis, x.shape[self.axis])(g, numbers), None


@dataclass(frozen=True)
class AddAlongAxis(Op):
    """Zeros, ``length`` of them along ``axis``, with each ``g`` added where its number says; gradient of the above."""

    axis: int
    length: int

    def infer(self, *specs: Spec) -> Spec:
        g, numbers = specs
        self.require(g.shape == numbers.shape and numbers.dtype == "int32", "one int32 number for each g", *specs)
        return g.with_shape((*g.shape[: self.axis], self.length, *g.shape[self.axis + 1 :]))

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return TakeAlongAxis(self.axis)(g, inputs[1]), None


@dataclass(frozen=True)
class ScatterRows(Op):
    """The table ``x`` with row ``numbers[i]`` replaced by ``updates[i]``, or combined with it by ``reduction``.

    x ``[rows, ...]``, numbers int32 ``[n]``, updates ``[n, ...]``.  ``reduction``: ``"set"``, ``"add"``, ``"mul"``,
    ``"max"`` or ``"min"``.  Numbers below zero count from the end, those outside of the table are left out.  The
    gradients of all but ``"add"`` take the numbers to differ.
    """

    reduction: str = "set"

    def infer(self, *specs: Spec) -> Spec:
        x, numbers, updates = specs
        self.require(numbers.dtype == "int32" and len(numbers.shape) == 1, "int32 row numbers", *specs)
        self.require(updates == x.with_shape((*numbers.shape, *x.shape[1:])), "a row of x for each number", *specs)
        return x

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        x, numbers, updates = inputs
        g_rows = _rows_or_zeros(g, numbers)
        if self.reduction == "add":
            return g, None, g_rows
        if self.reduction == "mul":
            return self(g, numbers, updates), None, Multiply()(g_rows, TakeRows()(x, numbers))
        if self.reduction == "set":
            return self(g, numbers, _like(updates, 0.0)), None, g_rows
        kept, chosen = Equal()(y, x), Equal()(TakeRows()(y, numbers), updates)
        both = AddRows(x.shape[0])(chosen, numbers)
        share = Divide()(g, Add()(kept, Select()(Add()(kept, both), both, _like(both, 1.0))))
        return Multiply()(share, kept), None, Multiply()(_rows_or_zeros(share, numbers), chosen)


def _rows_or_zeros(table: Value, numbers: Value) -> Value:
    """The rows with these numbers; zeros for those outside of the table, which have had no influence on it."""
    from pynn.ops.comparison import greater_equal, less, logical_and, where

    inside = logical_and(greater_equal(numbers, -table.shape[0]), less(numbers, table.shape[0]))
    return where(reshape(inside, (-1, *(1 for _ in table.shape[1:]))), TakeRows()(table, numbers), 0.0)


@dataclass(frozen=True)
class SegmentReduce(Op):
    """For each of ``rows`` segments the product, largest or smallest (``kind``: prod, max, min) of the rows ``x[i]``
    with ``numbers[i]`` equal to the segment's; of an empty one what the kind starts from."""

    kind: str
    rows: int

    def infer(self, *specs: Spec) -> Spec:
        x, numbers = specs
        fits = numbers.dtype == "int32" and numbers.shape == x.shape[:1]
        self.require(fits, "rows and an int32 number for each", *specs)
        return x.with_shape((self.rows, *x.shape[1:]))

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        x, numbers = inputs
        g_rows, y_rows = TakeRows()(g, numbers), TakeRows()(y, numbers)
        if self.kind == "prod":
            return Divide()(Multiply()(g_rows, y_rows), x), None
        chosen = Equal()(x, y_rows)
        count = TakeRows()(AddRows(self.rows)(chosen, numbers), numbers)
        return Divide()(Multiply()(g_rows, chosen), count), None


# ---- functions -----------------------------------------------------------------------------------------------------


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Value:
    """``x`` at ``indices`` along ``axis`` (of the flattened ``x`` if None), which hold a number for each result.

    Example:
        >>> from pynn import ops
        >>> ops.take_along_axis([[3, 1], [5, 7]], [[1], [0]], axis=1)
        array([[1],
               [5]], dtype=int32)
    """
    x, numbers = as_value(x), cast(indices, "int32")
    if axis is None:
        return TakeAlongAxis(0)(reshape(x, (x.size,)), reshape(numbers, (numbers.size,)))
    at = axis_of("take_along_axis", axis, x.ndim)
    return TakeAlongAxis(at)(*_broadcast_but(x, numbers, at))


def _broadcast_but(x: Value, numbers: Value, axis: int) -> tuple[Value, Value]:
    """Both with equal sizes but along ``axis``."""
    from pynn.ops.shape import broadcast_to

    if numbers.ndim != x.ndim:
        raise ShapeError(f"take_along_axis: expected as many axes, received x {x.spec} and indices {numbers.spec}")
    pairs = zip(x.shape, numbers.shape, strict=True)
    common = [a if b == 1 else b for a, b in pairs]
    full = [[s.shape[i] if i == axis else n for i, n in enumerate(common)] for s in (x, numbers)]
    return broadcast_to(x, full[0]), broadcast_to(numbers, full[1])


def row_numbers(indices: Value, shape: Sequence[int]) -> Value:
    """Places ``indices[..., k]`` in the first k axes of an array of this shape, as numbers of rows of a table."""
    from pynn.ops.comparison import less, where
    from pynn.ops.elementwise import add, multiply
    from pynn.ops.reduce import sum as reduce_sum

    k = indices.shape[-1]
    steps = [math.prod(shape[i + 1 : k]) for i in range(k)]
    positive = where(less(indices, 0), add(indices, np.asarray(shape[:k], "int32")), indices)
    return reshape(reduce_sum(multiply(positive, np.asarray(steps, "int32")), axis=-1), (-1,))


def _numbers_of_each(function: str, indices: Value, shape: Sequence[int]) -> int:
    """How many numbers each of the places has."""
    if indices.ndim == 0 or indices.shape[-1] > len(shape):
        raise ShapeError(
            f"{function}: indices must be (..., k), k numbers for the first k axes of {tuple(shape)}, "
            f"received {indices.spec}"
        )
    return indices.shape[-1]


@with_plain("shape")
def scatter(indices: Any, values: Any, shape: Sequence[int]) -> Value:
    """Zeros of ``shape`` with ``values`` added at ``indices``.

    Args:
        indices: places, ``(..., k)``: numbers along the first k axes of the result.
        values: a number, or what is left of ``shape`` behind the first k axes, for each place.
        shape: of the result.

    Example:
        >>> from pynn import ops
        >>> ops.scatter([[0], [2], [2]], [1.0, 2.0, 3.0], (4,))
        array([1., 0., 5., 0.], dtype=float32)
    """
    places, v = cast(indices, "int32"), as_value(values)
    sizes = tuple(int(n) for n in shape)
    k = _numbers_of_each("scatter", places, sizes)
    rows = row_numbers(places, sizes)
    table = AddRows(math.prod(sizes[:k]))(reshape(v, (rows.size, *sizes[k:])), rows)
    return reshape(table, sizes)


def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Value:
    """``inputs`` with ``updates`` at ``indices``.

    Args:
        inputs: any array.
        indices: places, ``(n, k)``: numbers along the first k axes.
        updates: what is written, one (or what is behind these axes) for each place.
        reduction: None to replace, or ``"add"``, ``"mul"``, ``"max"``, ``"min"`` to combine.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> ops.scatter_update(np.zeros(3), [[1]], [5.0])
        array([0., 5., 0.], dtype=float32)
    """
    x, places = as_value(inputs), cast(indices, "int32")
    if reduction not in (None, "add", "mul", "max", "min"):
        raise ArgumentError(f"scatter_update: reduction must be None, add, mul, max or min, received {reduction!r}")
    k = _numbers_of_each("scatter_update", places, x.shape)
    rows = row_numbers(places, x.shape)
    table = reshape(x, (math.prod(x.shape[:k]), *x.shape[k:]))
    new = reshape(cast(updates, x.dtype), (rows.size, *x.shape[k:]))
    return reshape(ScatterRows(reduction or "set")(table, rows, new), x.shape)


def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Value:
    """``inputs`` with the block that begins at ``start_indices`` replaced by ``updates``; the start may be computed.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> ops.slice_update(np.zeros(4), [1], np.array([5.0, 6.0]))
        array([0., 5., 6., 0.], dtype=float32)
    """
    x = as_value(inputs)
    new = cast(updates, x.dtype)
    if new.ndim != x.ndim or any(a > b for a, b in zip(new.shape, x.shape, strict=True)):
        raise ShapeError(f"slice_update: updates {new.spec} do not fit into inputs {x.spec}")
    rows = block_numbers(x, start_indices, new.shape)
    table = ScatterRows("set")(reshape(x, (x.size,)), rows, reshape(new, (new.size,)))
    return reshape(table, x.shape)


def block_numbers(x: Value, start_indices: Any, shape: Sequence[int]) -> Value:
    """Flat positions of the block of ``shape`` that begins at ``start_indices``, moved inside where it sticks out."""
    from pynn.ops.elementwise import clip, multiply
    from pynn.ops.reduce import sum as reduce_sum
    from pynn.ops.shape import cast as to

    if isinstance(start_indices, list | tuple):
        from pynn.ops.arrange import stack

        start_indices = stack([reshape(to(i, "int32"), ()) for i in start_indices])
    room = np.asarray([n - m for n, m in zip(x.shape, shape, strict=True)], "int32")
    start = clip(to(start_indices, "int32"), 0, room)
    steps = np.asarray([math.prod(x.shape[i + 1 :]) for i in range(x.ndim)], "int32")
    first = reduce_sum(multiply(start, steps))
    offsets = np.tensordot(steps, np.indices(tuple(shape)), 1).reshape(-1).astype("int32")
    return first + offsets


def taken_block(x: Value, start_indices: Any, shape: Sequence[int]) -> Value:
    """The block of ``shape`` that begins at a computed place."""
    sizes = tuple(int(n) for n in shape)
    if len(sizes) != x.ndim or any(n > d for n, d in zip(sizes, x.shape, strict=True)):
        raise ShapeError(f"slice: a part of shape {sizes} is not inside {x.spec}")
    return reshape(TakeRows()(reshape(x, (x.size,)), block_numbers(x, start_indices, sizes)), sizes)


def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Value:
    """The sum of the rows of each segment.

    Args:
        data: rows.
        segment_ids: the number of each row's segment.
        num_segments: how many there are; inside of a trace it must be given.
        sorted: whether the numbers rise: they need not, and nothing is made of it.

    Example:
        >>> from pynn import ops
        >>> ops.segment_sum([1.0, 2.0, 3.0], [0, 0, 1]).round(4)
        array([3., 3.], dtype=float32)
    """
    x, numbers, rows = _segments("segment_sum", data, segment_ids, num_segments)
    return AddRows(rows)(x, numbers)


def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Value:
    """The product of the rows of each segment, 1 for an empty one; arguments as for :func:`segment_sum`.

    Example:
        >>> from pynn import ops
        >>> ops.segment_prod([1.0, 2.0, 3.0], [0, 0, 1]).round(4)
        array([2., 3.], dtype=float32)
    """
    x, numbers, rows = _segments("segment_prod", data, segment_ids, num_segments)
    return SegmentReduce("prod", rows)(x, numbers)


def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Value:
    """The largest of each segment's rows, -inf for an empty one; arguments as for :func:`segment_sum`.

    Example:
        >>> from pynn import ops
        >>> ops.segment_max([1.0, 2.0, 3.0], [0, 0, 1]).round(4)
        array([2., 3.], dtype=float32)
    """
    x, numbers, rows = _segments("segment_max", data, segment_ids, num_segments)
    return SegmentReduce("max", rows)(x, numbers)


def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Value:
    """The smallest of each segment's rows, inf for an empty one; arguments as for :func:`segment_sum`.

    Example:
        >>> from pynn import ops
        >>> ops.segment_min([1.0, 2.0, 3.0], [0, 0, 1]).round(4)
        array([1., 3.], dtype=float32)
    """
    x, numbers, rows = _segments("segment_min", data, segment_ids, num_segments)
    return SegmentReduce("min", rows)(x, numbers)


def _segments(function: str, data: Any, segment_ids: Any, count: int | None) -> tuple[Value, Value, int]:
    x, numbers = as_value(data), cast(segment_ids, "int32")
    if count is None:
        if not isinstance(numbers.source, np.ndarray):
            raise ArgumentError(
                f"{function}: give num_segments: how many segments there are decides the result's shape, which must be "
                "known before a program runs"
            )
        count = int(numbers.source.max(initial=-1)) + 1
    if numbers.ndim != 1 or x.shape[:1] != numbers.shape:
        raise ShapeError(f"{function}: expected one segment number for each row, received {x.spec}, {numbers.spec}")
    return x, numbers, int(count)
