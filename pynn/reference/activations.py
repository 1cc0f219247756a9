"""What the activations and their gradients mean."""

import math

import numpy as np


def sigmoid(x):
    # Each branch only where its exponential cannot overflow.
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def sigmoid_grad(g, y):
    return g * y * (1 - y)


def tanh(x):
    return np.tanh(x)


def tanh_grad(g, y):
    return g * (1 - y * y)


def relu(x):
    return np.maximum(x, 0)


def relu_grad(g, y):
    return np.where(y > 0, g, np.zeros_like(g))


def relu6(x):
    return np.minimum(np.maximum(x, 0), 6)


def relu6_grad(g, y):
    return np.where((y > 0) & (y < 6), g, np.zeros_like(g))


def leaky_relu(x, *, negative_slope):
    return np.where(x > 0, x, negative_slope * x)


def leaky_relu_grad(g, x, *, negative_slope):
    return np.where(x > 0, g, negative_slope * g)


def elu(x, *, alpha):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elu_grad(g, x, *, alpha):
    return np.where(x > 0, g, g * alpha * np.exp(np.minimum(x, 0)))


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def erf(x):
    return np.vectorize(math.erf, otypes=[x.dtype])(x)


def step(x):
    return (x > 0).astype(x.dtype)
