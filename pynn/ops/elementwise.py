"""Element-wise arithmetic: one number out for each position of the inputs.

All element-wise ops run in one native kernel, ``elementwise_chain``, which evaluates a whole chain of them tile by
tile while the tile is in the L1 cache; an op alone is a chain of one step.  An op's name is the name of its tile
function in ``csrc/include/pynn/elementwise.def``.  Activations are in ``pynn.ops.activations``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from pynn.errors import ShapeError
from pynn.graph import dtypes
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.trace import as_value
from pynn.graph.variable import Variable


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
    is_a, is_b = Equal()(a, y), Equal()(b, y)
    share = Divide()(g, Add()(is_a, is_b))
    return Multiply()(share, is_a), Multiply()(share, is_b)


class Power(Numeric):
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


class Comparison(Numeric, abstract=True):
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


def is_truth(v: Value) -> bool:
    """Whether ``v`` is known to hold nothing but 0 and 1."""
    if v.dtype == "bool":
        return True
    node = v.node
    if node is None:
        return isinstance(v.source, np.ndarray) and v.size == 1 and v.source.item() in (0, 1)
    if isinstance(node.op, Multiply | Maximum | Minimum) or node.op.name in ("reshape", "broadcast_to", "max", "min"):
        return all(map(is_truth, node.inputs))
    return isinstance(node.op, Comparison | IsNan) or (node.op.name == "cast" and node.inputs[0].dtype == "bool")


class Select(Numeric):
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


def dtype_of(x: Any) -> Any:
    """What :func:`~pynn.graph.dtypes.result_type` takes for an operand: a name, or the type of a plain number."""
    if isinstance(x, Value | Variable):
        return x.dtype
    if type(x) in (bool, int, float, complex):
        return type(x)
    if isinstance(x, np.floating) and np.ndim(x) == 0:
        return float
    return as_value(x).dtype


def common_dtype(*operands: Any, floating: bool = False, least: str = "bool") -> str:
    """The dtype in which operands meet; a float if ``floating``, and at least ``least``."""
    dtype = dtypes.result_type(*map(dtype_of, operands))
    if floating and not dtype.startswith(("float", "complex")):
        return dtypes.FLOAT
    return least if dtype == "bool" else dtype


def _as(x: Any, dtype: str) -> Value:
    """``x`` as a value of this dtype."""
    from pynn.ops.shape import cast

    return as_value(x, dtype) if np.isscalar(x) else cast(x, dtype)


def _float(x: Any, dtype: str = dtypes.FLOAT) -> Value:
    """``x`` itself if it holds floats, else as such."""
    v = as_value(x, dtype if np.isscalar(x) else None)
    return v if v.spec.is_float else _as(v, dtype)


def _together(name: str, *operands: Any, floating: bool = False, least: str = "bool") -> list[Value]:
    """The operands in one dtype and one shape, broadcast as NumPy does."""
    dtype = common_dtype(*operands, floating=floating, least=least)
    return _one_shape(name, *(_as(x, dtype) for x in operands))


def cast_together(*operands: Any) -> list[Value]:
    """The operands in one dtype, in their own shapes."""
    dtype = common_dtype(*operands)
    return [_as(x, dtype) for x in operands]


def _one_shape(name: str, *values: Value) -> list[Value]:
    from pynn.ops.shape import broadcast_to

    try:
        shape = np.broadcast_shapes(*(v.shape for v in values))
    except ValueError:
        came = " and ".join(str(v.spec) for v in values)
        raise ShapeError(
            f"{name}: shapes do not fit together: {came}; sizes must be equal or 1, counted from the last axis"
        ) from None
    return [broadcast_to(v, shape) for v in values]


def _truth(x: Any, dtype: str = dtypes.FLOAT) -> Value:
    """1 where ``x`` is not 0, else 0, in a dtype to compute with."""
    v = as_value(x)
    return _as(v, dtype) if is_truth(v) else _as(NotEqual()(v, _like(v, 0)), dtype)


def _bool(x: Value) -> Value:
    """A comparison's zeros and ones as truth values."""
    return _as(x, "bool")


def add(x1: Any, x2: Any) -> Value:
    """``x1 + x2``, broadcast as in NumPy."""
    return Add()(*_together("add", x1, x2))


def subtract(x1: Any, x2: Any) -> Value:
    """``x1 - x2``, broadcast as in NumPy."""
    return Subtract()(*_together("subtract", x1, x2, least="int32"))


def multiply(x1: Any, x2: Any) -> Value:
    """``x1 * x2``, broadcast as in NumPy."""
    return Multiply()(*_together("multiply", x1, x2))


def divide(x1: Any, x2: Any) -> Value:
    """``x1 / x2``, broadcast as in NumPy; a float, of whole numbers, too."""
    return Divide()(*_together("divide", x1, x2, floating=True))


def floor_divide(x1: Any, x2: Any) -> Value:
    """The largest whole number not above ``x1 / x2``, broadcast as in NumPy.  No gradient."""
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
    """The larger of the two, broadcast as in NumPy."""
    return Maximum()(*_together("maximum", x1, x2))


def minimum(x1: Any, x2: Any) -> Value:
    """The smaller of the two, broadcast as in NumPy."""
    return Minimum()(*_together("minimum", x1, x2))


def power(x1: Any, x2: Any) -> Value:
    """``x1 ** x2``, broadcast as in NumPy."""
    if not isinstance(x2, Value) and np.isscalar(x2) and x2 == 2 and common_dtype(x1, x2) == dtype_of(x1):
        return square(x1)
    return Power()(*_together("power", x1, x2, least="int32"))


def equal(x1: Any, x2: Any) -> Value:
    """Where ``x1 == x2``: bool.

    Example:
        >>> from pynn import ops
        >>> ops.equal([1, 2, 3], [1, 0, 3])
        array([ True, False,  True])
    """
    return _bool(Equal()(*_together("equal", x1, x2)))


def not_equal(x1: Any, x2: Any) -> Value:
    """Where ``x1 != x2``: bool."""
    return _bool(NotEqual()(*_together("not_equal", x1, x2)))


def greater(x1: Any, x2: Any) -> Value:
    """Where ``x1 > x2``: bool."""
    return _bool(Greater()(*_together("greater", x1, x2)))


def greater_equal(x1: Any, x2: Any) -> Value:
    """Where ``x1 >= x2``: bool."""
    return _bool(GreaterEqual()(*_together("greater_equal", x1, x2)))


def less(x1: Any, x2: Any) -> Value:
    """Where ``x1 < x2``: bool."""
    return _bool(Less()(*_together("less", x1, x2)))


def less_equal(x1: Any, x2: Any) -> Value:
    """Where ``x1 <= x2``: bool."""
    return _bool(LessEqual()(*_together("less_equal", x1, x2)))


def logical_and(x1: Any, x2: Any) -> Value:
    """Where neither is 0: bool."""
    return _bool(Multiply()(*_one_shape("logical_and", _truth(x1), _truth(x2))))


def logical_or(x1: Any, x2: Any) -> Value:
    """Where at least one is not 0: bool."""
    return _bool(Maximum()(*_one_shape("logical_or", _truth(x1), _truth(x2))))


def logical_xor(x1: Any, x2: Any) -> Value:
    """Where exactly one is not 0: bool."""
    return _bool(NotEqual()(*_one_shape("logical_xor", _truth(x1), _truth(x2))))


def logical_not(x: Any) -> Value:
    """Where ``x`` is 0: bool."""
    v = as_value(x)
    v = _truth(v) if v.dtype == "bool" else v
    return _bool(Equal()(v, _like(v, 0)))


def where(condition: Any, x1: Any, x2: Any) -> Value:
    """``x1`` where ``condition`` is true (not 0), else ``x2``, broadcast as in NumPy."""
    dtype = common_dtype(x1, x2)
    return Select()(*_one_shape("where", _truth(condition, dtype), _as(x1, dtype), _as(x2, dtype)))


def clip(x: Any, x_min: Any, x_max: Any) -> Value:
    """``x`` limited to ``[x_min, x_max]``; no gradient flows where it was cut."""
    v = as_value(x)
    return minimum(maximum(_as(v, "int32") if v.dtype == "bool" else v, x_min), x_max)


def negative(x: Any) -> Value:
    """``-x``."""
    return Negative()(_number(x))


def _number(x: Any) -> Value:
    """``x`` as numbers: truth values become 0 and 1, int32."""
    v = as_value(x)
    return _as(v, "int32") if v.dtype == "bool" else v


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
    return Square()(_number(x))


def absolute(x: Any) -> Value:
    """``|x|``."""
    v = as_value(x)
    return v if v.dtype in ("bool", "uint8", "uint16", "uint32", "uint64") else Abs()(v)


def sign(x: Any) -> Value:
    """-1, 0 or 1."""
    return Sign()(_number(x))


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
    """Where ``x`` is not a number: bool."""
    return _bool(IsNan()(_float(x)))


abs = absolute
