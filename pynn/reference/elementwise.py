"""What the element-wise ops mean: one NumPy function each, any float dtype."""

import numpy as np


def add(a, b):
    return a + b


def subtract(a, b):
    return a - b


def multiply(a, b):
    return a * b


def divide(a, b):
    return a / b


def negative(x):
    return -x


def maximum(a, b):
    return np.maximum(a, b)


def minimum(a, b):
    return np.minimum(a, b)


def power(a, b):
    return np.power(a, b)


def floor_divide(a, b):
    return np.floor_divide(a, b)


def mod(a, b):
    return np.mod(a, b)


def exp(x):
    return np.exp(x)


def log(x):
    return np.log(x)


def log1p(x):
    return np.log1p(x)


def sqrt(x):
    return np.sqrt(x)


def rsqrt(x):
    return 1 / np.sqrt(x)


def square(x):
    return x * x


def abs(x):
    return np.abs(x)


def sign(x):
    return np.sign(x)


def floor(x):
    return np.floor(x)


def sin(x):
    return np.sin(x)


def cos(x):
    return np.cos(x)


def equal(a, b):
    return (a == b).astype(a.dtype)


def not_equal(a, b):
    return (a != b).astype(a.dtype)


def greater(a, b):
    return (a > b).astype(a.dtype)


def greater_equal(a, b):
    return (a >= b).astype(a.dtype)


def less(a, b):
    return (a < b).astype(a.dtype)


def less_equal(a, b):
    return (a <= b).astype(a.dtype)


def is_nan(x):
    return np.isnan(x).astype(x.dtype)


def select(condition, a, b):
    return np.where(condition != 0, a, b)
