"""Pooling to a given size: the windows follow from it, and may overlap and differ in size by one.

Window ``i`` of ``size`` over ``length`` positions reaches from ``floor(i length / size)`` to
``ceil((i + 1) length / size)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.ops.embedding import take
from pynn.ops.matmul import matmul
from pynn.ops.pool import average_pool, max_pool
from pynn.ops.reduce import max as reduce_max
from pynn.ops.shape import reshape, transpose
from pynn.ops.spatial import channels_to_end, channels_to_front, is_channels_first, per_axis, spatial_rank

#: Of an axis: each is written out.
_MOST_WINDOWS = 65536


def _windows(length: int, size: int) -> list[tuple[int, int]]:
    return [(i * length // size, -(-(i + 1) * length // size)) for i in range(size)]


def _mean_along(x: Value, axis: int, size: int) -> Value:
    """A product with a matrix, (length, size), whose columns are the windows."""
    weights = np.zeros((x.shape[axis], size), np.float32)
    for i, (first, last) in enumerate(_windows(x.shape[axis], size)):
        weights[first:last, i] = 1 / (last - first)
    order = [a for a in range(x.ndim) if a != axis] + [axis]
    y = matmul(transpose(x, order), as_value(weights, x.dtype))
    return transpose(y, [int(a) for a in np.argsort(order)])


def _max_along(x: Value, axis: int, size: int) -> Value:
    """The windows side by side, then their maxima.  Shorter windows have their last position twice."""
    windows = _windows(x.shape[axis], size)
    longest = max(last - first for first, last in windows)
    places = np.array([[min(first + k, last - 1) for k in range(longest)] for first, last in windows], np.int32)
    y = take(x, places.reshape(-1), axis)
    shape = x.shape[:axis], x.shape[axis + 1 :]
    return reduce_max(reshape(y, (*shape[0], size, longest, *shape[1])), axis + 1)


def _adaptive(
    function: str,
    along: Callable[[Value, int, int], Value],
    pool: Callable[..., Value],
    inputs: Any,
    output_size: int | Sequence[int],
    data_format: str | None,
) -> Value:
    x = as_value(inputs)
    if is_channels_first(function, data_format):
        return channels_to_front(_adaptive(function, along, pool, channels_to_end(x), output_size, "channels_last"))
    rank = spatial_rank(function, x)
    sizes = per_axis(function, "output_size", output_size, rank)
    if max(sizes) > _MOST_WINDOWS:
        raise ArgumentError(f"{function}: output_size must be at most {_MOST_WINDOWS}, received {output_size!r}")
    if 0 in x.shape[1:-1]:
        raise ShapeError(f"{function}: {x.spec} has an axis of length 0, so there is nothing in the windows")
    if all(n % size == 0 for n, size in zip(x.shape[1:-1], sizes, strict=True)):
        return pool(x, [n // size for n, size in zip(x.shape[1:-1], sizes, strict=True)], data_format="channels_last")
    for axis, size in enumerate(sizes, 1):
        x = along(x, axis, size)
    return x


def adaptive_average_pool(inputs: Any, output_size: int | Sequence[int], data_format: str | None = None) -> Value:
    """Means of windows that divide the inputs into ``output_size``, as ``keras.ops.adaptive_average_pool``.

    Args:
        inputs: (n, steps, channels), (n, h, w, channels) or (n, d, h, w, channels).
        output_size: positions of the result, one number or one for each dimension.
        data_format: "channels_last" or "channels_first": (n, channels, ...), results too.

    Returns:
        (n, *output_size, channels).

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> ops.adaptive_average_pool(np.arange(5.0)[None, :, None], 2)[0, :, 0]
        array([1., 3.], dtype=float32)
    """
    return _adaptive("adaptive_average_pool", _mean_along, average_pool, inputs, output_size, data_format)


def adaptive_max_pool(inputs: Any, output_size: int | Sequence[int], data_format: str | None = None) -> Value:
    """Maxima of windows that divide the inputs; arguments as for :func:`adaptive_average_pool`."""
    return _adaptive("adaptive_max_pool", _max_along, max_pool, inputs, output_size, data_format)
