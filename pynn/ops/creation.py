"""New arrays from numbers, and questions about arrays.

Nothing here depends on what a program computes: outside of a trace the result is made by NumPy at once, inside it is a
constant of the graph.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.graph import dtypes
from pynn.graph.dtypes import checked_dtype
from pynn.graph.ir import Value
from pynn.graph.symbolic import KerasTensor, on_its_own
from pynn.graph.tensor import Tensor
from pynn.graph.trace import current, is_tracing
from pynn.graph.variable import Variable


def _new(array: np.ndarray, dtype: str) -> Any:
    """A constant inside a trace, else an array."""
    if is_tracing():
        return current().constant(array, dtype)
    return np.asarray(array, dtype).view(Tensor)


def _filled(shape: Any, number: Any, dtype: str) -> Any:
    from pynn.ops.shape import broadcast_to

    sizes = _sizes(shape)
    if is_tracing():  # one number to repeat, not an array of constants
        return broadcast_to(current().constant(number, dtype), sizes)
    return np.full(sizes, number, dtype).view(Tensor)


def _sizes(shape: Any) -> tuple[int, ...]:
    sizes = np.asarray(shape)
    whole = sizes.dtype.kind in "iu" or (sizes.size == 0 and isinstance(shape, list | tuple))
    if sizes.ndim > 1 or not whole or (sizes < 0).any():
        raise ArgumentError(f"shape: expected whole numbers that are not negative, received {shape!r}")
    return tuple(int(n) for n in np.atleast_1d(sizes))


@on_its_own
def zeros(shape: Any, dtype: Any = None) -> Any:
    """Zeros, float32 by default.

    Example:
        >>> from pynn import ops
        >>> ops.zeros((2, 3), "int32")
        array([[0, 0, 0],
               [0, 0, 0]], dtype=int32)
    """
    return _filled(shape, 0, checked_dtype("zeros", dtype))


@on_its_own
def ones(shape: Any, dtype: Any = None) -> Any:
    """Ones, float32 by default.

    Example:
        >>> from pynn import ops
        >>> ops.ones(2)
        array([1., 1.], dtype=float32)
    """
    return _filled(shape, 1, checked_dtype("ones", dtype))


@on_its_own
def empty(shape: Any, dtype: Any = None) -> Any:
    """An array whose numbers nobody has chosen: zeros, float32 by default."""
    return _filled(shape, 0, checked_dtype("empty", dtype))


@on_its_own
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """``fill_value`` repeated to ``shape``, float32 by default.

    Example:
        >>> from pynn import ops
        >>> ops.full((2,), 7.0)
        array([7., 7.], dtype=float32)
    """
    from pynn import ops

    name = checked_dtype("full", dtype)
    if isinstance(fill_value, Value | Variable) or np.ndim(fill_value):
        return ops.broadcast_to(ops.cast(fill_value, name), _sizes(shape))
    return _filled(shape, fill_value, name)


@on_its_own
def array(x: Any, dtype: Any = None) -> Any:
    """``x`` as a tensor; the same as :func:`convert_to_tensor`.

    Example:
        >>> from pynn import ops
        >>> ops.array([1, 2])
        array([1, 2], dtype=int32)
    """
    return convert_to_tensor(x, dtype)


@on_its_own
def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> Any:
    """``x``, a number, a list, an array or a variable, as a tensor: floats as float32, others as they are.

    Args:
        x: anything NumPy takes, or a tensor.
        dtype: of the result; what fits ``x`` by default.
        sparse: only None and False: tensors are dense.
        ragged: only None and False.

    Example:
        >>> from pynn import ops
        >>> ops.convert_to_tensor([[1, 2], [3, 4]]).numpy()
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    from pynn import ops

    if sparse or ragged:
        raise ArgumentError(f"convert_to_tensor: tensors are dense; received sparse={sparse!r}, ragged={ragged!r}")
    if isinstance(x, Variable):
        x = current().read(x) if is_tracing() else x.numpy()
    if isinstance(x, Value | KerasTensor):
        return x if dtype is None else ops.cast(x, dtype)
    if isinstance(x, list | tuple) and any(isinstance(item, Value | KerasTensor) for item in x):
        stacked = ops.stack([convert_to_tensor(item) for item in x])
        return stacked if dtype is None else ops.cast(stacked, dtype)
    numbers = np.asarray(x)
    name = dtypes.of_array(numbers) if dtype is None else checked_dtype("convert_to_tensor", dtype)
    if dtype is None and name == "int64" and not isinstance(x, np.ndarray | np.generic):
        name = "int32"  # Python's own whole numbers
    return _new(numbers.astype(name) if name == "bool" else numbers, name)


@on_its_own
def convert_to_numpy(x: Any) -> np.ndarray:
    """The numbers of a tensor, variable or list as a NumPy array.

    Raises:
        TypeError: ``x`` belongs to a trace or a model: it has no numbers yet.
    """
    return np.array(x)


@on_its_own
def is_tensor(x: Any) -> bool:
    """Whether ``x`` is a result of ops, an array or a variable, and not a Python number or list.

    Example:
        >>> from pynn import ops
        >>> ops.is_tensor([1, 2])
        False
    """
    return isinstance(x, Value | KerasTensor | np.ndarray | Variable)


@on_its_own
def shape(x: Any) -> tuple[int | None, ...]:
    """The shape as a tuple; None for the unknown lengths of a symbolic tensor.

    Example:
        >>> from pynn import ops
        >>> ops.shape([[1, 2, 3]])
        (1, 3)
    """
    return tuple(getattr(x, "shape", None) if hasattr(x, "shape") else np.shape(x))  # type: ignore[arg-type]


@on_its_own
def ndim(x: Any) -> int:
    """The number of axes.

    Example:
        >>> from pynn import ops
        >>> ops.ndim([[1, 2]])
        2
    """
    return len(shape(x))


@on_its_own
def size(x: Any) -> int | None:
    """The number of elements; None if a symbolic tensor's is unknown.

    Example:
        >>> from pynn import ops
        >>> ops.size([[1, 2]])
        2
    """
    sizes = shape(x)
    return None if None in sizes else math.prod(n for n in sizes if n is not None)


@on_its_own
def dtype(x: Any) -> str:
    """The name of the dtype: ``"float32"``.

    Example:
        >>> from pynn import ops
        >>> ops.dtype([1, 2])
        'int32'
    """
    return str(x.dtype) if hasattr(x, "dtype") else str(convert_to_tensor(x).dtype)


@on_its_own
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Numbers from ``start`` (0 if it is the only one) up to, not including, ``stop``.

    Example:
        >>> from pynn import ops
        >>> ops.arange(3), ops.arange(1, 2, 0.5)
        (array([0, 1, 2], dtype=int32), array([1. , 1.5], dtype=float32))
    """
    numbers = [_number("arange", n) for n in (start, stop, step) if n is not None]
    name = dtypes.result_type(*map(type, numbers)) if dtype is None else checked_dtype("arange", dtype)
    if step is not None and numbers[-1] == 0:
        raise ArgumentError("arange: step must not be 0")
    first, last = (0, numbers[0]) if stop is None else (numbers[0], numbers[1])
    return _new(np.arange(first, last, 1 if step is None else numbers[-1]).astype(name), name)


def _number(function: str, x: Any) -> Any:
    """A Python number: lengths must be known when a step is traced."""
    if isinstance(x, bool | int | float):
        return x
    if isinstance(x, Value | KerasTensor):
        raise ArgumentError(
            f"{function}: expected plain numbers, received {x!r}: lengths must be known before a program runs"
        )
    array = np.asarray(x)
    if array.size != 1 or array.dtype.kind not in "biuf":
        raise ArgumentError(f"{function}: expected a number, received {type(x).__name__} of shape {array.shape}")
    return array.item()


@on_its_own
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """``num`` numbers at equal distances from ``start`` to ``stop``, which may be arrays; with the distance if
    ``retstep``.

    Example:
        >>> from pynn import ops
        >>> ops.linspace(0.0, 1.0, 5)
        array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    name = checked_dtype("linspace", dtype)
    numbers, step = np.linspace(np.asarray(start), np.asarray(stop), num, endpoint=endpoint, retstep=True, axis=axis)
    made = _new(numbers.astype(name), name)
    return (made, _new(np.asarray(step, dtypes.FLOAT), dtypes.FLOAT)) if retstep else made


@on_its_own
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: float = 10, dtype: Any = None, axis: int = 0
) -> Any:
    """``base`` to the powers that :func:`linspace` gives.

    Example:
        >>> from pynn import ops
        >>> ops.logspace(0.0, 2.0, 3).round(4)
        array([  1.,  10., 100.], dtype=float32)
    """
    name = checked_dtype("logspace", dtype)
    return _new(np.logspace(np.asarray(start), np.asarray(stop), num, endpoint, base, axis=axis).astype(name), name)


@on_its_own
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """``num`` numbers of equal ratios from ``start`` to ``stop``.

    Example:
        >>> from pynn import ops
        >>> ops.geomspace(1.0, 100.0, 3).round(4)
        array([  1.,  10., 100.], dtype=float32)
    """
    name = checked_dtype("geomspace", dtype)
    return _new(np.geomspace(np.asarray(start), np.asarray(stop), num, endpoint, axis=axis).astype(name), name)


@on_its_own
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones on the ``k``-th diagonal of an ``N x M`` matrix of zeros.

    Example:
        >>> from pynn import ops
        >>> ops.eye(2)
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    name = checked_dtype("eye", dtype)
    return _new(np.eye(_number("eye", N), None if M is None else _number("eye", M), k).astype(name), name)


@on_its_own
def identity(n: int, dtype: Any = None) -> Any:
    """The ``n x n`` matrix with ones on its diagonal.

    Example:
        >>> from pynn import ops
        >>> ops.identity(2)
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    return eye(n, dtype=dtype)


@on_its_own
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones on and below the ``k``-th diagonal of an ``N x M`` matrix of zeros.

    Example:
        >>> from pynn import ops
        >>> ops.tri(2)
        array([[1., 0.],
               [1., 1.]], dtype=float32)
    """
    name = checked_dtype("tri", dtype)
    return _new(np.tri(N, M, k).astype(name), name)
