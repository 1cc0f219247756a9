"""Activation functions and their gradients, element by element.  Softmax is in ``pynn.ops.softmax``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.ops.elementwise import (
    Add,
    Divide,
    Elementwise,
    Exp,
    Multiply,
    Square,
    Subtract,
    _number,
    absolute,
    clip,
    divide,
    maximum,
)
from pynn.ops.operands import _float, _like


class Sigmoid(Elementwise):
    """``1 / (1 + exp(-x))``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (SigmoidGrad()(g, y),)


class SigmoidGrad(Elementwise):
    """Gradient of :class:`Sigmoid` from its result: ``g * y * (1 - y)``."""

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        g0, y0 = inputs
        slope = Subtract()(_like(y0, 1.0), Add()(y0, y0))
        return SigmoidGrad()(g, y0), Multiply()(Multiply()(g, g0), slope)


class Tanh(Elementwise):
    """Hyperbolic tangent."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (TanhGrad()(g, y),)


class TanhGrad(Elementwise):
    """Gradient of :class:`Tanh` from its result: ``g * (1 - y^2)``."""

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        g0, y0 = inputs
        return TanhGrad()(g, y0), Multiply()(Multiply()(g, g0), Multiply()(y0, _like(y0, -2.0)))


class Relu(Elementwise):
    """``max(x, 0)``; NaN stays NaN."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (ReluGrad()(g, y),)


class ReluGrad(Elementwise):
    """Gradient of :class:`Relu` from its result: ``g`` where ``y > 0``, else 0."""

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        return ReluGrad()(g, inputs[1]), None


class Relu6(Elementwise):
    """``min(max(x, 0), 6)``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Relu6Grad()(g, y),)


class Relu6Grad(Elementwise):
    """Gradient of :class:`Relu6` from its result: ``g`` where ``0 < y < 6``, else 0."""

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        return Relu6Grad()(g, inputs[1]), None


@dataclass(frozen=True)
class LeakyRelu(Elementwise):
    """``x`` where positive, else ``negative_slope * x``."""

    negative_slope: float = 0.2

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (LeakyReluGrad(self.negative_slope)(g, inputs[0]),)


@dataclass(frozen=True)
class LeakyReluGrad(Elementwise):
    """Gradient of :class:`LeakyRelu`: ``g`` where ``x > 0``, else ``negative_slope * g``."""

    negative_slope: float = 0.2

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        return LeakyReluGrad(self.negative_slope)(g, inputs[1]), None


@dataclass(frozen=True)
class Elu(Elementwise):
    """``x`` where positive, else ``alpha * (exp(x) - 1)``."""

    alpha: float = 1.0

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (EluGrad(self.alpha)(g, inputs[0]),)


@dataclass(frozen=True)
class EluGrad(Elementwise):
    """Gradient of :class:`Elu`: ``g`` where ``x > 0``, else ``g * alpha * exp(x)``."""

    alpha: float = 1.0

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        from pynn.ops.comparison import Greater, Select

        g0, x = inputs
        zero = _like(x, 0.0)
        curve = Multiply()(Multiply()(g, g0), Multiply()(Exp()(x), _like(x, self.alpha)))
        return EluGrad(self.alpha)(g, x), Select()(Greater()(x, zero), zero, curve)


class Softplus(Elementwise):
    """``log(1 + exp(x))``, without overflow."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Multiply()(g, Sigmoid()(inputs[0])),)


class Erf(Elementwise):
    """The error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t^2)`` from 0 to ``x``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        x = inputs[0]
        bell = Exp()(Multiply()(Square()(x), _like(x, -1.0)))
        return (Multiply()(Multiply()(g, bell), _like(x, 2.0 / math.sqrt(math.pi))),)


class Step(Elementwise):
    """1 where ``x > 0``, else 0: the threshold unit.  Flat everywhere: no gradient."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (None,)


# ---- functions -----------------------------------------------------------------------------------------------------


def sigmoid(x: Any) -> Value:
    """``1 / (1 + exp(-x))``.

    Example:
        >>> from pynn import ops
        >>> ops.sigmoid([0.0, 2.0]).round(4)
        array([0.5   , 0.8808], dtype=float32)
    """
    return Sigmoid()(_float(x))


def tanh(x: Any) -> Value:
    """Hyperbolic tangent.

    Example:
        >>> from pynn import ops
        >>> ops.tanh([0.0, 1.0]).round(4)
        array([0.    , 0.7616], dtype=float32)
    """
    return Tanh()(_float(x))


def relu(x: Any) -> Value:
    """``max(x, 0)``; whole numbers stay whole.

    Example:
        >>> from pynn import ops
        >>> ops.relu([-1.0, 2.0]).round(4)
        array([0., 2.], dtype=float32)
    """
    v = as_value(x)
    return Relu()(v) if v.spec.is_float else maximum(_number(v), 0)


def relu6(x: Any) -> Value:
    """``min(max(x, 0), 6)``.

    Example:
        >>> from pynn import ops
        >>> ops.relu6([3.0, 8.0]).round(4)
        array([3., 6.], dtype=float32)
    """
    return Relu6()(_float(x))


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Value:
    """``x`` where positive, else ``negative_slope * x``.

    Example:
        >>> from pynn import ops
        >>> ops.leaky_relu([-1.0, 2.0]).round(4)
        array([-0.2,  2. ], dtype=float32)
    """
    return LeakyRelu(float(negative_slope))(_float(x))


def elu(x: Any, alpha: float = 1.0) -> Value:
    """``x`` where positive, else ``alpha * (exp(x) - 1)``.

    Example:
        >>> from pynn import ops
        >>> ops.elu([-1.0, 2.0]).round(4)
        array([-0.6321,  2.    ], dtype=float32)
    """
    return Elu(float(alpha))(_float(x))


def selu(x: Any) -> Value:
    """Scaled ELU that keeps mean 0 and variance 1 (Klambauer et al., 2017).

    Example:
        >>> from pynn import ops
        >>> ops.selu([-1.0, 1.0]).round(4)
        array([-1.1113,  1.0507], dtype=float32)
    """
    return elu(x, 1.6732632423543772) * 1.0507009873554805


def gelu(x: Any, approximate: bool = True) -> Value:
    """``x * P(X <= x)`` for a standard normal X; by ``tanh`` if ``approximate``, else by ``erf``.

    Example:
        >>> from pynn import ops
        >>> ops.gelu([-1.0, 1.0]).round(4)
        array([-0.1588,  0.8412], dtype=float32)
    """
    x = _float(x)
    if approximate:
        inner = (x + x * Square()(x) * 0.044715) * math.sqrt(2.0 / math.pi)
        return x * (Tanh()(inner) + 1.0) * 0.5
    return x * (Erf()(x * math.sqrt(0.5)) + 1.0) * 0.5


def silu(x: Any) -> Value:
    """``x * sigmoid(x)``.

    Example:
        >>> from pynn import ops
        >>> ops.silu([-1.0, 1.0]).round(4)
        array([-0.2689,  0.7311], dtype=float32)
    """
    x = _float(x)
    return Multiply()(x, Sigmoid()(x))


def softplus(x: Any) -> Value:
    """``log(1 + exp(x))``.

    Example:
        >>> from pynn import ops
        >>> ops.softplus([0.0, 2.0]).round(4)
        array([0.6931, 2.1269], dtype=float32)
    """
    return Softplus()(_float(x))


def softsign(x: Any) -> Value:
    """``x / (1 + |x|)``.

    Example:
        >>> from pynn import ops
        >>> ops.softsign([-1.0, 3.0]).round(4)
        array([-0.5 ,  0.75], dtype=float32)
    """
    x = _float(x)
    return divide(x, absolute(x) + 1.0)


def hard_sigmoid(x: Any) -> Value:
    """``clip(x / 6 + 1/2, 0, 1)``.

    Example:
        >>> from pynn import ops
        >>> ops.hard_sigmoid([-4.0, 1.0]).round(4)
        array([0.    , 0.6667], dtype=float32)
    """
    x = _float(x)
    return clip(Divide()(x, _like(x, 6.0)) + 0.5, 0.0, 1.0)


def erf(x: Any) -> Value:
    """The error function.

    Example:
        >>> from pynn import ops
        >>> ops.erf([0.0, 1.0]).round(4)
        array([0.    , 0.8427], dtype=float32)
    """
    return Erf()(_float(x))


def step(x: Any) -> Value:
    """1 where ``x > 0``, else 0."""
    return Step()(_float(x))
