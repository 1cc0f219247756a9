"""What batch normalization means: one NumPy function each, any float dtype; channels are the last axis."""

import numpy as np


def batch_norm(x, gamma, beta, residual_input=None, *, epsilon, activation="linear", residual=False):
    axes = tuple(range(x.ndim - 1))
    mean, variance = x.mean(axis=axes), x.var(axis=axes)
    y = batch_norm_inference(x, gamma, beta, mean, variance, epsilon)
    return _activated(y + residual_input if residual else y, activation), mean, variance


def batch_norm_grad(g, x, gamma, mean, variance, masked_by=None, *, epsilon, activation="linear", residual=False):
    if activation != "linear":
        y = masked_by if residual else batch_norm_inference(x, gamma, masked_by, mean, variance, epsilon)
        g = np.where((y > 0) & (y < _HIGHEST[activation]), g, 0)
    axes = tuple(range(x.ndim - 1))
    r = 1 / np.sqrt(variance + epsilon)
    normal = (x - mean) * r
    dgamma, dbeta = (g * normal).sum(axis=axes), g.sum(axis=axes)
    count = x.size // x.shape[-1]
    dx = gamma * r * (g - dbeta / count - normal * (dgamma / count))
    return (dx, dgamma, dbeta, g) if residual else (dx, dgamma, dbeta)


def batch_norm_inference(x, gamma, beta, mean, variance, epsilon):
    return (x - mean) * (gamma / np.sqrt(variance + epsilon)) + beta


_HIGHEST = {"relu": np.inf, "relu6": 6}


def _activated(y, activation):
    return y if activation == "linear" else np.minimum(np.maximum(y, 0), _HIGHEST[activation])
