"""The activation functions, written in ops: they work on traced values and on arrays."""

from __future__ import annotations

from typing import Any

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.utils.arrays import as_float, traceable


@traceable()
def linear(x: Value) -> Value:
    """``x`` itself."""
    return x


@traceable()
def relu(x: Value, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Value:
    """``x`` above ``threshold``, else ``negative_slope * (x - threshold)``; at most ``max_value``.

    Example:
        >>> import numpy as np
        >>> relu(np.array([-1.0, 0.5, 9.0]), max_value=6.0)
        array([0. , 0.5, 6. ], dtype=float32)
    """
    if negative_slope < 0:
        raise ArgumentError(f"relu: negative_slope must not be negative, received {negative_slope!r}")
    if max_value is not None and max_value < 0:
        raise ArgumentError(f"relu: max_value must not be negative, received {max_value!r}")
    x = as_float(x)
    if max_value == 6 and threshold == 0 and negative_slope == 0:
        return ops.relu6(x)
    if threshold == 0:
        y = ops.leaky_relu(x, negative_slope) if negative_slope else ops.relu(x)
    else:
        above = ops.cast(ops.greater(x, threshold), x.dtype)
        y = x * above
        if negative_slope:
            y = y + (x - threshold) * ((1.0 - above) * negative_slope)
    return y if max_value is None else ops.minimum(y, float(max_value))


@traceable()
def relu6(x: Value) -> Value:
    """``min(max(x, 0), 6)``."""
    return ops.relu6(as_float(x))


@traceable()
def leaky_relu(x: Value, negative_slope: float = 0.2) -> Value:
    """``x`` where positive, else ``negative_slope * x``."""
    return ops.leaky_relu(as_float(x), negative_slope)


@traceable()
def elu(x: Value, alpha: float = 1.0) -> Value:
    """``x`` where positive, else ``alpha * (exp(x) - 1)``."""
    return ops.elu(as_float(x), alpha)


@traceable()
def selu(x: Value) -> Value:
    """Scaled elu, whose constants keep mean 0 and variance 1 (Klambauer et al., 2017); use with lecun_normal."""
    return ops.selu(as_float(x))


@traceable()
def gelu(x: Value, approximate: bool = False) -> Value:
    """``x * P(X <= x)`` for a standard normal X; ``approximate`` takes the tanh formula."""
    return ops.gelu(as_float(x), approximate)


@traceable()
def silu(x: Value) -> Value:
    """``x * sigmoid(x)``, also called swish."""
    return ops.silu(as_float(x))


@traceable()
def sigmoid(x: Value) -> Value:
    """``1 / (1 + exp(-x))``."""
    return ops.sigmoid(as_float(x))


@traceable()
def hard_sigmoid(x: Value) -> Value:
    """Straight lines instead of a sigmoid: ``clip(x / 6 + 0.5, 0, 1)``."""
    return ops.hard_sigmoid(as_float(x))


@traceable()
def tanh(x: Value) -> Value:
    """Hyperbolic tangent."""
    return ops.tanh(as_float(x))


@traceable()
def softmax(x: Value, axis: int = -1) -> Value:
    """``exp(x) / sum(exp(x))`` along ``axis``: positive numbers that sum to 1."""
    return ops.softmax(as_float(x), axis)


@traceable()
def softplus(x: Value) -> Value:
    """``log(1 + exp(x))``."""
    return ops.softplus(as_float(x))


@traceable()
def softsign(x: Value) -> Value:
    """``x / (1 + |x|)``."""
    return ops.softsign(as_float(x))


@traceable()
def exponential(x: Value) -> Value:
    """``exp(x)``."""
    return ops.exp(as_float(x))


@traceable()
def step(x: Value) -> Value:
    """The threshold unit of McCulloch and Pitts: 1 where ``x > 0``, else 0.

    Its derivative is 0 everywhere, so nothing below it learns by gradient descent.
    """
    return ops.step(as_float(x))


#: Every activation that a layer can be given by name.
ALL: dict[str, Any] = {
    f.__name__: f
    for f in (
        elu, exponential, gelu, hard_sigmoid, leaky_relu, linear, relu, relu6, selu, sigmoid, silu, softmax, softplus,
        softsign, step, tanh,
    )
}  # fmt: skip
