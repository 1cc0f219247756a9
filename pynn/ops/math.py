"""More of element-wise mathematics: what is rarely in a network's hot path.

Functions that follow from those of ``pynn.ops.elementwise`` are written with them and fuse like them.  The others are
ops without a tile function: NumPy computes them inside the program.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.ops.comparison import Equal, IsNan, Less, Select, _bool, equal, isnan, logical_or, where
from pynn.ops.elementwise import (
    Abs,
    Add,
    Divide,
    Exp,
    Floor,
    Log1p,
    Maximum,
    Minimum,
    Multiply,
    Negative,
    Numeric,
    NumpyElementwise,
    Rsqrt,
    Sign,
    Square,
    Subtract,
    divide,
)
from pynn.ops.operands import _float, _like, _together
from pynn.ops.reduce import all as all_true
from pynn.ops.shape import cast


def _scaled(g: Value, factor: float) -> Value:
    return Multiply()(g, _like(g, factor))


class Tan(NumpyElementwise):
    """Tangent."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Multiply()(g, Add()(Square()(y), _like(y, 1.0))),)


class Arcsin(NumpyElementwise):
    """The angle from -pi/2 to pi/2 whose sine is ``x``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        x = inputs[0]
        return (Multiply()(g, Rsqrt()(Subtract()(_like(x, 1.0), Square()(x)))),)


class Arccos(NumpyElementwise):
    """The angle from 0 to pi whose cosine is ``x``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        x = inputs[0]
        return (Negative()(Multiply()(g, Rsqrt()(Subtract()(_like(x, 1.0), Square()(x))))),)


class Arctan(NumpyElementwise):
    """The angle from -pi/2 to pi/2 whose tangent is ``x``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        x = inputs[0]
        return (Divide()(g, Add()(Square()(x), _like(x, 1.0))),)


class Arctan2(NumpyElementwise):
    """The angle of the point with ordinate ``a`` and abscissa ``b``, from -pi to pi."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        a, b = inputs
        share = Divide()(g, Add()(Square()(a), Square()(b)))
        return Multiply()(share, b), Negative()(Multiply()(share, a))


class Sinh(NumpyElementwise):
    """``(e^x - e^-x) / 2``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Multiply()(g, Cosh()(inputs[0])),)


class Cosh(NumpyElementwise):
    """``(e^x + e^-x) / 2``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Multiply()(g, Sinh()(inputs[0])),)


class Arcsinh(NumpyElementwise):
    """The number whose hyperbolic sine is ``x``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        x = inputs[0]
        return (Multiply()(g, Rsqrt()(Add()(Square()(x), _like(x, 1.0)))),)


class Arccosh(NumpyElementwise):
    """The positive number whose hyperbolic cosine is ``x``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        x = inputs[0]
        return (Multiply()(g, Rsqrt()(Subtract()(Square()(x), _like(x, 1.0)))),)


class Arctanh(NumpyElementwise):
    """The number whose hyperbolic tangent is ``x``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        x = inputs[0]
        return (Divide()(g, Subtract()(_like(x, 1.0), Square()(x))),)


class Expm1(NumpyElementwise):
    """``e^x - 1``, accurate for small ``x``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Multiply()(g, Add()(y, _like(y, 1.0))),)


class Exp2(NumpyElementwise):
    """``2^x``, exact for whole numbers."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (_scaled(Multiply()(g, y), math.log(2)),)


class Log2(NumpyElementwise):
    """Logarithm to the base 2, exact for powers of it."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (_scaled(Divide()(g, inputs[0]), 1 / math.log(2)),)


class Log10(NumpyElementwise):
    """Logarithm to the base 10, exact for powers of it."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (_scaled(Divide()(g, inputs[0]), 1 / math.log(10)),)


class Rint(NumpyElementwise):
    """The nearest whole number; halves go to the even one.  Flat: no gradient."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (None,)


class Fmod(Numeric, NumpyElementwise):
    """``a - trunc(a / b) * b``: what is left of a division towards zero, with the sign of ``a``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        a, b = inputs
        q = Divide()(Subtract()(a, y), b)
        return g, Negative()(Multiply()(g, q))


class Erfinv(NumpyElementwise):
    """The number whose error function is ``x``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (_scaled(Multiply()(g, Exp()(Square()(y))), math.sqrt(math.pi) / 2),)


# ---- functions -----------------------------------------------------------------------------------------------------


def tan(x: Any) -> Value:
    """Tangent of ``x`` in radians.

    Example:
        >>> from pynn import ops
        >>> ops.tan([0.0, 1.0]).round(4)
        array([0.    , 1.5574], dtype=float32)
    """
    return Tan()(_float(x))


def arcsin(x: Any) -> Value:
    """The angle whose sine is ``x``; NaN outside of -1 .. 1.

    Example:
        >>> from pynn import ops
        >>> ops.arcsin([0.0, 1.0]).round(4)
        array([0.    , 1.5708], dtype=float32)
    """
    return Arcsin()(_float(x))


def arccos(x: Any) -> Value:
    """The angle whose cosine is ``x``; NaN outside of -1 .. 1.

    Example:
        >>> from pynn import ops
        >>> ops.arccos([1.0, 0.0]).round(4)
        array([0.    , 1.5708], dtype=float32)
    """
    return Arccos()(_float(x))


def arctan(x: Any) -> Value:
    """The angle whose tangent is ``x``.

    Example:
        >>> from pynn import ops
        >>> ops.arctan([0.0, 1.0]).round(4)
        array([0.    , 0.7854], dtype=float32)
    """
    return Arctan()(_float(x))


def arctan2(x1: Any, x2: Any) -> Value:
    """The angle of the point with ordinate ``x1`` and abscissa ``x2``, from -pi to pi.

    Example:
        >>> from pynn import ops
        >>> ops.arctan2([1.0, -1.0], [0.0, 0.0]).round(4)
        array([ 1.5708, -1.5708], dtype=float32)
    """
    return Arctan2()(*_together("arctan2", x1, x2, floating=True))


def sinh(x: Any) -> Value:
    """Hyperbolic sine.

    Example:
        >>> from pynn import ops
        >>> ops.sinh([0.0, 1.0]).round(4)
        array([0.    , 1.1752], dtype=float32)
    """
    return Sinh()(_float(x))


def cosh(x: Any) -> Value:
    """Hyperbolic cosine.

    Example:
        >>> from pynn import ops
        >>> ops.cosh([0.0, 1.0]).round(4)
        array([1.    , 1.5431], dtype=float32)
    """
    return Cosh()(_float(x))


def arcsinh(x: Any) -> Value:
    """Inverse hyperbolic sine.

    Example:
        >>> from pynn import ops
        >>> ops.arcsinh([0.0, 1.0]).round(4)
        array([0.    , 0.8814], dtype=float32)
    """
    return Arcsinh()(_float(x))


def arccosh(x: Any) -> Value:
    """Inverse hyperbolic cosine; NaN below 1.

    Example:
        >>> from pynn import ops
        >>> ops.arccosh([1.0, 2.0]).round(4)
        array([0.   , 1.317], dtype=float32)
    """
    return Arccosh()(_float(x))


def arctanh(x: Any) -> Value:
    """Inverse hyperbolic tangent; NaN outside of -1 .. 1.

    Example:
        >>> from pynn import ops
        >>> ops.arctanh([0.0, 0.5]).round(4)
        array([0.    , 0.5493], dtype=float32)
    """
    return Arctanh()(_float(x))


def expm1(x: Any) -> Value:
    """``e^x - 1``, accurate for small ``x``.

    Example:
        >>> from pynn import ops
        >>> ops.expm1([0.0, 1.0]).round(4)
        array([0.    , 1.7183], dtype=float32)
    """
    return Expm1()(_float(x))


def exp2(x: Any) -> Value:
    """``2^x``.

    Example:
        >>> from pynn import ops
        >>> ops.exp2([0.0, 3.0]).round(4)
        array([1., 8.], dtype=float32)
    """
    return Exp2()(_float(x))


def log2(x: Any) -> Value:
    """Logarithm to the base 2.

    Example:
        >>> from pynn import ops
        >>> ops.log2([1.0, 8.0]).round(4)
        array([0., 3.], dtype=float32)
    """
    return Log2()(_float(x))


def log10(x: Any) -> Value:
    """Logarithm to the base 10.

    Example:
        >>> from pynn import ops
        >>> ops.log10([1.0, 100.0]).round(4)
        array([0., 2.], dtype=float32)
    """
    return Log10()(_float(x))


def erfinv(x: Any) -> Value:
    """The number whose error function is ``x``; infinite at -1 and 1, NaN beyond.

    Example:
        >>> from pynn import ops
        >>> ops.erfinv([0.0, 0.5]).round(4)
        array([0.    , 0.4769], dtype=float32)
    """
    return Erfinv()(_float(x))


def ceil(x: Any) -> Value:
    """The smallest whole number not below ``x``, as a float.

    Example:
        >>> from pynn import ops
        >>> ops.ceil([1.2, -1.2]).round(4)
        array([ 2., -1.], dtype=float32)
    """
    return Negative()(Floor()(Negative()(_float(x))))


def trunc(x: Any) -> Value:
    """``x`` without its fraction; whole numbers as they are.

    Example:
        >>> from pynn import ops
        >>> ops.trunc([1.7, -1.7]).round(4)
        array([ 1., -1.], dtype=float32)
    """
    v = as_value(x)
    return Multiply()(Sign()(v), Floor()(Abs()(v))) if v.spec.is_float else v


def round(x: Any, decimals: int = 0) -> Value:
    """``x`` rounded to ``decimals`` places after the point; halves go to the even digit.  Whole numbers stay whole.

    Example:
        >>> from pynn import ops
        >>> ops.round([0.5, 1.5, 2.345], 2)
        array([0.5 , 1.5 , 2.34], dtype=float32)
    """
    v = as_value(x)
    if not v.spec.is_float:
        if decimals >= 0:
            return v
        return cast(round(_float(v), decimals), v.dtype)
    if decimals == 0:
        return Rint()(v)
    if decimals > 0:
        return Divide()(Rint()(_scaled(v, 10.0**decimals)), _like(v, 10.0**decimals))
    return _scaled(Rint()(Divide()(v, _like(v, 10.0**-decimals))), 10.0**-decimals)


def reciprocal(x: Any) -> Value:
    """``1 / x``.

    Example:
        >>> from pynn import ops
        >>> ops.reciprocal([2.0, 4.0]).round(4)
        array([0.5 , 0.25], dtype=float32)
    """
    return divide(1.0, x)


def deg2rad(x: Any) -> Value:
    """Degrees to radians.

    Example:
        >>> from pynn import ops
        >>> ops.deg2rad([180.0]).round(4)
        array([3.1416], dtype=float32)
    """
    return _scaled(_float(x), math.pi / 180)


def rad2deg(x: Any) -> Value:
    """Radians to degrees.

    Example:
        >>> from pynn import ops
        >>> ops.rad2deg([3.1415927]).round(4)
        array([180.], dtype=float32)
    """
    return _scaled(_float(x), 180 / math.pi)


def fabs(x: Any) -> Value:
    """``|x|`` as a float.

    Example:
        >>> from pynn import ops
        >>> ops.fabs([-1.5, 2.0]).round(4)
        array([1.5, 2. ], dtype=float32)
    """
    return Abs()(_float(x))


def fmax(x1: Any, x2: Any) -> Value:
    """The larger of the two; the other one where one is not a number.

    Example:
        >>> from pynn import ops
        >>> ops.fmax([1.0, 5.0], [2.0, 3.0]).round(4)
        array([2., 5.], dtype=float32)
    """
    a, b = _together("fmax", x1, x2)
    return where(isnan(a), b, where(isnan(b), a, Maximum()(a, b)))


def fmin(x1: Any, x2: Any) -> Value:
    """The smaller of the two; the other one where one is not a number.

    Example:
        >>> from pynn import ops
        >>> ops.fmin([1.0, 5.0], [2.0, 3.0]).round(4)
        array([1., 3.], dtype=float32)
    """
    a, b = _together("fmin", x1, x2)
    return where(isnan(a), b, where(isnan(b), a, Minimum()(a, b)))


def fmod(x1: Any, x2: Any) -> Value:
    """What a division towards zero leaves, with the sign of ``x1``; compare :func:`mod`.

    Example:
        >>> from pynn import ops
        >>> ops.fmod([5.0, -5.0], 3.0).round(4)
        array([ 2., -2.], dtype=float32)
    """
    return Fmod()(*_together("fmod", x1, x2, least="int32"))


def divide_no_nan(x1: Any, x2: Any) -> Value:
    """``x1 / x2``, and 0 where ``x2`` is 0.

    Example:
        >>> from pynn import ops
        >>> ops.divide_no_nan([1.0, 2.0], [4.0, 0.0]).round(4)
        array([0.25, 0.  ], dtype=float32)
    """
    a, b = _together("divide_no_nan", x1, x2, floating=True)
    none = Equal()(b, _like(b, 0.0))
    return Select()(none, _like(a, 0.0), Divide()(a, Select()(none, _like(b, 1.0), b)))


def logaddexp(x1: Any, x2: Any) -> Value:
    """``log(e^x1 + e^x2)``, without overflow.

    Example:
        >>> from pynn import ops
        >>> ops.logaddexp(0.0, 0.0).round(4)
        np.float32(0.6931)
    """
    a, b = _together("logaddexp", x1, x2, floating=True)
    distance = Subtract()(a, b)
    apart = Add()(Maximum()(a, b), Log1p()(Exp()(Negative()(Abs()(distance)))))
    return Select()(IsNan()(distance), Add()(a, b), apart)  # infinities of one sign


def logaddexp2(x1: Any, x2: Any) -> Value:
    """``log2(2^x1 + 2^x2)``, without overflow.

    Example:
        >>> from pynn import ops
        >>> ops.logaddexp2(0.0, 0.0).round(4)
        np.float32(1.0)
    """
    a, b = _together("logaddexp2", x1, x2, floating=True)
    return _scaled(logaddexp(_scaled(a, math.log(2)), _scaled(b, math.log(2))), 1 / math.log(2))


def isfinite(x: Any) -> Value:
    """Where ``x`` is a number and not infinite: bool.

    Example:
        >>> from pynn import ops
        >>> ops.isfinite([1.0, float("inf")])
        array([ True, False])
    """
    v = _float(x)
    return _bool(Less()(Abs()(v), _like(v, math.inf)))


def isinf(x: Any) -> Value:
    """Where ``x`` is infinite: bool.

    Example:
        >>> from pynn import ops
        >>> ops.isinf([1.0, float("inf")])
        array([False,  True])
    """
    v = _float(x)
    return _bool(Equal()(Abs()(v), _like(v, math.inf)))


def isposinf(x: Any) -> Value:
    """Where ``x`` is plus infinity: bool."""
    return equal(_float(x), math.inf)


def isneginf(x: Any) -> Value:
    """Where ``x`` is minus infinity: bool."""
    return equal(_float(x), -math.inf)


def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Value:
    """Where ``|x1 - x2| <= atol + rtol * |x2|``: bool.  Infinities are close to themselves, NaN only if ``equal_nan``.

    Example:
        >>> from pynn import ops
        >>> ops.isclose([1.0, 2.0], [1.000001, 2.1])
        array([ True, False])
    """
    a, b = _together("isclose", x1, x2, floating=True)
    limit = Add()(_scaled(Abs()(b), rtol), _like(b, atol))
    # Infinities of one sign differ by NaN; of an infinite b any finite a would be within the limit.
    near = Multiply()(
        Less()(Abs()(b), _like(b, math.inf)), Subtract()(_like(a, 1.0), Less()(limit, Abs()(Subtract()(a, b))))
    )
    near = Multiply()(near, Subtract()(_like(a, 1.0), IsNan()(a)))
    found = logical_or(_bool(near), equal(a, b))
    if equal_nan:
        found = logical_or(found, _bool(Multiply()(IsNan()(a), IsNan()(b))))
    return found


def allclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Value:
    """Whether all elements are close as :func:`isclose` says: bool.

    Example:
        >>> from pynn import ops
        >>> ops.allclose([1.0], [1.0000001])
        array(True)
    """
    return all_true(isclose(x1, x2, rtol, atol, equal_nan))


true_divide = divide
