"""Complex numbers: made of two floats, taken apart again, computed by NumPy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pynn.graph.ir import Op, Spec, Value
from pynn.graph.trace import as_value
from pynn.ops.comparison import less, where
from pynn.ops.elementwise import cos, multiply, negative, sin
from pynn.ops.math import arctan2
from pynn.ops.operands import _float, _together
from pynn.ops.shape import zeros_like


class MakeComplex(Op):
    """``a + b i``: complex64 of two arrays of floats."""

    def infer(self, *specs: Spec) -> Spec:
        a, b = specs
        self.require_float(a, b)
        self.require(a == b, "real and imaginary parts of one shape and dtype", a, b)
        return Spec(a.shape, "complex64")

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return RealPart()(g), ImaginaryPart()(g)


class _Part(Op, abstract=True):
    def infer(self, *specs: Spec) -> Spec:
        (x,) = specs
        self.require(x.dtype == "complex64", "complex numbers", x)
        return Spec(x.shape)


class RealPart(_Part):
    """``a`` of ``a + b i``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (MakeComplex()(g, zeros_like(g)),)


class ImaginaryPart(_Part):
    """``b`` of ``a + b i``."""

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (MakeComplex()(zeros_like(g), g),)


# ---- functions -----------------------------------------------------------------------------------------------------


def real(x: Any) -> Value:
    """The real part; real numbers as they are."""
    v = as_value(x)
    return RealPart()(v) if v.dtype == "complex64" else v


def imag(x: Any) -> Value:
    """The imaginary part; of real numbers 0."""
    v = as_value(x)
    return ImaginaryPart()(v) if v.dtype == "complex64" else zeros_like(v)


def conjugate(x: Any) -> Value:
    """``a - b i`` of ``a + b i``; real numbers as they are."""
    v = as_value(x)
    return MakeComplex()(real(v), negative(imag(v))) if v.dtype == "complex64" else v


def angle(x: Any) -> Value:
    """The angle of a complex number from -pi to pi; of real numbers 0 or pi."""
    v = as_value(x)
    if v.dtype == "complex64":
        return arctan2(imag(v), real(v))
    v = _float(v)
    return where(less(v, 0.0), math.pi, multiply(v, 0.0))


def polar(abs_: Any, angle: Any) -> Value:
    """The complex numbers of given size and angle: ``abs_ * (cos(angle) + i sin(angle))``."""
    size, turn = _together("polar", abs_, angle, floating=True)
    return MakeComplex()(multiply(size, cos(turn)), multiply(size, sin(turn)))


def isreal(x: Any) -> Value:
    """Where the imaginary part is 0: bool."""
    from pynn.ops.comparison import equal

    return equal(imag(x), 0)


conj = conjugate
