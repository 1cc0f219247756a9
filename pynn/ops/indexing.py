"""``x[1:, ..., -1]``: parts of an array, written as in NumPy."""

from __future__ import annotations

from builtins import slice as Slice
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.ops.pad import pad, slice
from pynn.ops.shape import reshape


def get_item(x: Any, key: Any) -> Value:
    """``x[key]`` for whole numbers, slices, ``...`` and None, as in NumPy; ``keras.ops.get_item``.

    Args:
        x: an array.
        key: one of these, or a tuple.  A number takes its axis away, None makes a new one of length 1.  The step of a
            slice must be positive.

    Raises:
        ArgumentError: something else in ``key`` (arrays of indices: see :func:`take`), or a step below 1.
        ShapeError: more indices than axes, a number outside of its axis, or an empty result.
    """
    x = as_value(x)
    start: list[int] = []
    size: list[int] = []
    steps: list[int] = []
    shape: list[int] = []
    for item, length in _by_axis(x, key):
        if item is None:
            shape.append(1)
            continue
        if isinstance(item, Slice):
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
    x = slice(x, start, size)
    for axis, step in enumerate(steps):
        if step > 1:
            x = _every(x, axis, step)
    return reshape(x, shape)


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
                f"x[{_shown(key)}]: expected whole numbers, slices, ... or None, received {item!r}; "
                "for rows at an array of indices use ops.take(x, indices, axis)"
            )
        if isinstance(item, Slice) and item.step is not None and item.step < 1:
            raise ArgumentError(f"x[{_shown(key)}]: the step of a slice must be positive, received {item.step}")
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
