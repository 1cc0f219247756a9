"""What ``_batching.pyx`` computes, in plain NumPy: the definition that tests compare it with."""

from __future__ import annotations

import numpy as np


def gather(
    source: np.ndarray,
    order: np.ndarray | None,
    first: int,
    rows: int,
    dtype: str,
    one_hot: int | None = None,
) -> np.ndarray:
    """Rows ``order[first : first + rows]`` of ``source``, as ``dtype``.

    Args:
        source: (n, ...).
        order: row numbers; None: 0, 1, 2, ...
        first: position of the batch's first row in ``order``.
        rows: number of rows in the batch.
        dtype: of the result; numbers keep their value, nothing is scaled.
        one_hot: number of classes; the labels in ``source`` then become rows with a single one.

    Returns:
        (rows, ...), or (rows, one_hot).
    """
    wanted = slice(first, first + rows) if order is None else order[first : first + rows]
    batch = source[wanted]
    if one_hot is not None:
        batch = batch.reshape(rows, 1) == np.arange(one_hot)
    return batch.astype(dtype)
