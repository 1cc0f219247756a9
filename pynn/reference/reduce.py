"""What sums, maxima and their like mean."""

import numpy as np


def _axes(axis, count):
    return tuple(range(axis, axis + count))


def sum(x, *, axis, count):
    return x.sum(_axes(axis, count), dtype=x.dtype)


def max(x, *, axis, count):
    return x.max(_axes(axis, count), initial=_limits(x.dtype)[0])


def min(x, *, axis, count):
    return x.min(_axes(axis, count), initial=_limits(x.dtype)[1])


def _limits(dtype):
    """The smallest and the largest number: what is left where there is none."""
    if dtype.kind == "b":
        return False, True
    return (np.iinfo(dtype).min, np.iinfo(dtype).max) if dtype.kind in "iu" else (-np.inf, np.inf)


def argmax(x):
    return np.argmax(x, -1).astype(np.int32)
