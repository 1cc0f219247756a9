"""What batch normalization means: one NumPy function each, any float dtype; channels are the last axis."""

import numpy as np


def batch_norm(x, gamma, beta, epsilon):
    axes = tuple(range(x.ndim - 1))
    mean, variance = x.mean(axis=axes), x.var(axis=axes)
    return batch_norm_inference(x, gamma, beta, mean, variance, epsilon), mean, variance


def batch_norm_grad(g, x, gamma, mean, variance, epsilon):
    axes = tuple(range(x.ndim - 1))
    r = 1 / np.sqrt(variance + epsilon)
    normal = (x - mean) * r
    dgamma, dbeta = (g * normal).sum(axis=axes), g.sum(axis=axes)
    count = x.size // x.shape[-1]
    return gamma * r * (g - dbeta / count - normal * (dgamma / count)), dgamma, dbeta


def batch_norm_inference(x, gamma, beta, mean, variance, epsilon):
    return (x - mean) * (gamma / np.sqrt(variance + epsilon)) + beta
