"""What moving, repeating and reinterpreting numbers means."""

import numpy as np


def reshape(x, *, shape):
    return np.reshape(x, shape)


def stop_gradient(x):
    return x


def transpose(x, *, perm):
    return np.transpose(x, perm)


def broadcast_to(x, *, shape):
    return np.broadcast_to(x, shape)


def cast(x, *, dtype):
    return x.astype(dtype)


def one_hot(x, *, depth, dtype):
    return (x[..., None] == np.arange(depth)).astype(dtype)
