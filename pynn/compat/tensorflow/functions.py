"""TensorFlow's functions on tensors: its names, arguments and defaults, computed by ``pynn.ops``."""

from __future__ import annotations

import builtins
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph import dtypes

# ---- making and converting ------------------------------------------------------------------------------------


def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: Any = None) -> Any:
    return ops.convert_to_tensor(value, _dtype(dtype or dtype_hint))


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str = "Const") -> Any:
    tensor = convert_to_tensor(value, dtype)
    if shape is None:
        return tensor
    shape = tuple(shape)
    return ops.broadcast_to(tensor, shape) if ops.size(tensor) == 1 else ops.reshape(tensor, shape)


def cast(x: Any, dtype: Any, name: Any = None) -> Any:
    return ops.cast(x, _dtype(dtype))


def zeros(shape: Any, dtype: Any = "float32", name: Any = None) -> Any:
    return ops.zeros(_shape(shape), _dtype(dtype))


def ones(shape: Any, dtype: Any = "float32", name: Any = None) -> Any:
    return ops.ones(_shape(shape), _dtype(dtype))


def fill(dims: Any, value: Any, name: Any = None) -> Any:
    return ops.full(_shape(dims), value, dtypes.result_type(type(value)) if isinstance(value, int | float) else None)


def zeros_like(input: Any, dtype: Any = None, name: Any = None) -> Any:
    return ops.zeros_like(input, _dtype(dtype))


def ones_like(input: Any, dtype: Any = None, name: Any = None) -> Any:
    return ops.ones_like(input, _dtype(dtype))


def eye(num_rows: int, num_columns: int | None = None, dtype: Any = "float32", name: Any = None) -> Any:
    return ops.eye(num_rows, num_columns, dtype=_dtype(dtype))


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: Any = None) -> Any:
    start, limit = (0, start) if limit is None else (start, limit)
    return ops.arange(_number(start), _number(limit), _number(delta), dtype=_dtype(dtype))


def linspace(start: Any, stop: Any, num: int, name: Any = None, axis: int = 0) -> Any:
    return ops.linspace(start, stop, int(num), axis=axis)


def one_hot(
    indices: Any, depth: int, on_value: Any = None, off_value: Any = None, axis: int | None = None, dtype: Any = None,
    name: Any = None,
) -> Any:  # fmt: skip
    hot = ops.one_hot(indices, int(depth), axis=-1 if axis is None else axis, dtype=_dtype(dtype) or "float32")
    if on_value is None and off_value is None:
        return hot
    on, off = 1 if on_value is None else on_value, 0 if off_value is None else off_value
    return hot * (on - off) + off


def identity(input: Any, name: Any = None) -> Any:
    return ops.convert_to_tensor(input)


def is_tensor(x: Any) -> builtins.bool:
    return ops.is_tensor(x)


# ---- shapes ---------------------------------------------------------------------------------------------------


def shape(input: Any, out_type: Any = None, name: Any = None) -> Any:
    """A tuple of plain numbers (None where a symbolic tensor's length is unknown), not a tensor: shapes are fixed."""
    return ops.shape(input)


def rank(input: Any, name: Any = None) -> int:
    return ops.ndim(input)


def size(input: Any, out_type: Any = None, name: Any = None) -> int | None:
    return ops.size(input)


def reshape(tensor: Any, shape: Any, name: Any = None) -> Any:
    return ops.reshape(tensor, _shape(shape))


def expand_dims(input: Any, axis: int, name: Any = None) -> Any:
    return ops.expand_dims(input, axis)


def squeeze(input: Any, axis: Any = None, name: Any = None) -> Any:
    return ops.squeeze(input, axis)


def transpose(a: Any, perm: Any = None, conjugate: builtins.bool = False, name: str = "transpose") -> Any:
    result = ops.transpose(a, perm)
    return ops.conjugate(result) if conjugate else result


def broadcast_to(input: Any, shape: Any, name: Any = None) -> Any:
    return ops.broadcast_to(input, _shape(shape))


def concat(values: Sequence[Any], axis: int, name: str = "concat") -> Any:
    return ops.concatenate(values, axis=axis)


def stack(values: Sequence[Any], axis: int = 0, name: str = "stack") -> Any:
    return ops.stack(values, axis=axis)


def unstack(value: Any, num: int | None = None, axis: int = 0, name: str = "unstack") -> Any:
    return ops.unstack(value, num, axis)


def split(value: Any, num_or_size_splits: Any, axis: int = 0, num: Any = None, name: str = "split") -> Any:
    """``num_or_size_splits``: how many equal parts, or the length of each (not where to cut, as in NumPy)."""
    if isinstance(num_or_size_splits, int | np.integer):
        return ops.split(value, int(num_or_size_splits), axis=axis)
    sizes = [int(n) for n in num_or_size_splits]
    if -1 in sizes:
        sizes[sizes.index(-1)] = ops.shape(value)[axis] - sum(sizes) - 1  # type: ignore[operator]
    return ops.split(value, [int(n) for n in np.cumsum(sizes)[:-1]], axis=axis)


def tile(input: Any, multiples: Any, name: Any = None) -> Any:
    return ops.tile(input, _shape(multiples))


def repeat(input: Any, repeats: Any, axis: int | None = None, name: Any = None) -> Any:
    return ops.repeat(input, repeats, axis)


def roll(input: Any, shift: Any, axis: Any, name: Any = None) -> Any:
    return ops.roll(input, shift, axis)


def reverse(tensor: Any, axis: Any, name: Any = None) -> Any:
    return ops.flip(tensor, axis)


def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: Any = None) -> Any:
    widths = [tuple(int(n) for n in pair) for pair in np.asarray(paddings)]
    mode = mode.lower()
    return ops.pad(tensor, widths, mode, constant_values if mode == "constant" else None)


def gather(
    params: Any, indices: Any, validate_indices: Any = None, axis: int | None = None, batch_dims: int = 0,
    name: Any = None,
) -> Any:  # fmt: skip
    if batch_dims:
        raise ArgumentError(f"tf.gather: batch_dims={batch_dims} is not supported; use keras.ops.take_along_axis")
    return ops.take(params, indices, 0 if axis is None else axis)


def where(condition: Any, x: Any = None, y: Any = None, name: Any = None) -> Any:
    """Without ``x`` and ``y``: the positions where ``condition`` holds, one row for each."""
    if x is None and y is None:
        return ops.stack(ops.nonzero(condition), axis=1)
    return ops.where(condition, x, y)


# ---- arithmetic -----------------------------------------------------------------------------------------------


def _unary(name: str, op: str | None = None) -> Callable[..., Any]:
    def function(x: Any, name: Any = None) -> Any:
        return getattr(ops, op or function.__name__)(x)

    function.__name__ = function.__qualname__ = name
    return function


def _binary(name: str, op: str | None = None) -> Callable[..., Any]:
    def function(x: Any, y: Any, name: Any = None) -> Any:
        return getattr(ops, op or function.__name__)(x, y)

    function.__name__ = function.__qualname__ = name
    return function


abs, negative, sign, square, sqrt = map(_unary, ("abs", "negative", "sign", "square", "sqrt"))
exp, sin, cos, tan, sinh, cosh, tanh = map(_unary, ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh"))
sigmoid, floor, round, logical_not = map(_unary, ("sigmoid", "floor", "round", "logical_not"))
asin, acos, atan = _unary("asin", "arcsin"), _unary("acos", "arccos"), _unary("atan", "arctan")
stop_gradient = _unary("stop_gradient")
add, subtract, multiply, divide = map(_binary, ("add", "subtract", "multiply", "divide"))
maximum, minimum, equal, not_equal = map(_binary, ("maximum", "minimum", "equal", "not_equal"))
greater, greater_equal, less, less_equal = map(_binary, ("greater", "greater_equal", "less", "less_equal"))
logical_and, logical_or = _binary("logical_and"), _binary("logical_or")
truediv, pow = _binary("truediv", "divide"), _binary("pow", "power")


def add_n(inputs: Sequence[Any], name: Any = None) -> Any:
    total = inputs[0]
    for item in inputs[1:]:
        total = ops.add(total, item)
    return total


def matmul(
    a: Any, b: Any, transpose_a: builtins.bool = False, transpose_b: builtins.bool = False, name: Any = None
) -> Any:
    a = ops.swapaxes(a, -1, -2) if transpose_a else a
    return ops.matmul(a, ops.swapaxes(b, -1, -2) if transpose_b else b)


def tensordot(a: Any, b: Any, axes: Any, name: Any = None) -> Any:
    return ops.tensordot(a, b, axes)


def einsum(equation: str, *inputs: Any, name: Any = None) -> Any:
    return ops.einsum(equation, *inputs)


def norm(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: builtins.bool = False, name: Any = None
) -> Any:
    """Over all numbers by default; of a matrix "euclidean" is the square root of the sum of squares."""
    if ord == "euclidean":
        return ops.sqrt(ops.sum(ops.square(tensor), axis, keepdims))
    return ops.norm(ops.ravel(tensor) if axis is None else tensor, ord, axis, keepdims)


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: Any = None) -> Any:
    return ops.clip(t, clip_value_min, clip_value_max)


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: Any = None) -> Any:
    length = ops.sqrt(ops.sum(ops.square(t), axes, keepdims=True))
    return ops.divide(ops.multiply(t, clip_norm), ops.maximum(length, clip_norm))


def cumsum(
    x: Any, axis: int = 0, exclusive: builtins.bool = False, reverse: builtins.bool = False, name: Any = None
) -> Any:
    turned = ops.flip(x, axis) if reverse else x
    total = ops.cumsum(turned, axis)
    total = total - turned if exclusive else total
    return ops.flip(total, axis) if reverse else total


# ---- reductions -----------------------------------------------------------------------------------------------


def _reduction(name: str, op: str) -> Callable[..., Any]:
    def function(input_tensor: Any, axis: Any = None, keepdims: builtins.bool = False, name: Any = None) -> Any:
        axes = tuple(axis) if isinstance(axis, list) else axis
        return getattr(ops, op)(input_tensor, axes, keepdims)

    function.__name__ = function.__qualname__ = name
    return function


def reduce_mean(input_tensor: Any, axis: Any = None, keepdims: builtins.bool = False, name: Any = None) -> Any:
    """Whole numbers give a whole number, as in TensorFlow."""
    mean = ops.mean(input_tensor, tuple(axis) if isinstance(axis, list) else axis, keepdims)
    dtype = getattr(input_tensor, "dtype", None)
    whole = dtype is not None and dtypes.is_integer(dtype)
    return ops.cast(ops.trunc(mean), dtypes.standardize_dtype(dtype)) if whole else mean


reduce_sum, reduce_max = _reduction("reduce_sum", "sum"), _reduction("reduce_max", "max")
reduce_min, reduce_prod = _reduction("reduce_min", "min"), _reduction("reduce_prod", "prod")
reduce_any, reduce_all = _reduction("reduce_any", "any"), _reduction("reduce_all", "all")
reduce_logsumexp = _reduction("reduce_logsumexp", "logsumexp")
reduce_std, reduce_variance = _reduction("reduce_std", "std"), _reduction("reduce_variance", "var")


def argmax(input: Any, axis: int | None = None, output_type: Any = "int64", name: Any = None) -> Any:
    """Over axis 0 unless told otherwise."""
    return ops.cast(ops.argmax(input, 0 if axis is None else axis), _dtype(output_type))


def argmin(input: Any, axis: int | None = None, output_type: Any = "int64", name: Any = None) -> Any:
    """Over axis 0 unless told otherwise."""
    return ops.cast(ops.argmin(input, 0 if axis is None else axis), _dtype(output_type))


def sort(values: Any, axis: int = -1, direction: str = "ASCENDING", name: Any = None) -> Any:
    result = ops.sort(values, axis)
    return ops.flip(result, axis) if _descends("sort", direction) else result


def argsort(
    values: Any, axis: int = -1, direction: str = "ASCENDING", stable: builtins.bool = False, name: Any = None
) -> Any:
    """Always stable, as TensorFlow's is."""
    return ops.argsort(ops.negative(values) if _descends("argsort", direction) else values, axis)


# ---- control --------------------------------------------------------------------------------------------------


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any], name: Any = None) -> Any:
    return ops.cond(pred, true_fn, false_fn)


def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    return ops.while_loop(cond, body, loop_vars, maximum_iterations)


def map_fn(fn: Callable[[Any], Any], elems: Any, name: Any = None) -> Any:
    return ops.map(fn, elems)


def print(*inputs: Any, **options: Any) -> None:
    """Python's; inside a compiled function it happens while tracing only."""
    builtins.print(*inputs, end=options.get("end", "\n"), sep=options.get("sep", " "))


def device(device_name: Any) -> Any:
    """A block without effect: there is one device."""
    return contextlib.nullcontext(device_name)


def get_logger() -> logging.Logger:
    return logging.getLogger("tensorflow")


def executing_eagerly() -> builtins.bool:
    from pynn.graph import trace

    return not trace.is_tracing()


# ---- shared ---------------------------------------------------------------------------------------------------


def _dtype(dtype: Any) -> str | None:
    return None if dtype is None else dtypes.standardize_dtype(dtype)


def _shape(shape: Any) -> tuple[int, ...]:
    if isinstance(shape, int | np.integer):
        return (int(shape),)
    return tuple(int(n) for n in shape)


def _number(x: Any) -> Any:
    return x.item() if isinstance(x, np.ndarray | np.generic) else x


def _descends(function: str, direction: str) -> builtins.bool:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ArgumentError(f"tf.{function}: direction must be 'ASCENDING' or 'DESCENDING', received {direction!r}")
    return direction == "DESCENDING"
