"""What order means."""

import numpy as np


def argsort(x, *, descending):
    if not descending:
        return np.argsort(x, -1, kind="stable").astype(np.int32)
    # Backwards, so that the first of equal numbers stays the first.
    n = x.shape[-1]
    return (n - 1 - np.argsort(x[..., ::-1], -1, kind="stable"))[..., ::-1].astype(np.int32)


def search_sorted(row, x, *, side):
    return np.searchsorted(row, x, side).astype(np.int32)
