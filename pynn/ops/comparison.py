"""Comparisons, logic and the choice by a condition: element by element, like ``pynn.ops.elementwise``.

The ops give 0 and 1 in the dtype of what they compare; the functions make ``bool`` of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.graph import dtypes
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.ops.elementwise import Elementwise, Maximum, Minimum, Multiply, Numeric
from pynn.ops.operands import _as, _float, _like, _one_shape, _together, common_dtype


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


def _truth(x: Any, dtype: str = dtypes.FLOAT) -> Value:
    """1 where ``x`` is not 0, else 0, in a dtype to compute with."""
    v = as_value(x)
    return _as(v, dtype) if is_truth(v) else _as(NotEqual()(v, _like(v, 0)), dtype)


def _bool(x: Value) -> Value:
    """A comparison's zeros and ones as truth values."""
    return _as(x, "bool")


def equal(x1: Any, x2: Any) -> Value:
    """Where ``x1 == x2``: bool.

    Example:
        >>> from pynn import ops
        >>> ops.equal([1, 2, 3], [1, 0, 3])
        array([ True, False,  True])
    """
    return _bool(Equal()(*_together("equal", x1, x2)))


def not_equal(x1: Any, x2: Any) -> Value:
    """Where ``x1 != x2``: bool.

    Example:
        >>> from pynn import ops
        >>> ops.not_equal([1, 2], [1, 3])
        array([False,  True])
    """
    return _bool(NotEqual()(*_together("not_equal", x1, x2)))


def greater(x1: Any, x2: Any) -> Value:
    """Where ``x1 > x2``: bool.

    Example:
        >>> from pynn import ops
        >>> ops.greater([1, 3], 2)
        array([False,  True])
    """
    return _bool(Greater()(*_together("greater", x1, x2)))


def greater_equal(x1: Any, x2: Any) -> Value:
    """Where ``x1 >= x2``: bool.

    Example:
        >>> from pynn import ops
        >>> ops.greater_equal([1, 2], 2)
        array([False,  True])
    """
    return _bool(GreaterEqual()(*_together("greater_equal", x1, x2)))


def less(x1: Any, x2: Any) -> Value:
    """Where ``x1 < x2``: bool.

    Example:
        >>> from pynn import ops
        >>> ops.less([1, 3], 2)
        array([ True, False])
    """
    return _bool(Less()(*_together("less", x1, x2)))


def less_equal(x1: Any, x2: Any) -> Value:
    """Where ``x1 <= x2``: bool.

    Example:
        >>> from pynn import ops
        >>> ops.less_equal([1, 2], 2)
        array([ True,  True])
    """
    return _bool(LessEqual()(*_together("less_equal", x1, x2)))


def logical_and(x1: Any, x2: Any) -> Value:
    """Where neither is 0: bool.

    Example:
        >>> from pynn import ops
        >>> ops.logical_and([True, True], [True, False])
        array([ True, False])
    """
    return _bool(Multiply()(*_one_shape("logical_and", _truth(x1), _truth(x2))))


def logical_or(x1: Any, x2: Any) -> Value:
    """Where at least one is not 0: bool.

    Example:
        >>> from pynn import ops
        >>> ops.logical_or([True, False], [False, False])
        array([ True, False])
    """
    return _bool(Maximum()(*_one_shape("logical_or", _truth(x1), _truth(x2))))


def logical_xor(x1: Any, x2: Any) -> Value:
    """Where exactly one is not 0: bool.

    Example:
        >>> from pynn import ops
        >>> ops.logical_xor([True, True], [True, False])
        array([False,  True])
    """
    return _bool(NotEqual()(*_one_shape("logical_xor", _truth(x1), _truth(x2))))


def logical_not(x: Any) -> Value:
    """Where ``x`` is 0: bool.

    Example:
        >>> from pynn import ops
        >>> ops.logical_not([True, False])
        array([False,  True])
    """
    v = as_value(x)
    v = _truth(v) if v.dtype == "bool" else v
    return _bool(Equal()(v, _like(v, 0)))


def where(condition: Any, x1: Any, x2: Any) -> Value:
    """``x1`` where ``condition`` is true (not 0), else ``x2``, broadcast as in NumPy."""
    dtype = common_dtype(x1, x2)
    return Select()(*_one_shape("where", _truth(condition, dtype), _as(x1, dtype), _as(x2, dtype)))


def isnan(x: Any) -> Value:
    """Where ``x`` is not a number: bool.

    Example:
        >>> from pynn import ops
        >>> ops.isnan([1.0, float("nan")])
        array([False,  True])
    """
    return _bool(IsNan()(_float(x)))
