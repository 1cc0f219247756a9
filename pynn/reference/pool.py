"""What the pooling ops mean: one window at a time, all images and channels at once."""

import numpy as np


def _windows(x_shape, pool, strides, padding):
    """For each position (i, j) of the window: the slices of rows and columns that lie inside the image."""
    positions = [(x_shape[1 + d] + sum(padding[d]) - pool[d]) // strides[d] + 1 for d in (0, 1)]
    for i in range(positions[0]):
        for j in range(positions[1]):
            starts = [at * strides[d] - padding[d][0] for d, at in enumerate((i, j))]
            rows, columns = (slice(max(start, 0), start + pool[d]) for d, start in enumerate(starts))
            yield i, j, rows, columns


def _result(x, pool, strides, padding):
    positions = [(x.shape[1 + d] + sum(padding[d]) - pool[d]) // strides[d] + 1 for d in (0, 1)]
    return np.empty((x.shape[0], *positions, x.shape[3]), x.dtype)


def max_pool2d(x, *, pool, strides, padding):
    y = _result(x, pool, strides, padding)
    for i, j, rows, columns in _windows(x.shape, pool, strides, padding):
        y[:, i, j] = x[:, rows, columns].max(axis=(1, 2))
    return y


def max_pool2d_grad(g, x, y, *, pool, strides, padding):
    n, _, _, c = x.shape
    dx = np.zeros_like(x)
    for i, j, rows, columns in _windows(x.shape, pool, strides, padding):
        window = x[:, rows, columns]
        hits = (window == y[:, i : i + 1, j : j + 1]).reshape(n, window.shape[1] * window.shape[2], c)
        first = np.arange(hits.shape[1])[:, None] == hits.argmax(axis=1)[:, None]
        dx[:, rows, columns] += np.where(first & hits, g[:, i, j][:, None], 0).reshape(window.shape)
    return dx


def average_pool2d(x, *, pool, strides, padding):
    y = _result(x, pool, strides, padding)
    for i, j, rows, columns in _windows(x.shape, pool, strides, padding):
        y[:, i, j] = x[:, rows, columns].mean(axis=(1, 2))
    return y


def average_pool2d_grad(g, *, pool, strides, padding, input_shape):
    dx = np.zeros(input_shape, g.dtype)
    for i, j, rows, columns in _windows(input_shape, pool, strides, padding):
        window = dx[:, rows, columns]
        window += (g[:, i, j] / (window.shape[1] * window.shape[2]))[:, None, None]
    return dx
