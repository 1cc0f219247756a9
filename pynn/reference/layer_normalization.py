"""What layer and RMS normalization mean, in NumPy and for any float dtype; the last ``axes`` axes are features."""

import numpy as np


def layer_norm(x, gamma, beta, epsilon, axes=1):
    over = _features(axes)
    mean = x.mean(axis=over, keepdims=True)
    rstd = 1 / np.sqrt(x.var(axis=over, keepdims=True) + epsilon)
    return (x - mean) * rstd * gamma + beta, mean.squeeze(over), rstd.squeeze(over)


def layer_norm_grad(g, x, gamma, mean, rstd, epsilon, axes=1):
    over = _features(axes)
    mean, rstd = np.expand_dims(mean, over), np.expand_dims(rstd, over)
    z, h = (x - mean) * rstd, g * gamma
    dx = rstd * (h - h.mean(axis=over, keepdims=True) - z * (h * z).mean(axis=over, keepdims=True))
    positions = tuple(range(x.ndim - axes))
    return dx, (g * z).sum(axis=positions), g.sum(axis=positions)


def rms_norm(x, scale, epsilon, axes=1):
    over = _features(axes)
    rstd = 1 / np.sqrt((x * x).mean(axis=over, keepdims=True) + epsilon)
    return x * rstd * scale, rstd.squeeze(over)


def rms_norm_grad(g, x, scale, rstd, epsilon, axes=1):
    over = _features(axes)
    rstd = np.expand_dims(rstd, over)
    z, h = x * rstd, g * scale
    dx = rstd * (h - z * (h * z).mean(axis=over, keepdims=True))
    return dx, (g * z).sum(axis=tuple(range(x.ndim - axes)))


def _features(axes):
    return tuple(range(-axes, 0))
