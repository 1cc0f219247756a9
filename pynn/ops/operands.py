"""What functions of ops do with their operands first: values of one dtype and one shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.errors import ShapeError
from pynn.graph import dtypes
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.graph.variable import Variable


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
