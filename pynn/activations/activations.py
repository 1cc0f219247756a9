"""The activation functions, written in ops: they work on traced values and on arrays."""

from __future__ import annotations

from typing import Any

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.utils.arrays import as_float, traceable


@traceable()
def linear(x: Value) -> Value:
    """``x`` itself.

    Example:
        >>> from pynn import activations
        >>> activations.linear([-1.0, 2.0]).round(3)
        array([-1.,  2.], dtype=float32)
    """
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
    """``min(max(x, 0), 6)``.

    Example:
        >>> from pynn import activations
        >>> activations.relu6([-1.0, 3.0, 8.0]).round(3)
        array([0., 3., 6.], dtype=float32)
    """
    return ops.relu6(as_float(x))


@traceable()
def leaky_relu(x: Value, negative_slope: float = 0.2) -> Value:
    """``x`` where positive, else ``negative_slope * x``.

    Example:
        >>> from pynn import activations
        >>> activations.leaky_relu([-1.0, 2.0]).round(3)
        array([-0.2,  2. ], dtype=float32)
    """
    return ops.leaky_relu(as_float(x), negative_slope)


@traceable()
def elu(x: Value, alpha: float = 1.0) -> Value:
    """``x`` where positive, else ``alpha * (exp(x) - 1)``.

    Example:
        >>> from pynn import activations
        >>> activations.elu([-1.0, 0.0, 2.0]).round(3)
        array([-0.632,  0.   ,  2.   ], dtype=float32)
    """
    return ops.elu(as_float(x), alpha)


@traceable()
def selu(x: Value) -> Value:
    """Scaled elu, whose constants keep mean 0 and variance 1 (Klambauer et al., 2017); use with lecun_normal.

    Example:
        >>> from pynn import activations
        >>> activations.selu([-1.0, 0.0, 1.0]).round(3)
        array([-1.111,  0.   ,  1.051], dtype=float32)
    """
    return ops.selu(as_float(x))


@traceable()
def gelu(x: Value, approximate: bool = False) -> Value:
    """``x * P(X <= x)`` for a standard normal X; ``approximate`` takes the tanh formula.

    Example:
        >>> from pynn import activations
        >>> activations.gelu([-1.0, 0.0, 1.0]).round(3)
        array([-0.159,  0.   ,  0.841], dtype=float32)
    """
    return ops.gelu(as_float(x), approximate)


@traceable()
def silu(x: Value) -> Value:
    """``x * sigmoid(x)``, also called swish.

    Example:
        >>> from pynn import activations
        >>> activations.silu([-1.0, 0.0, 1.0]).round(3)
        array([-0.269,  0.   ,  0.731], dtype=float32)
    """
    return ops.silu(as_float(x))


@traceable()
def sigmoid(x: Value) -> Value:
    """``1 / (1 + exp(-x))``.

    Example:
        >>> from pynn import activations
        >>> activations.sigmoid([-2.0, 0.0, 2.0]).round(3)
        array([0.119, 0.5  , 0.881], dtype=float32)
    """
    return ops.sigmoid(as_float(x))


@traceable()
def hard_sigmoid(x: Value) -> Value:
    """Straight lines instead of a sigmoid: ``clip(x / 6 + 0.5, 0, 1)``.

    Example:
        >>> from pynn import activations
        >>> activations.hard_sigmoid([-4.0, 0.0, 1.0]).round(3)
        array([0.   , 0.5  , 0.667], dtype=float32)
    """
    return ops.hard_sigmoid(as_float(x))


@traceable()
def tanh(x: Value) -> Value:
    """Hyperbolic tangent.

    Example:
        >>> from pynn import activations
        >>> activations.tanh([-1.0, 0.0, 1.0]).round(3)
        array([-0.762,  0.   ,  0.762], dtype=float32)
    """
    return ops.tanh(as_float(x))


@traceable()
def softmax(x: Value, axis: int = -1) -> Value:
    """``exp(x) / sum(exp(x))`` along ``axis``: positive numbers that sum to 1.

    Example:
        >>> from pynn import activations
        >>> activations.softmax([[1.0, 1.0, 2.0]]).round(3)
        array([[0.212, 0.212, 0.576]], dtype=float32)
    """
    return ops.softmax(as_float(x), axis)


@traceable()
def softplus(x: Value) -> Value:
    """``log(1 + exp(x))``.

    Example:
        >>> from pynn import activations
        >>> activations.softplus([-2.0, 0.0, 2.0]).round(3)
        array([0.127, 0.693, 2.127], dtype=float32)
    """
    return ops.softplus(as_float(x))


@traceable()
def softsign(x: Value) -> Value:
    """``x / (1 + |x|)``.

    Example:
        >>> from pynn import activations
        >>> activations.softsign([-1.0, 0.0, 3.0]).round(3)
        array([-0.5 ,  0.  ,  0.75], dtype=float32)
    """
    return ops.softsign(as_float(x))


@traceable()
def exponential(x: Value) -> Value:
    """``exp(x)``.

    Example:
        >>> from pynn import activations
        >>> activations.exponential([0.0, 1.0]).round(3)
        array([1.   , 2.718], dtype=float32)
    """
    return ops.exp(as_float(x))


@traceable()
def step(x: Value) -> Value:
    """The threshold unit of McCulloch and Pitts: 1 where ``x > 0``, else 0.

    Its derivative is 0 everywhere, so nothing below it learns by gradient descent.

    Example:
        >>> from pynn import activations
        >>> activations.step([-1.0, 0.0, 2.0]).round(3)
        array([0., 0., 1.], dtype=float32)
    """
    return ops.step(as_float(x))


@traceable()
def celu(x: Value, alpha: float = 1.0) -> Value:
    """``max(x, 0) + min(0, alpha * (e^(x / alpha) - 1))`` (Barron, 2017).

    Example:
        >>> from pynn import activations
        >>> activations.celu([-1.0, 0.0, 2.0]).round(3)
        array([-0.632,  0.   ,  2.   ], dtype=float32)
    """
    return ops.celu(as_float(x), alpha)


@traceable()
def glu(x: Value, axis: int = -1) -> Value:
    """One half of ``x`` along ``axis`` times the sigmoid of the other (Dauphin et al., 2017).

    Example:
        >>> from pynn import activations
        >>> activations.glu([2.0, 0.0]).round(3)
        array([1.], dtype=float32)
    """
    return ops.glu(as_float(x), axis)


@traceable()
def hard_shrink(x: Value, threshold: float = 0.5) -> Value:
    """``x`` where ``|x| > threshold``, else 0.

    Example:
        >>> from pynn import activations
        >>> activations.hard_shrink([-1.0, 0.3, 2.0]).round(3)
        array([-1.,  0.,  2.], dtype=float32)
    """
    return ops.hard_shrink(as_float(x), threshold)


@traceable()
def hard_silu(x: Value) -> Value:
    """``x * relu6(x + 3) / 6``, also called hard_swish.

    Example:
        >>> from pynn import activations
        >>> activations.hard_silu([-4.0, 0.0, 1.0]).round(3)
        array([-0.   ,  0.   ,  0.667], dtype=float32)
    """
    return ops.hard_silu(as_float(x))


@traceable()
def hard_tanh(x: Value) -> Value:
    """``x`` limited to -1 .. 1.

    Example:
        >>> from pynn import activations
        >>> activations.hard_tanh([-4.0, 0.5, 4.0]).round(3)
        array([-1. ,  0.5,  1. ], dtype=float32)
    """
    return ops.hard_tanh(as_float(x))


@traceable()
def log_sigmoid(x: Value) -> Value:
    """``log(sigmoid(x))``, without taking the logarithm of a small number.

    Example:
        >>> from pynn import activations
        >>> activations.log_sigmoid([0.0, 4.0]).round(3)
        array([-0.693, -0.018], dtype=float32)
    """
    return ops.log_sigmoid(as_float(x))


@traceable()
def log_softmax(x: Value, axis: int = -1) -> Value:
    """``log(softmax(x))`` along ``axis``, without taking the logarithm of a small number.

    Example:
        >>> from pynn import activations
        >>> activations.log_softmax([[0.0, 0.0]]).round(3)
        array([[-0.693, -0.693]], dtype=float32)
    """
    return ops.log_softmax(as_float(x), axis)


@traceable()
def soft_shrink(x: Value, threshold: float = 0.5) -> Value:
    """``x`` moved towards 0 by ``threshold``, and 0 within it.

    Example:
        >>> from pynn import activations
        >>> activations.soft_shrink([-1.0, 0.3, 2.0]).round(3)
        array([-0.5,  0. ,  1.5], dtype=float32)
    """
    return ops.soft_shrink(as_float(x), threshold)


@traceable()
def sparse_plus(x: Value) -> Value:
    """0 up to -1, ``x`` from 1 on, ``(x + 1)^2 / 4`` between.

    Example:
        >>> from pynn import activations
        >>> activations.sparse_plus([-2.0, 0.0, 2.0]).round(3)
        array([0.  , 0.25, 2.  ], dtype=float32)
    """
    return ops.sparse_plus(as_float(x))


@traceable()
def sparse_sigmoid(x: Value) -> Value:
    """0 up to -1, 1 from 1 on, ``(x + 1) / 2`` between.

    Example:
        >>> from pynn import activations
        >>> activations.sparse_sigmoid([-2.0, 0.0, 2.0]).round(3)
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return ops.sparse_sigmoid(as_float(x))


@traceable()
def sparsemax(x: Value, axis: int = -1) -> Value:
    """The point of the simplex nearest to ``x`` along ``axis`` (Martins and Astudillo, 2016).

    Example:
        >>> from pynn import activations
        >>> activations.sparsemax([[1.0, 1.5, 0.0]]).round(3)
        array([[0.25, 0.75, 0.  ]], dtype=float32)
    """
    return ops.sparsemax(as_float(x), axis)


@traceable()
def squareplus(x: Value, b: float = 4) -> Value:
    """``(x + sqrt(x^2 + b)) / 2`` (Barron, 2021).

    Example:
        >>> from pynn import activations
        >>> activations.squareplus([-2.0, 0.0, 2.0]).round(3)
        array([0.414, 1.   , 2.414], dtype=float32)
    """
    return ops.squareplus(as_float(x), b)


@traceable()
def tanh_shrink(x: Value) -> Value:
    """``x - tanh(x)``.

    Example:
        >>> from pynn import activations
        >>> activations.tanh_shrink([-1.0, 0.0, 1.0]).round(3)
        array([-0.238,  0.   ,  0.238], dtype=float32)
    """
    return ops.tanh_shrink(as_float(x))


@traceable()
def threshold(x: Value, threshold: float, default_value: float) -> Value:
    """``x`` where it is above ``threshold``, else ``default_value``.

    Example:
        >>> from pynn import activations
        >>> activations.threshold([0.5, 2.0], threshold=1.0, default_value=0.0)
        array([0., 2.], dtype=float32)
    """
    return ops.threshold(as_float(x), threshold, default_value)


@traceable()
def mish(x: Value) -> Value:
    """``x * tanh(softplus(x))`` (Misra, 2019).

    Example:
        >>> from pynn import activations
        >>> activations.mish([-1.0, 0.0, 1.0]).round(3)
        array([-0.303,  0.   ,  0.865], dtype=float32)
    """
    x = as_float(x)
    return x * ops.tanh(ops.softplus(x))


#: Every activation that a layer can be given by name.
ALL: dict[str, Any] = {
    f.__name__: f
    for f in (
        celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, linear,
        log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign,
        sparse_plus, sparse_sigmoid, sparsemax, squareplus, step, tanh, tanh_shrink, threshold,
    )
}  # fmt: skip
