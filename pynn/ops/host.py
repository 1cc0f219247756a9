"""Functions whose results' shapes depend on numbers: on arrays only, since a program's shapes are fixed."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.errors import ArgumentError, GraphError, ShapeError
from pynn.graph.dtypes import of_array
from pynn.graph.symbolic import callable_on_everything, on_its_own
from pynn.graph.tensor import Tensor
from pynn.ops import comparison


def numbers_of(function: str, x: Any) -> np.ndarray:
    """The numbers of an array.

    Raises:
        GraphError: it has none: it belongs to a trace or a model.
    """
    try:
        array = np.asarray(x)
    except TypeError:
        raise GraphError(
            f"{function}: how long the result is depends on the numbers of {x!r}, which exist only when the program "
            f"runs; call it on arrays, outside of models, or use a function of fixed shape such as ops.where or "
            "ops.top_k"
        ) from None
    whole = array.dtype == "int64" and not isinstance(x, np.ndarray)  # Python's own
    return np.asarray(array, "int32" if whole else of_array(array))


def _tensor(array: Any, dtype: str | None = None) -> Any:
    return np.asarray(array, dtype).view(Tensor)


_either = callable_on_everything(comparison.where)


@on_its_own
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """``x1`` where ``condition`` is true (not 0), else ``x2``, broadcast as in NumPy.

    Without both the places where ``condition`` is true, as :func:`nonzero`: on arrays only.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> x = np.array([-1.0, 2.0])
        >>> ops.where(ops.greater(x, 0), x, 0.0)
        array([0., 2.], dtype=float32)
        >>> ops.where(ops.greater(x, 0))
        (array([1], dtype=int32),)
    """
    if x1 is None and x2 is None:
        return _places("where", condition)
    if x1 is None or x2 is None:
        raise ArgumentError("where: expected both x1 and x2, or neither")
    return _either(condition, x1, x2)


@on_its_own
def nonzero(x: Any) -> tuple[Any, ...]:
    """The places of what is not 0: one int32 array for each axis.  On arrays only.

    Example:
        >>> from pynn import ops
        >>> ops.nonzero([0, 3, 5])
        (array([1, 2], dtype=int32),)
    """
    return _places("nonzero", x)


def _places(function: str, x: Any) -> tuple[Any, ...]:
    numbers = numbers_of(function, x)
    if numbers.ndim == 0:
        raise ShapeError(f"{function}: expected an array of at least one axis, received the number {x!r}")
    return tuple(_tensor(places, "int32") for places in np.nonzero(numbers))


@on_its_own
def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """Different numbers (or, with ``axis``, different parts along it), each once.  On arrays only.

    Args:
        x: any array.
        sorted: whether the smallest must come first; it does anyway.
        return_index: also where each is found first.
        return_inverse: also which of them each number of ``x`` is.
        return_counts: also how often each occurs.
        axis: see above; the flattened ``x`` if None.
        size: cut off, or filled up with ``fill_value``, to so many.
        fill_value: the smallest by default.

    Example:
        >>> from pynn import ops
        >>> ops.unique([3, 1, 3])
        array([1, 3], dtype=int32)
    """
    options: Any = {"return_index": return_index, "return_inverse": return_inverse, "return_counts": return_counts}
    found: Any = np.unique(numbers_of("unique", x), axis=axis, **options)
    values, *others = found if isinstance(found, tuple) else (found,)
    at = axis or 0
    if size is not None:
        count = min(size, values.shape[at])
        values = np.take(values, range(count), at)
        if count < size:
            widths = [(0, size - count if i == at else 0) for i in range(values.ndim)]
            if fill_value is None:
                values = np.concatenate([values, np.repeat(np.take(values, [0], at), size - count, at)], at)
            else:
                values = np.pad(values, widths, constant_values=fill_value)
        kept = [i for i, asked in enumerate((return_index, return_counts)) if asked]
        for i in kept:
            place = i if i == 0 else len(others) - 1
            fill = 0 if i else (others[place][0] if len(others[place]) else 0)
            one = others[place][:size]
            others[place] = np.pad(one, (0, size - len(one)), constant_values=fill)
    results = [_tensor(values), *(_tensor(o, "int32") for o in others)]
    return results[0] if len(results) == 1 else tuple(results)


@on_its_own
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """How often each whole number from 0 on occurs in ``x``, or the sum of its weights.  On arrays only.

    Args:
        x: whole numbers of at least 0: one row, or several, which are counted one by one.
        weights: of ``x``'s shape.
        minlength: count up to this number at least.
        sparse: only False: results are dense.

    Example:
        >>> from pynn import ops
        >>> ops.bincount([0, 2, 2])
        array([1, 0, 2], dtype=int32)
    """
    if sparse:
        raise ArgumentError("bincount: sparse=True is not supported: results are dense; leave it out")
    numbers = numbers_of("bincount", x)
    if numbers.dtype.kind not in "iub" or numbers.ndim not in (1, 2) or numbers.min(initial=0) < 0:
        raise ArgumentError(f"bincount: expected rows of whole numbers from 0 on, received {x!r}")
    heavy = None if weights is None else numbers_of("bincount", weights)
    length = max(int(minlength), (int(numbers.max()) + 1 if numbers.size else 0))
    rows = numbers.reshape(-1, numbers.shape[-1]).astype("int64")
    loads = [None] * len(rows) if heavy is None else list(heavy.reshape(rows.shape))
    counts = np.stack([np.bincount(row, load, length) for row, load in zip(rows, loads, strict=True)])
    dtype = "int32" if heavy is None else of_array(heavy)
    return _tensor(counts.reshape((*numbers.shape[:-1], length)), dtype)
