"""What reading from and writing to computed places means."""

import numpy as np

from pynn.reference.embedding import _outside


def _places(numbers, length):
    row = np.where(numbers < 0, numbers + length, numbers)
    return row, (row >= 0) & (row < length)


def take_along_axis(x, numbers, *, axis):
    row, inside = _places(numbers, x.shape[axis])
    if not x.shape[axis]:
        return np.full(numbers.shape, np.asarray(_outside(x.dtype)).astype(x.dtype))
    y = np.take_along_axis(x, np.where(inside, row, 0).astype("int64"), axis)
    return np.where(inside, y, np.asarray(_outside(x.dtype)).astype(x.dtype))


def add_along_axis(g, numbers, *, axis, length):
    row, inside = _places(numbers, length)
    y = np.zeros((*g.shape[:axis], length, *g.shape[axis + 1 :]), g.dtype)
    where = list(np.ogrid[tuple(slice(n) for n in g.shape)])
    where[axis] = np.where(inside, row, 0)
    np.add.at(y, tuple(where), np.where(inside, g, 0))
    return y


_COMBINE = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


def scatter_rows(x, numbers, updates, *, reduction):
    row, inside = _places(numbers, len(x))
    y = x.copy()
    if reduction == "set":
        y[row[inside]] = updates[inside]
    else:
        _COMBINE[reduction].at(y, row[inside], updates[inside])
    return y


def segment_reduce(x, numbers, *, kind, rows):
    low, high = (-np.inf, np.inf) if x.dtype.kind == "f" else (np.iinfo(x.dtype).min, np.iinfo(x.dtype).max)
    start = {"prod": 1, "max": low, "min": high}[kind]
    y = np.full((rows, *x.shape[1:]), start, x.dtype)
    inside = (numbers >= 0) & (numbers < rows)
    {**_COMBINE, "prod": np.multiply}[kind].at(y, numbers[inside], x[inside])
    return y
