"""Element-wise arithmetic: one number out for each position of the inputs.

All element-wise ops run in one native kernel, ``elementwise_chain``, which evaluates a whole chain of them tile by
tile while the tile is in the L1 cache; an op alone is a chain of one step.  An op's name is the name of its tile
function in ``csrc/include/pynn/elementwise.def``.  Activations are in ``pynn.ops.activations``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import ShapeError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.trace import as_value


class Elementwise(Op, abstract=True):
    """Base: the result has the shape and dtype of every input."""

    def infer(self, *specs: Spec) -> Spec:
        self.require_float(*specs)
        first = specs[0]
        self.require(all(s == first for s in specs), "inputs of one shape and dtype", *specs)
        return first

    @property
    def immediate(self) -> float:
        """The constant that the tile function takes: the op's first attribute, if it has one."""
        return float(next(iter(self.attributes().values()), 0.0))

    def params(self, node: Node) -> dict[str, Any]:
        from pynn.ops.elementwise_chain import single_step_params

        return single_step_params(node)

    def flops(self, node: Node) -> int:
        return node.outputs[0].size

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("elementwise_chain", self.params, inplace=lambda node: {0: tuple(range(len(node.inputs)))}),)


class Add(Elementwise):
    """``a + b``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return g, g


class Subtract(Elementwise):
    """``a - b``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return g, Negative()(g)


class Multiply(Elementwise):
    """``a * b``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        a, b = inputs
        return Multiply()(g, b), Multiply()(g, a)


class Divide(Elementwise):
    """``a / b``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        b = inputs[1]
        grad_a = Divide()(g, b)
        return grad_a, Negative()(Multiply()(grad_a, y))


class Negative(Elementwise):
    """``-x``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Negative()(g),)


class Maximum(Elementwise):
    """The larger of ``a`` and ``b``; NaN where either is.  Where they are equal each gets half of the gradient."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return _split_between(g, y, *inputs)


class Minimum(Elementwise):
    """The smaller of ``a`` and ``b``; NaN where either is.  Where they are equal each gets half of the gradient."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return _split_between(g, y, *inputs)


def _split_between(g: Value, y: Value, a: Value, b: Value) -> tuple[Value, Value]:
    is_a, is_b = Equal()(a, y), Equal()(b, y)
    share = Divide()(g, Add()(is_a, is_b))
    return Multiply()(share, is_a), Multiply()(share, is_b)


class Power(Elementwise):
    """``a ** b``.  The gradient of the exponent is 0 where ``a <= 0``, where it is not defined."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        a, b = inputs
        one, zero = _like(b, 1.0), _like(b, 0.0)
        # Where b is 0 the result is 1 whatever a is; the formula would give 0 * inf at a = 0.
        slope = Multiply()(b, Power()(a, Subtract()(b, one)))
        grad_a = Multiply()(g, Select()(b, slope, zero))
        positive = Greater()(a, zero)
        log_a = Select()(positive, Log()(Select()(positive, a, one)), zero)
        return grad_a, Multiply()(g, Multiply()(y, log_a))


class Exp(Elementwise):
    """``e ** x``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Multiply()(g, y),)


class Log(Elementwise):
    """Natural logarithm."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Divide()(g, inputs[0]),)


class Log1p(Elementwise):
    """``log(1 + x)``, accurate for small ``x``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Divide()(g, Add()(inputs[0], _like(inputs[0], 1.0))),)


class Sqrt(Elementwise):
    """Square root."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Divide()(g, Add()(y, y)),)


class Rsqrt(Elementwise):
    """``1 / sqrt(x)``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Multiply()(Multiply()(g, _like(y, -0.5)), Multiply()(y, Square()(y))),)


class Square(Elementwise):
    """``x * x``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Multiply()(g, Add()(inputs[0], inputs[0])),)


class Abs(Elementwise):
    """``|x|``; the gradient at 0 is 0."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Multiply()(g, Sign()(inputs[0])),)


class Sign(Elementwise):
    """-1, 0 or 1.  Flat everywhere: no gradient."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (None,)


class Floor(Elementwise):
    """The largest whole number not above ``x``.  Flat: no gradient."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (None,)


class Sin(Elementwise):
    """Sine."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Multiply()(g, Cos()(inputs[0])),)


class Cos(Elementwise):
    """Cosine."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Negative()(Multiply()(g, Sin()(inputs[0]))),)


class Comparison(Elementwise, abstract=True):
    """Base: 1 where the comparison holds, else 0, in the inputs' dtype.  No gradient."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return None, None


class Equal(Comparison):
    """``a == b``."""


class NotEqual(Comparison):
    """``a != b``."""


class Greater(Comparison):
    """``a > b``."""


class GreaterEqual(Comparison):
    """``a >= b``."""


class Less(Comparison):
    """``a < b``."""


class LessEqual(Comparison):
    """``a <= b``."""


class IsNan(Elementwise):
    """1 where ``x`` is not a number, else 0.  No gradient."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (None,)


class Select(Elementwise):
    """``a`` where ``condition`` is not 0, else ``b``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        condition = inputs[0]
        zero = _like(g, 0.0)
        return None, Select()(condition, g, zero), Select()(condition, zero, g)


# ---- functions -----------------------------------------------------------------------------------------------------


def _like(x: Value, number: float) -> Value:
    """``number`` in the shape and dtype of ``x``."""
    from pynn.ops.shape import BroadcastTo

    scalar = as_value(number, x.dtype)
    return BroadcastTo(x.shape)(scalar) if x.shape else scalar


def _float(x: Any, dtype: str = "float32") -> Value:
    v = as_value(x, None if isinstance(x, Value) or not np.isscalar(x) else dtype)
    if v.spec.is_float:
        return v
    from pynn.ops.shape import cast

    return cast(v, dtype)


def _together(name: str, *operands: Any) -> list[Value]:
    """The operands as floats of one shape, broadcast as NumPy does."""
    from pynn.ops.shape import broadcast_to

    dtype = next((x.dtype for x in operands if isinstance(x, Value) and x.spec.is_float), "float32")
    values = [_float(x, dtype) for x in operands]
    try:
        shape = np.broadcast_shapes(*(v.shape for v in values))
    except ValueError:
        came = " and ".join(str(v.spec) for v in values)
        raise ShapeError(
            f"{name}: shapes do not fit together: {came}; sizes must be equal or 1, counted from the last axis"
        ) from None
    return [broadcast_to(v, shape) for v in values]


def add(x1: Any, x2: Any) -> Value:
    """``x1 + x2``, broadcast as in NumPy."""
    return Add()(*_together("add", x1, x2))


def subtract(x1: Any, x2: Any) -> Value:
    """``x1 - x2``, broadcast as in NumPy."""
    return Subtract()(*_together("subtract", x1, x2))


def multiply(x1: Any, x2: Any) -> Value:
    """``x1 * x2``, broadcast as in NumPy."""
    return Multiply()(*_together("multiply", x1, x2))


def divide(x1: Any, x2: Any) -> Value:
    """``x1 / x2``, broadcast as in NumPy."""
    return Divide()(*_together("divide", x1, x2))


def maximum(x1: Any, x2: Any) -> Value:
    """The larger of the two, broadcast as in NumPy."""
    return Maximum()(*_together("maximum", x1, x2))


def minimum(x1: Any, x2: Any) -> Value:
    """The smaller of the two, broadcast as in NumPy."""
    return Minimum()(*_together("minimum", x1, x2))


def power(x1: Any, x2: Any) -> Value:
    """``x1 ** x2``, broadcast as in NumPy."""
    if not isinstance(x2, Value) and np.isscalar(x2) and x2 == 2:
        return square(x1)
    return Power()(*_together("power", x1, x2))


def equal(x1: Any, x2: Any) -> Value:
    """1.0 where ``x1 == x2``, else 0.0."""
    return Equal()(*_together("equal", x1, x2))


def not_equal(x1: Any, x2: Any) -> Value:
    """1.0 where ``x1 != x2``, else 0.0."""
    return NotEqual()(*_together("not_equal", x1, x2))


def greater(x1: Any, x2: Any) -> Value:
    """1.0 where ``x1 > x2``, else 0.0."""
    return Greater()(*_together("greater", x1, x2))


def greater_equal(x1: Any, x2: Any) -> Value:
    """1.0 where ``x1 >= x2``, else 0.0."""
    return GreaterEqual()(*_together("greater_equal", x1, x2))


def less(x1: Any, x2: Any) -> Value:
    """1.0 where ``x1 < x2``, else 0.0."""
    return Less()(*_together("less", x1, x2))


def less_equal(x1: Any, x2: Any) -> Value:
    """1.0 where ``x1 <= x2``, else 0.0."""
    return LessEqual()(*_together("less_equal", x1, x2))


def where(condition: Any, x1: Any, x2: Any) -> Value:
    """``x1`` where ``condition`` is not 0, else ``x2``, broadcast as in NumPy."""
    return Select()(*_together("where", condition, x1, x2))


def clip(x: Any, x_min: Any, x_max: Any) -> Value:
    """``x`` limited to ``[x_min, x_max]``; no gradient flows where it was cut."""
    return minimum(maximum(x, x_min), x_max)


def negative(x: Any) -> Value:
    """``-x``."""
    return Negative()(_float(x))


def exp(x: Any) -> Value:
    """``e ** x``."""
    return Exp()(_float(x))


def log(x: Any) -> Value:
    """Natural logarithm; -inf at 0, NaN below."""
    return Log()(_float(x))


def log1p(x: Any) -> Value:
    """``log(1 + x)``, accurate for small ``x``."""
    return Log1p()(_float(x))


def sqrt(x: Any) -> Value:
    """Square root."""
    return Sqrt()(_float(x))


def rsqrt(x: Any) -> Value:
    """``1 / sqrt(x)``."""
    return Rsqrt()(_float(x))


def square(x: Any) -> Value:
    """``x * x``."""
    return Square()(_float(x))


def absolute(x: Any) -> Value:
    """``|x|``."""
    return Abs()(_float(x))


def sign(x: Any) -> Value:
    """-1, 0 or 1."""
    return Sign()(_float(x))


def floor(x: Any) -> Value:
    """The largest whole number not above ``x``, as a float."""
    return Floor()(_float(x))


def sin(x: Any) -> Value:
    """Sine of ``x`` in radians."""
    return Sin()(_float(x))


def cos(x: Any) -> Value:
    """Cosine of ``x`` in radians."""
    return Cos()(_float(x))


def isnan(x: Any) -> Value:
    """1.0 where ``x`` is not a number, else 0.0."""
    return IsNan()(_float(x))


abs = absolute
