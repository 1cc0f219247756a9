"""What values may hold, and what comes out when several kinds meet.

The rule of promotion is that of JAX and Keras 3 (https://docs.jax.dev/en/latest/type_promotion.html): dtypes form a
lattice, the result is the least dtype above all operands, and Python's own numbers are *weak*: ``x + 1`` has the dtype
of ``x``, and only ``int + 1.5`` is a float.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from pynn.errors import DtypeError

#: What a value may hold.  Native kernels compute float32 (and move all dtypes); arithmetic on others is done by NumPy
#: inside the program.  float64 is for the reference executor: the user's float64 numbers become float32 when fed.
DTYPES = (
    "float32", "float64", "int32", "int64", "uint8", "uint32", "bool", "int8", "int16", "uint16", "uint64", "complex64",
)  # fmt: skip

#: The float that whole numbers become where a result has a fraction.
FLOAT = "float32"

#: Each dtype to those right above it; "int" and "float" are Python's numbers.
_ABOVE = {
    "bool": ("int",),
    "int": ("uint8", "int8"),
    "uint8": ("uint16", "int16"),
    "uint16": ("uint32", "int32"),
    "uint32": ("uint64", "int64"),
    "uint64": ("float",),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float",),
    "float": ("float16", "bfloat16"),
    "float16": ("float32",),
    "bfloat16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": (),
    "complex64": (),
}
_PYTHON = {bool: "bool", int: "int", float: "float", complex: "complex64"}


@cache
def _upwards(dtype: str) -> frozenset[str]:
    """``dtype`` and all above it."""
    return frozenset((dtype,)).union(*(_upwards(above) for above in _ABOVE[dtype]))


@cache
def _join(dtypes: frozenset[str]) -> str:
    if dtypes == {"float64", "complex64"}:
        return "complex64"
    common = frozenset.intersection(*map(_upwards, dtypes))
    return next(dtype for dtype in common if _upwards(dtype) == common)


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype given as a name, a NumPy dtype or Python's ``int``, ``float`` or ``bool``; None is float32.

    Raises:
        DtypeError: there is no such dtype.

    Example:
        >>> standardize_dtype(int), standardize_dtype(np.dtype("uint8")), standardize_dtype(None)
        ('int32', 'uint8', 'float32')
    """
    if dtype is None or dtype is float:
        return FLOAT
    if dtype is int:
        return "int32"
    if dtype is bool:
        return "bool"
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None) or getattr(dtype, "__name__", str(dtype))
    if name not in _ABOVE or name in ("int", "float"):
        raise DtypeError(f"unknown dtype {dtype!r}; expected one of {', '.join(n for n in _ABOVE if n not in _WEAK)}")
    return name


_WEAK = ("int", "float")


def checked_dtype(function: str, dtype: Any) -> str:
    """A dtype that values may have.

    Raises:
        DtypeError: there is none of this name, or programs do not compute with it.
    """
    name = standardize_dtype(dtype)
    if name not in DTYPES:
        raise DtypeError(
            f"{function}: dtype {name!r} is not supported, programs compute in float32; expected one of "
            f"{', '.join(DTYPES)}"
        )
    return name


def result_type(*dtypes: Any) -> str:
    """The dtype of a result of operands of these dtypes; Python's ``int`` and ``float`` stand for plain numbers.

    Example:
        >>> result_type("int32", "float32"), result_type("int32", float), result_type("uint8", int)
        ('float32', 'float32', 'uint8')
        >>> result_type("bool", "bool"), result_type(int, bool)
        ('bool', 'int32')
    """
    if not dtypes:
        return FLOAT
    names = [_PYTHON[d] if isinstance(d, type) and d in _PYTHON else standardize_dtype(d) for d in dtypes]
    found = _join(frozenset(names))
    return {"int": "int32", "float": FLOAT}.get(found, found)


def of_array(array: np.ndarray) -> str:
    """The dtype under which a user's array enters a program: float32 for all floats, others as they are.

    Raises:
        DtypeError: it does not hold numbers.
    """
    if array.dtype.kind == "f":
        return FLOAT
    if array.dtype.kind == "c":
        return "complex64"
    name = array.dtype.name
    if name not in DTYPES:
        raise DtypeError(f"expected an array of numbers, received dtype {array.dtype}")
    return name


def is_float(dtype: Any) -> bool:
    """Whether numbers of this dtype have fractions.

    Example:
        >>> is_float("float32"), is_float("int32")
        (True, False)
    """
    name = standardize_dtype(dtype)
    return name.startswith(("float", "bfloat"))


def is_integer(dtype: Any) -> bool:
    """Whether they are whole numbers, with or without a sign; bool is no integer.

    Example:
        >>> is_integer("uint8"), is_integer("bool")
        (True, False)
    """
    return standardize_dtype(dtype).startswith(("int", "uint"))
