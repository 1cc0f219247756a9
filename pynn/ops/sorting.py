"""Order: sorting, the largest few, medians, and where numbers belong in a sorted row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Op, Spec, Value
from pynn.graph.symbolic import with_plain
from pynn.graph.trace import as_value
from pynn.ops.arrange import axes_of, axis_of, moveaxis
from pynn.ops.comparison import isnan, where
from pynn.ops.gather import TakeAlongAxis
from pynn.ops.operands import _float
from pynn.ops.pad import slice as part
from pynn.ops.reduce import any as any_true
from pynn.ops.shape import cast, expand_dims, reshape


@dataclass(frozen=True)
class Argsort(Op):
    """Positions along the last axis, int32, in the order of their numbers; equal ones keep theirs.  No gradient."""

    descending: bool = False

    def infer(self, *specs: Spec) -> Spec:
        (x,) = specs
        self.require(len(x.shape) >= 1, "at least one axis", x)
        return Spec(x.shape, "int32")

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (None,)


@dataclass(frozen=True)
class SearchSorted(Op):
    """How many of a sorted row are less than each number (``side`` left), or not greater (right): int32."""

    side: str = "left"

    def infer(self, *specs: Spec) -> Spec:
        row, x = specs
        self.require(len(row.shape) == 1, "a sorted row and numbers", *specs)
        return Spec(x.shape, "int32")

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return None, None


# ---- functions -----------------------------------------------------------------------------------------------------


def argsort(x: Any, axis: int | None = -1) -> Value:
    """Positions along ``axis`` (of the flattened array if None) in the order of their numbers, int32.

    Example:
        >>> from pynn import ops
        >>> ops.argsort([3, 1, 2])
        array([1, 2, 0], dtype=int32)
    """
    x = as_value(x)
    if axis is None:
        return Argsort()(reshape(x, (x.size,)))
    at = axis_of("argsort", axis, x.ndim)
    return moveaxis(Argsort()(moveaxis(x, at, -1)), -1, at)


def sort(x: Any, axis: int | None = -1) -> Value:
    """The numbers along ``axis`` (of the flattened array if None), the smallest first; NaN last.

    Example:
        >>> from pynn import ops
        >>> ops.sort([3, 1, 2])
        array([1, 2, 3], dtype=int32)
    """
    x = as_value(x)
    if axis is None:
        x, axis = reshape(x, (x.size,)), 0
    at = axis_of("sort", axis, x.ndim)
    return moveaxis(_sorted_last(moveaxis(x, at, -1)), -1, at)


def _sorted_last(x: Value) -> Value:
    return TakeAlongAxis(x.ndim - 1)(x, Argsort()(x))


def argpartition(x: Any, kth: int, axis: int = -1) -> Value:
    """Positions such that the ``kth`` is where sorting puts it, those before are not larger, those behind not smaller.

    All are sorted, which is one such order.
    """
    x = as_value(x)
    length = x.shape[axis_of("argpartition", axis, x.ndim)]
    if not -length <= kth < length:
        raise ArgumentError(f"argpartition: kth must be from {-length} to {length - 1}, received {kth!r}")
    return argsort(x, axis)


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Value, Value]:
    """The ``k`` largest numbers of each row, and their positions, int32; the first of equal ones first.

    Args:
        x: rows.
        k: how many.
        sorted: whether the largest must come first; it does anyway.

    Example:
        >>> from pynn import ops
        >>> ops.top_k([1.0, 5.0, 3.0], 2)
        (array([5., 3.], dtype=float32), array([1, 2], dtype=int32))
    """
    x = as_value(x)
    if x.ndim == 0 or not 0 < k <= x.shape[-1]:
        raise ArgumentError(f"top_k: k must be from 1 to the length of a row of {x.spec}, received {k!r}")
    places = Argsort(True)(x)
    places = part(places, (0,) * x.ndim, (*x.shape[:-1], int(k)))
    return TakeAlongAxis(x.ndim - 1)(x, places), places


def in_top_k(targets: Any, predictions: Any, k: int) -> Value:
    """Whether the predicted number of each row's target class is among the ``k`` largest: bool.

    Args:
        targets: class numbers, (rows,).
        predictions: (rows, classes).
        k: how many; equal numbers do not push each other out.

    Example:
        >>> from pynn import ops
        >>> ops.in_top_k([0, 1], [[0.9, 0.1], [0.8, 0.2]], k=1)
        array([ True, False])
    """
    from pynn.ops.comparison import greater, less, logical_and
    from pynn.ops.gather import take_along_axis
    from pynn.ops.math import isfinite
    from pynn.ops.reduce import count_nonzero

    y, t = _float(predictions), cast(targets, "int32")
    if y.ndim < 1 or t.shape != y.shape[:-1]:
        raise ShapeError(f"in_top_k: expected a class for each row, received targets {t.spec}, predictions {y.spec}")
    own = take_along_axis(y, expand_dims(t, -1), axis=-1)
    larger = count_nonzero(greater(y, own), axis=-1)
    return logical_and(less(larger, int(k)), reshape(isfinite(own), t.shape))


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Value:
    """Where ``values`` would have to be inserted into a sorted row to keep it sorted: int32.

    Args:
        sorted_sequence: one axis, rising.
        values: any shape.
        side: before (``"left"``) or behind (``"right"``) equal ones.

    Example:
        >>> from pynn import ops
        >>> ops.searchsorted([1, 3, 5], [2, 4])
        array([1, 2], dtype=int32)
    """
    if side not in ("left", "right"):
        raise ArgumentError(f"searchsorted: side must be 'left' or 'right', received {side!r}")
    row = as_value(sorted_sequence)
    if row.ndim != 1:
        raise ShapeError(f"searchsorted: sorted_sequence must have one axis, received {row.spec}")
    return SearchSorted(side)(row, as_value(values))


def digitize(x: Any, bins: Any) -> Value:
    """The number of the bin of each ``x``: how many of the rising ``bins`` are not above it, int32.

    Example:
        >>> from pynn import ops
        >>> ops.digitize([0.5, 2.5], [1.0, 2.0])
        array([0, 2], dtype=int32)
    """
    return searchsorted(bins, x, "right")


_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


@with_plain("q")
def quantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Value:
    """The number below which a fraction ``q`` lies, along the given axes (all by default).

    Args:
        x: numbers; NaN among them gives NaN.
        q: a fraction in [0, 1], or several: they are the first axis of the result.
        axis: one axis or several.
        method: between two numbers: ``linear``, ``lower``, ``higher``, ``midpoint`` or ``nearest``.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> from pynn import ops
        >>> ops.quantile([1.0, 2.0, 3.0], 0.25).round(4)
        np.float32(1.5)
    """
    if method not in _METHODS:
        raise ArgumentError(f"quantile: method must be one of {', '.join(_METHODS)}, received {method!r}")
    if isinstance(q, Value):
        raise ArgumentError("quantile: q must be plain numbers: what is read must be known before a program runs")
    fractions = np.asarray(q, "float64")
    if fractions.size == 0 or fractions.min() < 0 or fractions.max() > 1:
        raise ArgumentError(f"quantile: q must be in [0, 1], received {q!r}")
    x = _float(x)
    axes = list(range(x.ndim)) if axis is None else axes_of("quantile", axis, x.ndim)
    kept = [i for i in range(x.ndim) if i not in axes]
    rest = [x.shape[i] for i in kept]
    row = _sorted_last(reshape(moveaxis(x, axes, list(range(-len(axes), 0))) if axes else x, (*rest, -1)))
    at = fractions.reshape(-1) * (row.shape[-1] - 1)
    picked = _between(row, at, method)  # (*rest, len(q))
    picked = where(expand_dims(any_true(isnan(row), axis=-1), -1), float("nan"), picked)
    shape = [1 if i in axes else n for i, n in enumerate(x.shape)] if keepdims else rest
    return reshape(moveaxis(picked, -1, 0), (*fractions.shape, *shape))


def _between(row: Value, at: np.ndarray, method: str) -> Value:
    from pynn.ops.embedding import take

    low, high = np.floor(at).astype(int), np.ceil(at).astype(int)
    if method == "nearest":
        low = high = np.rint(at).astype(int)
    below, above = (take(row, places, axis=-1) for places in (low, high))
    if method in ("lower", "nearest"):
        return below
    if method == "higher":
        return above
    share = np.full(at.shape, 0.5) if method == "midpoint" else at - low
    share = np.where(low == high, 0.0, share).astype("float32")
    return below * (1 - share) + above * share


@with_plain("q")
def percentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Value:
    """:func:`quantile` with ``q`` in percent.

    Example:
        >>> from pynn import ops
        >>> ops.percentile([1.0, 2.0, 3.0], 25).round(4)
        np.float32(1.5)
    """
    if isinstance(q, Value):
        return quantile(x, q, axis, method, keepdims)
    if np.asarray(q).dtype.kind not in "iuf":
        raise ArgumentError(f"percentile: q must be numbers from 0 to 100, received {q!r}")
    return quantile(x, np.asarray(q, "float64") / 100, axis, method, keepdims)


def median(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """The number in the middle, or the mean of the two there, along the given axes (all by default).

    Example:
        >>> from pynn import ops
        >>> ops.median([1.0, 9.0, 2.0]).round(4)
        np.float32(2.0)
    """
    return quantile(x, 0.5, axis, keepdims=keepdims)
