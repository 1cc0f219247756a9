"""Choices by conditions, classes as rows of zeros and ones, histograms, and places in arrays as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.graph.dtypes import checked_dtype
from pynn.graph.ir import Value
from pynn.graph.symbolic import with_plain
from pynn.graph.trace import as_value
from pynn.ops.arrange import ravel
from pynn.ops.comparison import equal, greater_equal, less_equal, logical_and, logical_not, where
from pynn.ops.elementwise import clip, floor_divide, mod
from pynn.ops.gather import segment_sum
from pynn.ops.operands import _float, cast_together
from pynn.ops.reduce import any as any_true
from pynn.ops.reduce import max as reduce_max
from pynn.ops.reduce import min as reduce_min
from pynn.ops.shape import cast, expand_dims, one_hot
from pynn.ops.sorting import searchsorted


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Value:
    """For each place the first choice whose condition is true, ``default`` if none is.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> x = np.array([-2.0, 0.5, 3.0])
        >>> ops.select([x < 0, x > 1], [-x, x * 10])
        array([ 2.,  0., 30.], dtype=float32)
    """
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ArgumentError(
            f"select: expected as many conditions as choices, at least one; received {len(condlist)} and "
            f"{len(choicelist)}"
        )
    chosen: Any = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        chosen = where(condition, choice, chosen)
    return chosen


def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Value:
    """Where a number of ``x1`` occurs in ``x2`` (does not, if ``invert``): bool.

    ``assume_unique`` says that no number occurs twice; nothing is made of it.

    Example:
        >>> from pynn import ops
        >>> ops.isin([1, 2, 3], [2])
        array([False,  True, False])
    """
    a, b = cast_together(x1, x2)
    found = any_true(equal(expand_dims(a, -1), ravel(b)), axis=-1)
    return logical_not(found) if invert else found


def multi_hot(
    inputs: Any, num_classes: int | None = None, axis: int = -1, dtype: Any = None, sparse: bool = False, **kwargs: Any
) -> Value:
    """For each row of class numbers, a row with ones at these classes and zeros elsewhere.

    Args:
        inputs: whole numbers, (..., numbers); those outside of the classes are left out.
        num_classes: how many classes; ``num_tokens`` is its older name.
        axis: where the axis of the classes is.
        dtype: of the result, float32 by default.
        sparse: only False: results are dense.

    Example:
        >>> from pynn import ops
        >>> ops.multi_hot([[0, 2], [1, 1]], 3)
        array([[1., 0., 1.],
               [0., 1., 0.]], dtype=float32)
    """
    classes = kwargs.pop("num_tokens", None) if num_classes is None else num_classes
    if kwargs or classes is None or sparse:
        raise ArgumentError(
            "multi_hot: expected num_classes and dense results (sparse=False), received "
            f"num_classes={num_classes!r}, sparse={sparse!r} {', '.join(kwargs)}"
        )
    x = as_value(inputs)
    rows = one_hot(x, classes, axis=axis, dtype=checked_dtype("multi_hot", dtype))
    return reduce_max(rows, axis=1 if x.ndim > 1 else 0)


@with_plain("shape")
def unravel_index(indices: Any, shape: Sequence[int]) -> tuple[Value, ...]:
    """Positions in the flattened array of ``shape`` as one array of numbers for each axis.

    Example:
        >>> from pynn import ops
        >>> ops.unravel_index(3, (2, 2))
        (array(1, dtype=int32), array(1, dtype=int32))
    """
    rest = as_value(indices)
    found = []
    for n in reversed([int(n) for n in shape]):
        found.append(mod(rest, n))
        rest = floor_divide(rest, n)
    return tuple(reversed(found))


def histogram(x: Any, bins: int = 10, range: tuple[float, float] | None = None) -> tuple[Value, Value]:
    """How many numbers lie in each of ``bins`` intervals of equal length, and the intervals' edges.

    Args:
        x: numbers of any shape.
        bins: how many.
        range: from where to where; from the smallest number to the largest by default.  Others are not counted.
    """
    if not isinstance(bins, int) or isinstance(bins, bool) or bins < 1:
        raise ArgumentError(f"histogram: bins must be a whole number of at least 1, received {bins!r}")
    if range is not None and not range[0] < range[1]:
        raise ArgumentError(f"histogram: range must be (low, high) with low < high, received {range!r}")
    x = ravel(_float(x))
    low, high = (reduce_min(x), reduce_max(x)) if range is None else (as_value(float(range[0])), float(range[1]))
    if range is None:  # one number alone lies in the middle of an interval of length 1
        alone = equal(low, high)
        low, high = where(alone, low - 0.5, low), where(alone, high + 0.5, high)
    edges = low + (high - low) * np.linspace(0, 1, bins + 1, dtype="float32")
    places = clip(searchsorted(edges, x, "right") - 1, 0, bins - 1)
    inside = logical_and(greater_equal(x, low), less_equal(x, high))
    return segment_sum(cast(inside, "float32"), places, bins), edges


def saturate_cast(x: Any, dtype: Any) -> Value:
    """``x`` as another dtype, limited to what that can hold.

    Example:
        >>> from pynn import ops
        >>> ops.saturate_cast([-5.0, 3.7, 300.0], "uint8")
        array([  0,   3, 255], dtype=uint8)
    """
    name, x = checked_dtype("saturate_cast", dtype), as_value(x)
    if not name.startswith(("int", "uint")):
        return cast(x, name)
    limits = np.iinfo(name)
    if not x.spec.is_float:
        own = np.iinfo("uint8" if x.dtype == "bool" else x.dtype)
        return cast(clip(x, max(limits.min, own.min), min(limits.max, own.max)), name)
    # The largest float below the limit: the limit itself may be rounded up, out of it.
    largest = float(limits.max)
    if int(np.float32(largest)) > limits.max:
        largest = float(np.nextafter(np.float32(largest), np.float32(0)))
    return cast(clip(x, float(limits.min), largest), name)
