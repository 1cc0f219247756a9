"""``x[1:, ..., -1]``: parts of an array, written as in NumPy."""

from __future__ import annotations

import math
from builtins import slice as Slice
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.graph.variable import Variable
from pynn.ops.comparison import less, where
from pynn.ops.elementwise import add, multiply
from pynn.ops.embedding import TakeRows
from pynn.ops.pad import pad, slice
from pynn.ops.shape import broadcast_to, cast, reshape


def get_item(x: Any, key: Any) -> Value:
    """``x[key]`` for whole numbers, slices, ``...``, None and arrays of whole numbers, as in NumPy.

    Args:
        x: an array.
        key: one of these, or a tuple.  A number takes its axis away, None makes a new one of length 1.  Arrays (also
            computed ones, and constant ones of bool) go together: place by place they say what to take.

    Raises:
        ArgumentError: something else in ``key``.
        ShapeError: more indices than axes, a number outside of its axis, or an empty result.

    Example:
        >>> from pynn import ops
        >>> ops.get_item([10, 20, 30], 1)
        array(20, dtype=int32)
    """
    x = as_value(x)
    items = list(key) if isinstance(key, tuple) else [key]
    if any(_is_array(item) for item in items):
        return _at_arrays(x, items, key)
    return _at_numbers(x, tuple(items))


def _is_array(item: Any) -> bool:
    if isinstance(item, np.ndarray | np.generic):
        return item.ndim > 0 or item.dtype == bool
    return isinstance(item, Value | Variable | list)


def _at_arrays(x: Value, items: list[Any], key: Any) -> Value:
    """Numbers and slices first, then the arrays, in the axes that are left."""
    from pynn.ops.arrange import moveaxis

    spread: list[Any] = []
    for item in items:  # an array of bool is one array of places for each of its axes
        if isinstance(item, list | np.ndarray) and np.asarray(item).dtype == bool:
            spread += [places.astype("int32") for places in np.nonzero(np.asarray(item))]
        else:
            spread.append(item)
    used = sum(item is not None and item is not Ellipsis for item in spread)
    at = next((i for i, item in enumerate(spread) if item is Ellipsis), len(spread))
    spread[at : at + 1] = [Slice(None)] * (x.ndim - used)
    basic = tuple(Slice(None) if _is_array(item) else item for item in spread)
    kept = [item for item in spread if item is None or isinstance(item, Slice) or _is_array(item)]
    axes = [i for i, item in enumerate(kept) if _is_array(item)]
    x = _at_numbers(x, basic)
    arrays = [cast(item, "int32") for item in kept if _is_array(item)]
    if any(v.dtype == "bool" for v in map(as_value, (k for k in kept if isinstance(k, Value)))):
        raise ArgumentError(
            f"x[{_shown(key)}]: how many a computed condition chooses is not known before the program runs; "
            "use ops.where(condition, x, 0)"
        )
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    front = moveaxis(x, axes, list(range(len(axes))))
    number: Any = None
    for a, n in zip(arrays, front.shape, strict=False):
        positive = where(less(a, 0), add(a, n), a)
        number = positive if number is None else add(multiply(number, n), positive)
    rest = front.shape[len(axes) :]
    table = reshape(front, (math.prod(front.shape[: len(axes)]), *rest))
    taken = TakeRows()(table, broadcast_to(number, shape))
    if axes != list(range(axes[0], axes[0] + len(axes))):
        return taken  # NumPy's rule: arrays that are apart give the first axes
    return moveaxis(taken, list(range(len(shape))), list(range(axes[0], axes[0] + len(shape))))


def _at_numbers(x: Value, key: Any) -> Value:
    start: list[int] = []
    size: list[int] = []
    steps: list[int] = []
    shape: list[int] = []
    backwards: list[int] = []
    for item, length in _by_axis(x, key):
        if item is None:
            shape.append(1)
            continue
        if isinstance(item, Slice):
            if item.step is not None and item.step < 0:
                backwards.append(len(start))
                ends = range(length)[item]
                item = Slice(ends[-1], ends[0] + 1, -item.step) if len(ends) else Slice(0, 0)
            first, last, step = item.indices(length)
            count = len(range(first, last, step))
            if count == 0:
                raise ShapeError(f"x[{_shown(key)}]: nothing is left of axis {len(start)} of {x.spec}")
            shape.append(count)
            last = min(first + count * step, length)
        else:
            if not -length <= item < length:
                raise ShapeError(f"x[{_shown(key)}]: there is no {item} on axis {len(start)} of {x.spec}")
            first, step = int(item) % length, 1
            last = first + 1
        start.append(first)
        size.append(last - first)
        steps.append(step)
    from pynn.ops.arrange import flip

    x = slice(x, start, size)
    for axis, step in enumerate(steps):
        if step > 1:
            x = _every(x, axis, step)
    return reshape(flip(x, backwards) if backwards else x, shape)


def _every(x: Value, axis: int, step: int) -> Value:
    """Rows 0, ``step``, 2 ``step``, ... along ``axis``: the first column of a table with ``step`` columns."""
    length = x.shape[axis]
    rows = -(-length // step)
    x = pad(x, [(0, rows * step - length if i == axis else 0) for i in range(x.ndim)])
    table = (*x.shape[:axis], rows, step, *x.shape[axis + 1 :])
    first = (*x.shape[:axis], rows, 1, *x.shape[axis + 1 :])
    return reshape(slice(reshape(x, table), (0,) * len(table), first), (*x.shape[:axis], rows, *x.shape[axis + 1 :]))


def _by_axis(x: Value, key: Any) -> list[tuple[Any, int]]:
    """An index and a length for each axis of ``x``, and ``(None, 0)`` where there will be a new axis."""
    items = list(key) if isinstance(key, tuple | list) else [key]
    for item in items:
        number = isinstance(item, int | np.integer) and not isinstance(item, bool)
        if not (number or item is None or item is Ellipsis or isinstance(item, Slice)):
            raise ArgumentError(
                f"x[{_shown(key)}]: expected whole numbers, slices, ..., None or arrays of whole numbers, "
                f"received {item!r}"
            )
        if isinstance(item, Slice) and item.step == 0:
            raise ArgumentError(f"x[{_shown(key)}]: the step of a slice must not be 0")
    used = sum(item is not None and item is not Ellipsis for item in items)
    if used > x.ndim or sum(item is Ellipsis for item in items) > 1:
        raise ShapeError(f"x[{_shown(key)}]: too many indices for {x.spec}, which has {x.ndim} axes")
    at = next((i for i, item in enumerate(items) if item is Ellipsis), len(items))
    items[at : at + 1] = [Slice(None)] * (x.ndim - used)
    lengths = iter(x.shape)
    return [(item, 0 if item is None else next(lengths)) for item in items]


def _shown(key: Any) -> str:
    """The key as it was written between brackets."""
    if isinstance(key, tuple | list):
        return ", ".join(map(_shown, key))
    if isinstance(key, Slice):
        ends = ["" if n is None else str(n) for n in (key.start, key.stop, key.step)]
        return ":".join(ends if ends[2] else ends[:2])
    return "..." if key is Ellipsis else str(key)
