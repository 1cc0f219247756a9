"""What taking rows of a table by their numbers means."""

import numpy as np


def take_rows(x, numbers):
    rows = len(x)
    row = np.where(numbers < 0, numbers + rows, numbers)
    inside = (row >= 0) & (row < rows)
    if not rows:
        return np.full((*numbers.shape, *x.shape[1:]), _outside(x.dtype), x.dtype)
    y = np.asarray(x[np.where(inside, row, 0)])  # one row's only number would be no array
    y[~inside] = _outside(x.dtype)
    return y


def _outside(dtype):
    if dtype.kind in "iu":
        return np.iinfo(dtype).min if dtype.kind == "i" else np.iinfo(dtype).max
    return np.nan if dtype.kind != "b" else True


def add_rows(g, numbers, *, rows):
    rest = g.shape[numbers.ndim :]
    row = np.where(numbers < 0, numbers + rows, numbers).reshape(-1)
    inside = (row >= 0) & (row < rows)
    table = np.zeros((rows, *rest), g.dtype)
    np.add.at(table, row[inside], g.reshape(len(row), *rest)[inside])
    return table
