"""Lists of different lengths as one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Lists of different lengths as one array ``(len(sequences), maxlen, ...)``.

    Args:
        sequences: lists or arrays; their items may be arrays of one shape.
        maxlen: length of all of them afterwards; by default that of the longest.
        dtype: of the result.
        padding: where too short ones are filled up, ``"pre"`` (before) or ``"post"`` (behind).
        truncating: where too long ones lose items, ``"pre"`` or ``"post"``.
        value: what they are filled up with.

    Raises:
        ArgumentError: an argument has a value that it cannot take.
        ShapeError: the items have different shapes.

    Example:
        >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2).tolist()
        [[0, 1], [2, 3], [5, 6]]
        >>> pad_sequences([[1], [2, 3]], padding="post", value=-1).tolist()
        [[1, -1], [2, 3]]
    """
    for argument, given in (("padding", padding), ("truncating", truncating)):
        if given not in ("pre", "post"):
            raise ArgumentError(f"pad_sequences: {argument} must be 'pre' or 'post', received {given!r}")
    if not hasattr(sequences, "__len__"):
        raise ArgumentError(f"pad_sequences: sequences must be a list of lists, received {type(sequences).__name__}")
    for i, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ArgumentError(f"pad_sequences: sequences must be a list of lists, received {sequence!r} at {i}")
    length = max(map(len, sequences), default=0) if maxlen is None else maxlen
    item = next((np.asarray(s).shape[1:] for s in sequences if len(s)), ())
    is_text = np.issubdtype(np.dtype(dtype), np.str_)
    if isinstance(value, str) and np.dtype(dtype) != object and not is_text:
        raise ArgumentError(
            f"pad_sequences: value {value!r} does not fit dtype {dtype}; for strings of any length use dtype=object"
        )
    result = np.full((len(sequences), length, *item), value, dtype=dtype)
    for row, sequence in enumerate(sequences):
        if not len(sequence) or not length:
            continue
        kept = np.asarray(sequence[-length:] if truncating == "pre" else sequence[:length], dtype=dtype)
        if kept.shape[1:] != item:
            raise ShapeError(
                f"pad_sequences: all items must have one shape, received {kept.shape[1:]} at {row}, expected {item}"
            )
        if padding == "pre":
            result[row, -len(kept) :] = kept
        else:
            result[row, : len(kept)] = kept
    return result
