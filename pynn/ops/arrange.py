"""Arrays cut, joined, repeated and turned: which number goes where is known before a program runs.

Everything is written with reshapes, transposes, broadcasts, joins and rows taken at fixed positions.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.graph.symbolic import with_plain
from pynn.graph.trace import as_value
from pynn.ops.comparison import where
from pynn.ops.embedding import take
from pynn.ops.pad import concatenate
from pynn.ops.pad import slice as part
from pynn.ops.reduce import sum as reduce_sum
from pynn.ops.shape import broadcast_to, expand_dims, reshape, transpose


def axis_of(function: str, axis: Any, rank: int) -> int:
    """``axis`` counted from the front.

    Raises:
        ArgumentError: there is no such axis.
    """
    try:
        number = operator.index(axis)
    except TypeError:
        number = rank
    if not -rank <= number < rank or isinstance(axis, bool):
        raise ArgumentError(f"{function}: axis must be a whole number from {-rank} to {rank - 1}, received {axis!r}")
    return number % rank


def axes_of(function: str, axes: Any, rank: int) -> list[int]:
    """One axis or several, counted from the front."""
    several = list(axes) if isinstance(axes, list | tuple) else [axes]
    found = [axis_of(function, a, rank) for a in several]
    if len(set(found)) != len(found):
        raise ArgumentError(f"{function}: axes must differ, received {axes!r}")
    return found


# ---- order of axes ---------------------------------------------------------------------------------------------------


def moveaxis(x: Any, source: Any, destination: Any) -> Value:
    """``x`` with axes ``source`` moved to the places ``destination``; the others keep their order.

    Example:
        >>> from pynn import ops
        >>> ops.moveaxis([[1, 2], [3, 4]], 0, 1)
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    x = as_value(x)
    froms, tos = axes_of("moveaxis", source, x.ndim), axes_of("moveaxis", destination, x.ndim)
    if len(froms) != len(tos):
        raise ArgumentError(f"moveaxis: expected as many sources as destinations, received {source!r}, {destination!r}")
    order = [i for i in range(x.ndim) if i not in froms]
    for to, origin in sorted(zip(tos, froms, strict=True)):
        order.insert(to, origin)
    return transpose(x, order)


def swapaxes(x: Any, axis1: int, axis2: int) -> Value:
    """``x`` with two axes exchanged.

    Example:
        >>> from pynn import ops
        >>> ops.swapaxes([[1, 2], [3, 4]], 0, 1)
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    x = as_value(x)
    a, b = axis_of("swapaxes", axis1, x.ndim), axis_of("swapaxes", axis2, x.ndim)
    order = list(range(x.ndim))
    order[a], order[b] = b, a
    return transpose(x, order)


def ravel(x: Any) -> Value:
    """All numbers in one axis.

    Example:
        >>> from pynn import ops
        >>> ops.ravel([[1, 2], [3, 4]])
        array([1, 2, 3, 4], dtype=int32)
    """
    x = as_value(x)
    return reshape(x, (x.size,))


def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Value:
    """Axes split, moved and merged, in the notation of einops: ``"b (h w) c -> b c h w"``.

    Args:
        tensor: any array.
        pattern: names of the axes before and after ``->``; names in parentheses are one axis together.
        axes_lengths: of names in parentheses that do not follow from the others.

    Example:
        >>> from pynn import ops
        >>> ops.rearrange(ops.zeros((2, 12, 3)), "b (h w) c -> b c h w", h=3).shape
        (2, 3, 3, 4)
    """
    x = as_value(tensor)
    before, arrow, after = pattern.partition("->")
    left, right = _groups(before), _groups(after)
    names, wanted = [n for group in left for n in group], [n for group in right for n in group]
    if not arrow or sorted(names) != sorted(wanted) or len(set(names)) != len(names) or len(left) != x.ndim:
        raise ArgumentError(f"rearrange: the pattern {pattern!r} does not fit {x.spec}: name each axis once per side")
    sizes = dict(axes_lengths)
    for group, length in zip(left, x.shape, strict=True):
        unknown = [name for name in group if name not in sizes]
        known = math.prod(sizes[name] for name in group if name in sizes)
        if len(unknown) > 1 or known == 0 or length % known or (not unknown and known != length):
            raise ShapeError(f"rearrange: ({' '.join(group)}) of {axes_lengths} does not fit a length of {length}")
        sizes.update((name, length // known) for name in unknown)
    x = transpose(reshape(x, [sizes[n] for n in names]), [names.index(n) for n in wanted])
    return reshape(x, [math.prod(sizes[n] for n in group) for group in right])


def _groups(side: str) -> list[list[str]]:
    groups: list[list[str]] = []
    inside = False
    for token in side.replace("(", " ( ").replace(")", " ) ").split():
        if token == "(":
            groups.append([])
            inside = True
        elif token == ")":
            inside = False
        elif inside:
            groups[-1].append(token)
        else:
            groups.append([token])
    return groups


# ---- joining and cutting -----------------------------------------------------------------------------------------


def stack(x: Sequence[Any], axis: int = 0) -> Value:
    """Arrays of one shape side by side along a new axis.

    Example:
        >>> from pynn import ops
        >>> ops.stack([[1, 2], [3, 4]])
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    x = _at_least_one("stack", x)
    return concatenate([expand_dims(item, axis) for item in x], axis if axis >= 0 else axis_after(x[0], axis))


def _at_least_one(function: str, xs: Sequence[Any]) -> Sequence[Any]:
    if len(xs) == 0:
        raise ArgumentError(f"{function}: expected at least one array, received none")
    return xs


def axis_after(x: Any, axis: int) -> int:
    """``axis`` of an array with one axis more than ``x``."""
    return axis_of("stack", axis, as_value(x).ndim + 1)


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Value]:
    """The parts of ``x`` along ``axis``, which vanishes; ``num`` is how many there must be.

    Example:
        >>> from pynn import ops
        >>> ops.unstack([[1, 2], [3, 4]])
        [array([1, 2], dtype=int32), array([3, 4], dtype=int32)]
    """
    x = as_value(x)
    at = axis_of("unstack", axis, x.ndim)
    if num is not None and num != x.shape[at]:
        raise ArgumentError(f"unstack: there are {x.shape[at]} along axis {axis} of {x.spec}, not num={num}")
    rest = (*x.shape[:at], *x.shape[at + 1 :])
    return [reshape(_cut(x, at, i, i + 1), rest) for i in range(x.shape[at])]


def _cut(x: Value, axis: int, start: int, stop: int) -> Value:
    begin = [start if i == axis else 0 for i in range(x.ndim)]
    return part(x, begin, [stop - start if i == axis else n for i, n in enumerate(x.shape)])


@with_plain("indices_or_sections")
def split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Value]:
    """``x`` in equal parts along ``axis``, or cut before the given positions.

    Raises:
        ShapeError: the length is no multiple of the number of parts, or a part would be empty.

    Example:
        >>> from pynn import ops
        >>> [part.shape for part in ops.split(ops.zeros((6, 2)), [1, 4])]
        [(1, 2), (3, 2), (2, 2)]
    """
    x = as_value(x)
    at = axis_of("split", axis, x.ndim)
    length = x.shape[at]
    if isinstance(indices_or_sections, int | np.integer):
        if indices_or_sections < 1 or length % indices_or_sections:
            raise ShapeError(f"split: {x.spec} cannot be cut into {indices_or_sections} equal parts along axis {axis}")
        edges = list(range(0, length + 1, length // int(indices_or_sections)))
    else:
        edges = [0, *(int(i) + length if i < 0 else int(i) for i in np.asarray(indices_or_sections)), length]
    if all(a < b for a, b in pairwise(edges)):
        return [_cut(x, at, a, b) for a, b in pairwise(edges)]
    raise ShapeError(f"split: cutting {x.spec} at {indices_or_sections!r} along axis {axis} leaves an empty part")


@with_plain("indices_or_sections")
def array_split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Value]:
    """:func:`split` into parts that may differ by one: the first are the longer ones.

    Example:
        >>> from pynn import ops
        >>> ops.array_split([1, 2, 3], 2)
        [array([1, 2], dtype=int32), array([3], dtype=int32)]
    """
    x = as_value(x)
    if isinstance(indices_or_sections, int | np.integer):
        length, parts = x.shape[axis_of("array_split", axis, x.ndim)], int(indices_or_sections)
        if not 1 <= parts <= max(length, 1):
            raise ShapeError(f"array_split: {x.spec} cannot be cut into {parts} parts along axis {axis}")
        ends = np.cumsum([length // parts + (i < length % parts) for i in range(parts)])
        indices_or_sections = [int(end) for end in ends[:-1]]
    return split(x, indices_or_sections, axis)


@with_plain("indices_or_sections")
def vsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Value]:
    """:func:`split` along the first axis."""
    return split(x, indices_or_sections, 0)


@with_plain("indices_or_sections")
def hsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Value]:
    """:func:`split` along the second axis, or the only one."""
    x = as_value(x)
    return split(x, indices_or_sections, 0 if x.ndim == 1 else 1)


@with_plain("indices_or_sections")
def dsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Value]:
    """:func:`split` along the third axis."""
    return split(x, indices_or_sections, 2)


def hstack(xs: Sequence[Any]) -> Value:
    """Joined along the second axis, or the only one.

    Example:
        >>> from pynn import ops
        >>> ops.hstack([[1, 2], [3]])
        array([1, 2, 3], dtype=int32)
    """
    values = [as_value(x) for x in _at_least_one("hstack", xs)]
    values = [reshape(v, (1,)) if v.ndim == 0 else v for v in values]
    return concatenate(values, 0 if values[0].ndim == 1 else 1)


def vstack(xs: Sequence[Any]) -> Value:
    """Joined along the first axis; arrays of one axis are rows.

    Example:
        >>> from pynn import ops
        >>> ops.vstack([[1, 2], [3, 4]])
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    values = [as_value(x) for x in xs]
    return concatenate([reshape(v, (1, v.size)) if v.ndim < 2 else v for v in values], 0)


def dstack(xs: Sequence[Any]) -> Value:
    """Joined along the third axis; what has fewer gets new ones."""
    values = [as_value(x) for x in xs]
    values = [reshape(v, (1, v.size, 1)) if v.ndim < 2 else expand_dims(v, 2) if v.ndim == 2 else v for v in values]
    return concatenate(values, 2)


def append(x1: Any, x2: Any, axis: int | None = None) -> Value:
    """``x2`` behind ``x1`` along ``axis``; of the flattened arrays if None.

    Example:
        >>> from pynn import ops
        >>> ops.append([1, 2], [3])
        array([1, 2, 3], dtype=int32)
    """
    if axis is None:
        return concatenate([ravel(x1), ravel(x2)])
    return concatenate([x1, x2], axis)


# ---- repeating and turning ---------------------------------------------------------------------------------------


@with_plain("repeats")
def tile(x: Any, repeats: int | Sequence[int]) -> Value:
    """``x`` laid side by side ``repeats`` times along each axis.

    Example:
        >>> from pynn import ops
        >>> ops.tile([1, 2], 2)
        array([1, 2, 1, 2], dtype=int32)
    """
    x = as_value(x)
    counts = [int(n) for n in np.atleast_1d(np.asarray(repeats))]
    rank = max(x.ndim, len(counts))
    shape, counts = (1,) * (rank - x.ndim) + x.shape, [1] * (rank - len(counts)) + counts
    pairs = [n for pair in zip([1] * rank, shape, strict=True) for n in pair]
    wide = [n for pair in zip(counts, shape, strict=True) for n in pair]
    return reshape(broadcast_to(reshape(x, pairs), wide), [c * n for c, n in zip(counts, shape, strict=True)])


@with_plain("repeats")
def repeat(x: Any, repeats: int | Sequence[int], axis: int | None = None) -> Value:
    """Each element ``repeats`` times along ``axis``, of the flattened array if None.

    Example:
        >>> from pynn import ops
        >>> ops.repeat([1, 2], [3, 1])
        array([1, 1, 1, 2], dtype=int32)
    """
    x = ravel(x) if axis is None else as_value(x)
    at = axis_of("repeat", axis or 0, x.ndim)
    counts = np.asarray(repeats)
    if counts.size == 1:
        count = int(counts.reshape(()))
        wide = broadcast_to(expand_dims(x, at + 1), (*x.shape[: at + 1], count, *x.shape[at + 1 :]))
        return reshape(wide, (*x.shape[:at], x.shape[at] * count, *x.shape[at + 1 :]))
    if counts.shape != (x.shape[at],):
        raise ShapeError(f"repeat: expected one number or {x.shape[at]} repeats for {x.spec}, received {repeats!r}")
    return take(x, np.repeat(np.arange(x.shape[at]), counts), axis=at)


def flip(x: Any, axis: int | Sequence[int] | None = None) -> Value:
    """``x`` backwards along the given axes, all by default.

    Example:
        >>> from pynn import ops
        >>> ops.flip([1, 2, 3])
        array([3, 2, 1], dtype=int32)
    """
    x = as_value(x)
    for at in range(x.ndim) if axis is None else axes_of("flip", axis, x.ndim):
        if x.shape[at] > 1:
            x = take(x, np.arange(x.shape[at])[::-1].copy(), axis=at)
    return x


def fliplr(x: Any) -> Value:
    """Columns backwards.

    Example:
        >>> from pynn import ops
        >>> ops.fliplr([[1, 2], [3, 4]])
        array([[2, 1],
               [4, 3]], dtype=int32)
    """
    return flip(x, 1)


def flipud(x: Any) -> Value:
    """Rows backwards.

    Example:
        >>> from pynn import ops
        >>> ops.flipud([[1, 2], [3, 4]])
        array([[3, 4],
               [1, 2]], dtype=int32)
    """
    return flip(x, 0)


@with_plain("shift")
def roll(x: Any, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Value:
    """``x`` moved on by ``shift``; what leaves at the end comes in at the start.  The flattened ``x`` if no axis.

    Example:
        >>> from pynn import ops
        >>> ops.roll([1, 2, 3], 1)
        array([3, 1, 2], dtype=int32)
    """
    x = as_value(x)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), x.shape)
    axes = axes_of("roll", list(axis) if isinstance(axis, list | tuple) else [axis], x.ndim)
    shifts: list[Any] = list(shift) if isinstance(shift, list | tuple) else [shift] * len(axes)
    for at, by in zip(axes, shifts, strict=True):
        length = x.shape[at]
        by = int(by) % length if length else 0
        if by:
            x = concatenate([_cut(x, at, length - by, length), _cut(x, at, 0, length - by)], at)
    return x


def rot90(array: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Value:
    """``x`` turned ``k`` times by 90 degrees, from the first of two axes towards the second.

    Example:
        >>> from pynn import ops
        >>> ops.rot90([[1, 2], [3, 4]])
        array([[2, 4],
               [1, 3]], dtype=int32)
    """
    x = as_value(array)
    a, b = axes_of("rot90", list(axes), x.ndim)
    if k % 4 == 0:
        return x
    if k % 4 == 2:
        return flip(x, (a, b))
    return swapaxes(flip(x, b), a, b) if k % 4 == 1 else flip(swapaxes(x, a, b), b)


def meshgrid(*x: Any, indexing: str = "xy") -> list[Value]:
    """Coordinates of a grid: each of the arrays of one axis, repeated along the axes of the others.

    Args:
        x: arrays of one axis.
        indexing: ``"xy"``: the first runs along the second axis; ``"ij"``: along the first.

    Example:
        >>> from pynn import ops
        >>> ops.meshgrid([1, 2], [3, 4])
        [array([[1, 2],
               [1, 2]], dtype=int32), array([[3, 3],
               [4, 4]], dtype=int32)]
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"meshgrid: indexing must be 'xy' or 'ij', received {indexing!r}")
    values = [ravel(v) for v in x]
    order = list(range(len(values)))
    if indexing == "xy" and len(values) > 1:
        order[:2] = 1, 0
    shape = [0] * len(values)
    for v, at in zip(values, order, strict=True):
        shape[at] = v.size
    return [
        broadcast_to(reshape(v, [v.size if i == at else 1 for i in range(len(values))]), shape)
        for v, at in zip(values, order, strict=True)
    ]


# ---- diagonals -----------------------------------------------------------------------------------------------------


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    """The numbers of a diagonal of the matrices in two axes, along a new last axis.

    Example:
        >>> from pynn import ops
        >>> ops.diagonal([[1, 2], [3, 4]])
        array([1, 4], dtype=int32)
    """
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = x.shape[-2:]
    places = np.flatnonzero(np.eye(rows, columns, offset))
    return take(reshape(x, (*x.shape[:-2], rows * columns)), places, axis=x.ndim - 2)


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    """The sum of a :func:`diagonal`.

    Example:
        >>> from pynn import ops
        >>> ops.trace([[1, 2], [3, 4]])
        array(5, dtype=int32)
    """
    return reduce_sum(diagonal(x, offset, axis1, axis2), axis=-1)


def diagflat(x: Any, k: int = 0) -> Value:
    """A matrix with the numbers of ``x`` on its ``k``-th diagonal."""
    x = ravel(x)
    n = x.size + abs(k)
    numbers = np.zeros((n, n), "int32")
    numbers[np.eye(n, k=k, dtype=bool)] = np.arange(x.size)
    return where(np.eye(n, k=k, dtype=bool), take(x, numbers), as_value(0, x.dtype))


def diag(x: Any, k: int = 0) -> Value:
    """The ``k``-th diagonal of a matrix, or the matrix with these numbers on it.

    Example:
        >>> from pynn import ops
        >>> ops.diag([1, 2])
        array([[1, 0],
               [0, 2]], dtype=int32)
    """
    x = as_value(x)
    if x.ndim not in (1, 2):
        raise ShapeError(f"diag: expected one or two axes, received {x.spec}")
    return diagflat(x, k) if x.ndim == 1 else diagonal(x, k)


def tril(x: Any, k: int = 0) -> Value:
    """``x`` with zeros above the ``k``-th diagonal of its last two axes.

    Example:
        >>> from pynn import ops
        >>> ops.tril([[1, 2], [3, 4]])
        array([[1, 0],
               [3, 4]], dtype=int32)
    """
    return _triangle("tril", x, k, True)


def triu(x: Any, k: int = 0) -> Value:
    """``x`` with zeros below the ``k``-th diagonal of its last two axes.

    Example:
        >>> from pynn import ops
        >>> ops.triu([[1, 2], [3, 4]])
        array([[1, 2],
               [0, 4]], dtype=int32)
    """
    return _triangle("triu", x, k - 1, False)


def _triangle(function: str, x: Any, k: int, below: bool) -> Value:
    x = as_value(x)
    if x.ndim < 2:
        raise ShapeError(f"{function}: expected matrices, received {x.spec}")
    kept = np.tri(x.shape[-2], x.shape[-1], k, dtype=bool)
    return where(kept if below else ~kept, x, as_value(0, x.dtype))
