"""Element-wise arithmetic: one number out for each position of the inputs.

All element-wise ops run in one native kernel, ``elementwise_chain``, which evaluates a whole chain of them tile by
tile while the tile is in the L1 cache; an op alone is a chain of one step.  An op's name is the name of its tile
function in ``csrc/include/pynn/elementwise.def``.  Activations and comparisons have files of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.trace import as_value
from pynn.ops.operands import _as, _float, _like, _together, common_dtype, dtype_of


class Elementwise(Op, abstract=True):
    """Base: the result has the shape and dtype of every input."""

    float32_kernels: ClassVar[bool] = True

    def infer(self, *specs: Spec) -> Spec:
        self.require_float(*specs)
        return self._one_spec(*specs)

    def _one_spec(self, *specs: Spec) -> Spec:
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


class Numeric(Elementwise, abstract=True):
    """Base: works on whole numbers and truth values, too, by NumPy."""

    def infer(self, *specs: Spec) -> Spec:
        return self._one_spec(*specs)


class NumpyElementwise(Elementwise, abstract=True):
    """Base: floats without a tile function in ``elementwise.def``, by NumPy inside the program."""

    def candidates(self) -> Sequence[Candidate]:
        return ()


class Add(Numeric):
    """``a + b``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return g, g


class Subtract(Numeric):
    """``a - b``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return g, Negative()(g)


class Multiply(Numeric):
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


class Negative(Numeric):
    """``-x``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Negative()(g),)


class Maximum(Numeric):
    """The larger of ``a`` and ``b``; NaN where either is.  Where they are equal each gets half of the gradient."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return _split_between(g, y, *inputs)


class Minimum(Numeric):
    """The smaller of ``a`` and ``b``; NaN where either is.  Where they are equal each gets half of the gradient."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return _split_between(g, y, *inputs)


def _split_between(g: Value, y: Value, a: Value, b: Value) -> tuple[Value, Value]:
    from pynn.ops.comparison import Equal

    is_a, is_b = Equal()(a, y), Equal()(b, y)
    share = Divide()(g, Add()(is_a, is_b))
    return Multiply()(share, is_a), Multiply()(share, is_b)


class Power(Numeric):
    """``a ** b``.  The gradient of the exponent is 0 where ``a <= 0``, where it is not defined."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        from pynn.ops.comparison import Greater, Select

        a, b = inputs
        one, zero = _like(b, 1.0), _like(b, 0.0)
        # Where b is 0 the result is 1 whatever a is; the formula would give 0 * inf at a = 0.
        slope = Multiply()(b, Power()(a, Subtract()(b, one)))
        grad_a = Multiply()(g, Select()(b, slope, zero))
        positive = Greater()(a, zero)
        log_a = Select()(positive, Log()(Select()(positive, a, one)), zero)
        return grad_a, Multiply()(g, Multiply()(y, log_a))


class FloorDivide(Numeric, NumpyElementwise):
    """The largest whole number not above ``a / b``.  Flat: no gradient."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return None, None


class Mod(Numeric, NumpyElementwise):
    """``a - floor(a / b) * b``: what is left, with the sign of ``b``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return g, Negative()(Multiply()(g, FloorDivide()(*inputs)))


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


class Square(Numeric):
    """``x * x``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Multiply()(g, Add()(inputs[0], inputs[0])),)


class Abs(Numeric):
    """``|x|``; the gradient at 0 is 0."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Multiply()(g, Sign()(inputs[0])),)


class Sign(Numeric):
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


# ---- functions -----------------------------------------------------------------------------------------------------


def add(x1: Any, x2: Any) -> Value:
    """``x1 + x2``, broadcast as in NumPy.

    Example:
        >>> from pynn import ops
        >>> ops.add([1.0, 2.0], 10.0).round(4)
        array([11., 12.], dtype=float32)
    """
    return Add()(*_together("add", x1, x2))


def subtract(x1: Any, x2: Any) -> Value:
    """``x1 - x2``, broadcast as in NumPy.

    Example:
        >>> from pynn import ops
        >>> ops.subtract([1.0, 2.0], 10.0).round(4)
        array([-9., -8.], dtype=float32)
    """
    return Subtract()(*_together("subtract", x1, x2, least="int32"))


def multiply(x1: Any, x2: Any) -> Value:
    """``x1 * x2``, broadcast as in NumPy.

    Example:
        >>> from pynn import ops
        >>> ops.multiply([1.0, 2.0], 10.0).round(4)
        array([10., 20.], dtype=float32)
    """
    return Multiply()(*_together("multiply", x1, x2))


def divide(x1: Any, x2: Any) -> Value:
    """``x1 / x2``, broadcast as in NumPy; a float, of whole numbers, too.

    Example:
        >>> from pynn import ops
        >>> ops.divide([1.0, 2.0], 4.0).round(4)
        array([0.25, 0.5 ], dtype=float32)
    """
    return Divide()(*_together("divide", x1, x2, floating=True))


def floor_divide(x1: Any, x2: Any) -> Value:
    """The largest whole number not above ``x1 / x2``, broadcast as in NumPy.  No gradient.

    Example:
        >>> from pynn import ops
        >>> ops.floor_divide([7.0, -7.0], 2.0).round(4)
        array([ 3., -4.], dtype=float32)
    """
    return FloorDivide()(*_together("floor_divide", x1, x2, least="int32"))


def mod(x1: Any, x2: Any) -> Value:
    """What :func:`floor_divide` leaves, with the sign of ``x2``.

    Example:
        >>> from pynn import ops
        >>> ops.mod([5, -5], 3)
        array([2, 1], dtype=int32)
    """
    return Mod()(*_together("mod", x1, x2, least="int32"))


def maximum(x1: Any, x2: Any) -> Value:
    """The larger of the two, broadcast as in NumPy.

    Example:
        >>> from pynn import ops
        >>> ops.maximum([1.0, 5.0], [2.0, 3.0]).round(4)
        array([2., 5.], dtype=float32)
    """
    return Maximum()(*_together("maximum", x1, x2))


def minimum(x1: Any, x2: Any) -> Value:
    """The smaller of the two, broadcast as in NumPy.

    Example:
        >>> from pynn import ops
        >>> ops.minimum([1.0, 5.0], [2.0, 3.0]).round(4)
        array([1., 3.], dtype=float32)
    """
    return Minimum()(*_together("minimum", x1, x2))


def power(x1: Any, x2: Any) -> Value:
    """``x1 ** x2``, broadcast as in NumPy.

    Example:
        >>> from pynn import ops
        >>> ops.power([1.0, 2.0], 3.0).round(4)
        array([1., 8.], dtype=float32)
    """
    if not isinstance(x2, Value) and np.isscalar(x2) and x2 == 2 and common_dtype(x1, x2) == dtype_of(x1):
        return square(x1)
    return Power()(*_together("power", x1, x2, least="int32"))


def clip(x: Any, x_min: Any, x_max: Any) -> Value:
    """``x`` limited to ``[x_min, x_max]``; no gradient flows where it was cut.

    Example:
        >>> from pynn import ops
        >>> ops.clip([-1.0, 0.5, 2.0], 0.0, 1.0).round(4)
        array([0. , 0.5, 1. ], dtype=float32)
    """
    v = as_value(x)
    return minimum(maximum(_as(v, "int32") if v.dtype == "bool" else v, x_min), x_max)


def negative(x: Any) -> Value:
    """``-x``.

    Example:
        >>> from pynn import ops
        >>> ops.negative([1.0, -2.0]).round(4)
        array([-1.,  2.], dtype=float32)
    """
    return Negative()(_number(x))


def _number(x: Any) -> Value:
    """``x`` as numbers: truth values become 0 and 1, int32."""
    v = as_value(x)
    return _as(v, "int32") if v.dtype == "bool" else v


def exp(x: Any) -> Value:
    """``e ** x``.

    Example:
        >>> from pynn import ops
        >>> ops.exp([0.0, 1.0]).round(4)
        array([1.    , 2.7183], dtype=float32)
    """
    return Exp()(_float(x))


def log(x: Any) -> Value:
    """Natural logarithm; -inf at 0, NaN below.

    Example:
        >>> from pynn import ops
        >>> ops.log([1.0, 10.0]).round(4)
        array([0.    , 2.3026], dtype=float32)
    """
    return Log()(_float(x))


def log1p(x: Any) -> Value:
    """``log(1 + x)``, accurate for small ``x``.

    Example:
        >>> from pynn import ops
        >>> ops.log1p([0.0, 1.0]).round(4)
        array([0.    , 0.6931], dtype=float32)
    """
    return Log1p()(_float(x))


def sqrt(x: Any) -> Value:
    """Square root.

    Example:
        >>> from pynn import ops
        >>> ops.sqrt([4.0, 9.0]).round(4)
        array([2., 3.], dtype=float32)
    """
    return Sqrt()(_float(x))


def rsqrt(x: Any) -> Value:
    """``1 / sqrt(x)``.

    Example:
        >>> from pynn import ops
        >>> ops.rsqrt([4.0, 16.0]).round(4)
        array([0.5 , 0.25], dtype=float32)
    """
    return Rsqrt()(_float(x))


def square(x: Any) -> Value:
    """``x * x``.

    Example:
        >>> from pynn import ops
        >>> ops.square([2.0, -3.0]).round(4)
        array([4., 9.], dtype=float32)
    """
    return Square()(_number(x))


def absolute(x: Any) -> Value:
    """``|x|``.

    Example:
        >>> from pynn import ops
        >>> ops.absolute([-1.5, 2.0]).round(4)
        array([1.5, 2. ], dtype=float32)
    """
    v = as_value(x)
    return v if v.dtype in ("bool", "uint8", "uint16", "uint32", "uint64") else Abs()(v)


def sign(x: Any) -> Value:
    """-1, 0 or 1.

    Example:
        >>> from pynn import ops
        >>> ops.sign([-3.0, 0.0, 5.0]).round(4)
        array([-1.,  0.,  1.], dtype=float32)
    """
    return Sign()(_number(x))


def floor(x: Any) -> Value:
    """The largest whole number not above ``x``, as a float.

    Example:
        >>> from pynn import ops
        >>> ops.floor([1.2, -1.2]).round(4)
        array([ 1., -2.], dtype=float32)
    """
    return Floor()(_float(x))


def sin(x: Any) -> Value:
    """Sine of ``x`` in radians.

    Example:
        >>> from pynn import ops
        >>> ops.sin([0.0, 1.0]).round(4)
        array([0.    , 0.8415], dtype=float32)
    """
    return Sin()(_float(x))


def cos(x: Any) -> Value:
    """Cosine of ``x`` in radians.

    Example:
        >>> from pynn import ops
        >>> ops.cos([0.0, 1.0]).round(4)
        array([1.    , 0.5403], dtype=float32)
    """
    return Cos()(_float(x))


abs = absolute
