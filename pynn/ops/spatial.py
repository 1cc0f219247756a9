"""What convolutions and poolings of one, two and three dimensions share: their arguments, and the order of the axes.

Kernels know images, (n, h, w, channels).  A sequence is an image of one row; a volume is taken apart into its frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.ops.shape import reshape, transpose
from pynn.settings import image_data_format

Pair = tuple[int, int]
#: Zeros before and after each spatial axis.
Pads = tuple[Pair, ...]

#: The spatial axes of each rank, as messages name them.
AXES = {1: "steps", 2: "h, w", 3: "d, h, w"}


def per_axis(function: str, argument: str, value: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """One positive number for all ``rank`` dimensions, or one for each."""
    values = (value,) * rank if isinstance(value, int | np.integer) else tuple(value)
    if len(values) == 1:
        values *= rank
    if len(values) != rank or not all(isinstance(v, int | np.integer) and v > 0 for v in values):
        several = {1: "an integer", 2: "a pair of them", 3: "three of them"}[rank]
        raise ArgumentError(f"{function}: {argument} must be a positive integer or {several}, received {value!r}")
    return tuple(int(v) for v in values)


def spatial_rank(function: str, x: Value) -> int:
    """How many spatial axes there are beside the batch and the channels: 1, 2 or 3."""
    if not 3 <= x.ndim <= 5:
        raise ShapeError(
            f"{function}: expected inputs (n, steps, channels), (n, h, w, channels) or (n, d, h, w, channels), "
            f"received {x.spec}"
        )
    return x.ndim - 2


def is_channels_first(function: str, data_format: str | None) -> bool:
    """Whether the channels come before the spatial axes; None is what :func:`pynn.config.image_data_format` says.

    Raises:
        ArgumentError: neither of the two orders, nor None.
    """
    data_format = data_format or image_data_format()
    if data_format not in ("channels_last", "channels_first"):
        raise ArgumentError(
            f"{function}: data_format must be 'channels_last', 'channels_first' or None, received {data_format!r}"
        )
    return data_format == "channels_first"


def channels_to_end(x: Value) -> Value:
    """``(n, channels, ...)`` to ``(n, ..., channels)``."""
    return transpose(x, (0, *range(2, x.ndim), 1))


def channels_to_front(x: Value) -> Value:
    """``(n, ..., channels)`` to ``(n, channels, ...)``; where two of these meet, a pass removes both."""
    return transpose(x, (0, x.ndim - 1, *range(1, x.ndim - 1)))


def one_row(x: Value) -> Value:
    """A sequence as an image of one row: ``(n, steps, channels)`` to ``(n, 1, steps, channels)``."""
    n, steps, channels = x.shape
    return reshape(x, (n, 1, steps, channels))


def without_row(x: Value) -> Value:
    """An image of one row as a sequence."""
    n, _, steps, channels = x.shape
    return reshape(x, (n, steps, channels))


def frames(x: Value) -> Value:
    """The frames of volumes as images: ``(n, d, h, w, channels)`` to ``(n * d, h, w, channels)``."""
    n, d, *frame = x.shape
    return reshape(x, (n * d, *frame))


def resolve_padding(
    function: str,
    padding: str,
    size: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int] | None = None,
    causal: bool = False,
) -> Pads:
    """Keras' "valid" and "same", and "causal" where there is such a thing, as numbers of zeros.

    "same" gives ``ceil(size / stride)`` positions; where the zeros do not divide evenly the end gets the one more.
    "causal" has all of them before, so that no result depends on what comes after it.
    """
    folded = padding.lower() if isinstance(padding, str) else padding
    if folded not in (("valid", "same", "causal") if causal else ("valid", "same")):
        allowed = "'valid', 'same' or 'causal'" if causal else "'valid' or 'same'"
        raise ArgumentError(f"{function}: padding must be {allowed}, received {padding!r}")
    pads = []
    for n, k, stride, spread in zip(size, window, strides, dilation or (1,) * len(size), strict=True):
        reach = (k - 1) * spread + 1
        if folded == "valid":
            pads.append((0, 0))
        elif folded == "causal":
            pads.append((reach - 1, 0))
        else:
            positions = -(-n // stride)
            total = max((positions - 1) * stride + reach - n, 0)
            pads.append((total // 2, total - total // 2))
    return tuple(pads)


def strides_inside(strides: Sequence[int], size: Sequence[int], pads: Pads) -> tuple[int, ...]:
    """Strides no longer than the padded input: there is one position then, with any longer one, too, and kernels count
    the steps in between."""
    return tuple(min(s, max(1, n + sum(pad))) for s, n, pad in zip(strides, size, pads, strict=True))


def shown(value: Any) -> str:
    """A tuple of one number as the number."""
    return str(value[0]) if isinstance(value, tuple) and len(value) == 1 else str(value)
