"""``keras.backend`` of Keras 2, usually imported as ``K``: functions on tensors, computed by ``pynn.ops``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from pynn import ops, settings
from pynn import random as _random
from pynn.errors import ArgumentError
from pynn.graph import dtypes
from pynn.graph.tensor import Tensor
from pynn.graph.variable import Variable
from pynn.legacy.notice import say_once
from pynn.legacy.spatial import batch_normalization as batch_normalization
from pynn.legacy.spatial import conv3d as conv3d
from pynn.legacy.spatial import depthwise_conv2d as depthwise_conv2d
from pynn.legacy.spatial import pool3d as pool3d
from pynn.legacy.spatial import resize_images as resize_images
from pynn.legacy.spatial import resize_volumes as resize_volumes
from pynn.legacy.spatial import separable_conv2d as separable_conv2d
from pynn.legacy.spatial import spatial_2d_padding as spatial_2d_padding
from pynn.legacy.spatial import spatial_3d_padding as spatial_3d_padding
from pynn.legacy.spatial import temporal_padding as temporal_padding
from pynn.utils.session import clear_session as _clear_session

# ---- settings ---------------------------------------------------------------------------------------------------


def backend() -> str:
    return settings.backend()


def epsilon() -> float:
    return settings.epsilon()


def set_epsilon(value: float) -> None:
    settings.set_epsilon(value)


def floatx() -> str:
    return settings.floatx()


def set_floatx(value: str) -> None:
    settings.set_floatx(value)


def image_data_format() -> str:
    return settings.image_data_format()


def set_image_data_format(data_format: str) -> None:
    settings.set_image_data_format(data_format)


def clear_session(free_memory: bool = True) -> None:
    _clear_session()


def learning_phase() -> int:
    """0: what runs outside ``fit`` is inference; layers take ``training`` as an argument."""
    return 0


# ---- making and reading -----------------------------------------------------------------------------------------


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Variable:
    made = Variable(value, dtype=dtype or floatx(), name=name)
    made.constraint = constraint
    return made


def constant(value: Any, dtype: Any = None, shape: Any = None, name: Any = None) -> Any:
    made = ops.convert_to_tensor(value, dtype or floatx())
    return made if shape is None else ops.broadcast_to(made, tuple(shape))


def zeros(shape: Any, dtype: Any = None, name: Any = None) -> Any:
    return ops.zeros(tuple(shape), dtype or floatx())


def ones(shape: Any, dtype: Any = None, name: Any = None) -> Any:
    return ops.ones(tuple(shape), dtype or floatx())


def zeros_like(x: Any, dtype: Any = None, name: Any = None) -> Any:
    return ops.zeros_like(x, dtype)


def ones_like(x: Any, dtype: Any = None, name: Any = None) -> Any:
    return ops.ones_like(x, dtype)


def eye(size: Any, dtype: Any = None, name: Any = None) -> Any:
    rows, columns = size if isinstance(size, list | tuple) else (size, size)
    return ops.eye(rows, columns, dtype=dtype or floatx())


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Any:
    return ops.arange(0 if stop is None else start, start if stop is None else stop, step, dtype)


def random_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    return _random.normal(shape, mean, stddev, dtype, seed)


def random_uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    return _random.uniform(shape, minval, maxval, dtype, seed)


def truncated_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    return _random.truncated_normal(shape, mean, stddev, dtype, seed)


def random_bernoulli(shape: Any, p: float = 0.0, dtype: Any = None, seed: Any = None) -> Any:
    return ops.cast(ops.less(_random.uniform(shape, seed=seed), p), dtype or floatx())


def random_normal_variable(
    shape: Any, mean: float, scale: float, dtype: Any = None, name: str | None = None, seed: Any = None
) -> Variable:
    return variable(_random.normal(shape, mean, scale, seed=seed), dtype, name)


def random_uniform_variable(
    shape: Any, low: float, high: float, dtype: Any = None, name: str | None = None, seed: Any = None
) -> Variable:
    return variable(_random.uniform(shape, low, high, seed=seed), dtype, name)


def get_value(x: Any) -> np.ndarray:
    return ops.convert_to_numpy(x)


def set_value(x: Variable, value: Any) -> None:
    x.assign(value)


def batch_get_value(tensors: Iterable[Any]) -> list[np.ndarray]:
    return [get_value(x) for x in tensors]


def batch_set_value(tuples: Iterable[tuple[Variable, Any]]) -> None:
    for x, value in tuples:
        x.assign(value)


eval = get_value


def update(x: Variable, new_x: Any) -> Any:
    return x.assign(new_x)


def update_add(x: Variable, increment: Any) -> Any:
    return x.assign_add(increment)


def update_sub(x: Variable, decrement: Any) -> Any:
    return x.assign_sub(decrement)


def moving_average_update(x: Variable, value: Any, momentum: float) -> Any:
    return x.assign(x * momentum + value * (1 - momentum))


def int_shape(x: Any) -> Any:
    return tuple(ops.shape(x))


def shape(x: Any) -> Any:
    return ops.shape(x)


def ndim(x: Any) -> int:
    return ops.ndim(x)


def dtype(x: Any) -> str:
    return dtypes.standardize_dtype(x.dtype)


def count_params(x: Any) -> int:
    return ops.size(x) or 0


def is_keras_tensor(x: Any) -> bool:
    from pynn.graph.symbolic import KerasTensor

    return isinstance(x, KerasTensor)


def is_sparse(tensor: Any) -> bool:
    return False


def to_dense(tensor: Any) -> Any:
    return tensor


def cast(x: Any, dtype: Any) -> Any:
    return ops.cast(x, dtype)


def cast_to_floatx(x: Any) -> Any:
    return ops.cast(x, floatx()) if ops.is_tensor(x) else np.asarray(x, floatx())


# ---- element by element -----------------------------------------------------------------------------------------


def _as_op(name: str, op: str | None = None) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        return getattr(ops, op or name)(*args, **kwargs)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"``keras.ops.{op or name}``."
    return function


abs, square, exp, log, sin, cos = map(_as_op, ("abs", "square", "exp", "log", "sin", "cos"))
sign, round, tanh, sigmoid, hard_sigmoid = map(_as_op, ("sign", "round", "tanh", "sigmoid", "hard_sigmoid"))
softplus, softsign, elu, stop_gradient = map(_as_op, ("softplus", "softsign", "elu", "stop_gradient"))
equal, not_equal, greater, greater_equal = map(_as_op, ("equal", "not_equal", "greater", "greater_equal"))
less, less_equal, maximum, minimum = map(_as_op, ("less", "less_equal", "maximum", "minimum"))
pow = _as_op("pow", "power")
softmax, squeeze, stack, tile, transpose = map(_as_op, ("softmax", "squeeze", "stack", "tile", "transpose"))


def sqrt(x: Any) -> Any:
    """Of numbers below 0 it is 0."""
    return ops.sqrt(ops.maximum(x, 0.0))


def clip(x: Any, min_value: Any, max_value: Any) -> Any:
    low = -np.inf if min_value is None else min_value
    return ops.clip(x, low, np.inf if max_value is None else max_value)


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    if not alpha and max_value is None and not threshold:
        return ops.relu(x)
    from pynn import activations

    return activations.relu(x, negative_slope=alpha, max_value=max_value, threshold=threshold)


def dropout(x: Any, level: float, noise_shape: Any = None, seed: Any = None) -> Any:
    return _random.dropout(x, level, noise_shape, seed)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Expressions may be functions without arguments."""
    chosen = [e() if callable(e) else e for e in (then_expression, else_expression)]
    for _ in range(ops.ndim(chosen[0]) - ops.ndim(condition)):
        condition = ops.expand_dims(condition, -1)
    return ops.where(condition, *chosen)


# ---- reductions -------------------------------------------------------------------------------------------------


def _reduction(name: str) -> Callable[..., Any]:
    def function(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return getattr(ops, name)(x, tuple(axis) if isinstance(axis, list) else axis, keepdims)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"``keras.ops.{name}``."
    return function


sum, prod, max, min, std, var = map(_reduction, ("sum", "prod", "max", "min", "std", "var"))
any, all = map(_reduction, ("any", "all"))


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = ops.cast(x, floatx()) if dtypes.standardize_dtype(ops.dtype(x)) == "bool" else x
    return ops.mean(x, tuple(axis) if isinstance(axis, list) else axis, keepdims)


def argmax(x: Any, axis: int = -1) -> Any:
    return ops.argmax(x, axis)


def argmin(x: Any, axis: int = -1) -> Any:
    return ops.argmin(x, axis)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return ops.logsumexp(x, axis, keepdims)


def cumsum(x: Any, axis: int = 0) -> Any:
    return ops.cumsum(x, axis)


def cumprod(x: Any, axis: int = 0) -> Any:
    return ops.cumprod(x, axis)


def l2_normalize(x: Any, axis: Any = None) -> Any:
    """x / sqrt(max(sum(x²), 1e-12))."""
    return ops.multiply(x, ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis, keepdims=True), 1e-12)))


# ---- shapes and products ----------------------------------------------------------------------------------------


def reshape(x: Any, shape: Any) -> Any:
    return ops.reshape(x, tuple(shape))


def flatten(x: Any) -> Any:
    return ops.reshape(x, (-1,))


def batch_flatten(x: Any) -> Any:
    return ops.reshape(x, (-1, math.prod(n or 1 for n in ops.shape(x)[1:])))


def expand_dims(x: Any, axis: int = -1) -> Any:
    return ops.expand_dims(x, axis)


def permute_dimensions(x: Any, pattern: Sequence[int]) -> Any:
    return ops.transpose(x, tuple(pattern))


def concatenate(tensors: Sequence[Any], axis: int = -1) -> Any:
    return ops.concatenate(tensors, axis)


def repeat(x: Any, n: int) -> Any:
    """``(samples, features)`` -> ``(samples, n, features)``."""
    return ops.repeat(ops.expand_dims(x, 1), n, 1)


def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    return ops.repeat(x, rep, axis)


def reverse(x: Any, axes: Any) -> Any:
    return ops.flip(x, axes)


def gather(reference: Any, indices: Any) -> Any:
    return ops.take(reference, indices, 0)


def one_hot(indices: Any, num_classes: int) -> Any:
    return ops.one_hot(indices, num_classes)


def in_top_k(predictions: Any, targets: Any, k: int) -> Any:
    return ops.in_top_k(targets, predictions, k)


def dot(x: Any, y: Any) -> Any:
    """The last axis of ``x`` with the last but one of ``y``."""
    return ops.dot(x, y)


def batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """For each sample: the product over one axis of ``x`` and one of ``y``, numbered with the batch axis as 0."""
    from pynn.layers import dot as _dot

    if axes is None:
        axes = (ops.ndim(x) - 1, 1 if ops.ndim(y) == 2 else ops.ndim(y) - 2)
    return _dot([x, y], axes=tuple(axes) if isinstance(axes, list) else axes)


def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Any:
    if data_format == "channels_first":
        bias = ops.reshape(bias, (-1, *[1] * (ops.ndim(x) - 2)))
    return ops.add(x, bias)


def map_fn(fn: Callable[[Any], Any], elems: Any, name: Any = None, dtype: Any = None) -> Any:
    return ops.map(fn, elems)


def foldl(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: Any = None) -> Any:
    rows = ops.unstack(elems)
    total, rest = (rows[0], rows[1:]) if initializer is None else (initializer, rows)
    for row in rest:
        total = fn(total, row)
    return total


def foldr(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: Any = None) -> Any:
    return foldl(fn, ops.flip(elems, 0), initializer)


# ---- losses, convolutions ---------------------------------------------------------------------------------------


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    return ops.binary_crossentropy(target, output, from_logits)


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    return ops.categorical_crossentropy(target, output, from_logits, axis)


def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    return ops.sparse_categorical_crossentropy(target, output, from_logits, axis)


def conv2d(
    x: Any, kernel: Any, strides: Any = (1, 1), padding: str = "valid", data_format: Any = None,
    dilation_rate: Any = (1, 1),
) -> Any:  # fmt: skip
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


conv1d = _as_op("conv1d", "conv")


def pool2d(
    x: Any, pool_size: Any, strides: Any = (1, 1), padding: str = "valid", data_format: Any = None,
    pool_mode: str = "max",
) -> Any:  # fmt: skip
    if pool_mode not in ("max", "avg"):
        raise ArgumentError(f"K.pool2d: pool_mode must be 'max' or 'avg', received {pool_mode!r}")
    return (ops.max_pool if pool_mode == "max" else ops.average_pool)(x, pool_size, strides, padding, data_format)


def gradients(loss: Any, variables: Any) -> Any:
    """There is no graph to ask.

    Raises:
        ArgumentError: always; it says what to write.
    """
    raise ArgumentError("K.gradients needs a graph of TensorFlow 1; use pynn.GradientTape or pynn.grad")


def function(inputs: Sequence[Any], outputs: Any, updates: Any = None, **kwargs: Any) -> Callable[[Sequence[Any]], Any]:
    """A function of arrays: what symbolic ``outputs`` are for given ``inputs``.

    Args:
        inputs: symbolic tensors, such as ``[model.input]``.
        outputs: what was made of them, one or a list.
    """
    from pynn.models import Model

    if updates:
        raise ArgumentError("K.function: updates are not supported; assign variables in a layer or a train_step")
    several = isinstance(outputs, list | tuple)
    model = Model(list(inputs), list(outputs) if several else [outputs])

    def run(arrays: Sequence[Any]) -> Any:
        results = model([ops.convert_to_tensor(a) for a in arrays], training=False)
        results = [np.asarray(r).view(Tensor) for r in (results if isinstance(results, list | tuple) else [results])]
        return results if several else results[0]

    return run


def note_use(name: str) -> None:
    """Say once that this function has a successor."""
    say_once(f"keras.backend.{name}", "the function of the same purpose in keras.ops, keras.config or keras.random", 4)
