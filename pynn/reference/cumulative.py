"""What running sums and products mean."""

import numpy as np


def cumsum(x, *, axis, reverse):
    if reverse:
        return np.flip(np.cumsum(np.flip(x, axis), axis, dtype=x.dtype), axis)
    return np.cumsum(x, axis, dtype=x.dtype)


def cumprod(x, *, axis):
    return np.cumprod(x, axis, dtype=x.dtype)


def cumprod_grad(g, x, *, axis):
    g, x = np.moveaxis(g, axis, 0), np.moveaxis(x, axis, 0)
    before = np.ones_like(x)
    before[1:] = np.cumprod(x[:-1], 0, dtype=x.dtype)
    s = np.array(g)
    for i in range(len(x) - 2, -1, -1):
        s[i] += x[i + 1] * s[i + 1]
    return np.moveaxis(before * s, 0, axis)
