"""``tensorflow.nn``."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import ops
from pynn.compat.importing import missing
from pynn.compat.tensorflow import WAY_OUT
from pynn.compat.tensorflow.functions import tanh as tanh
from pynn.errors import ArgumentError


def __getattr__(name: str) -> Any:
    raise missing("tensorflow.nn", name, WAY_OUT) if not name.startswith("__") else AttributeError(name)


def relu(features: Any, name: Any = None) -> Any:
    return ops.relu(features)


def relu6(features: Any, name: Any = None) -> Any:
    return ops.relu6(features)


def elu(features: Any, name: Any = None) -> Any:
    return ops.elu(features)


def selu(features: Any, name: Any = None) -> Any:
    return ops.selu(features)


def gelu(features: Any, approximate: bool = False, name: Any = None) -> Any:
    """The exact one unless told otherwise."""
    return ops.gelu(features, approximate)


def silu(features: Any, beta: float = 1.0) -> Any:
    return ops.multiply(features, ops.sigmoid(ops.multiply(beta, features)))


swish = silu


def leaky_relu(features: Any, alpha: float = 0.2, name: Any = None) -> Any:
    return ops.leaky_relu(features, alpha)


def softplus(features: Any, name: Any = None) -> Any:
    return ops.softplus(features)


def sigmoid(x: Any, name: Any = None) -> Any:
    return ops.sigmoid(x)


def softmax(logits: Any, axis: int | None = None, name: Any = None) -> Any:
    return ops.softmax(logits, -1 if axis is None else axis)


def log_softmax(logits: Any, axis: int | None = None, name: Any = None) -> Any:
    return ops.log_softmax(logits, -1 if axis is None else axis)


def dropout(x: Any, rate: float, noise_shape: Any = None, seed: Any = None, name: Any = None) -> Any:
    from pynn import random

    return random.dropout(x, rate, noise_shape, seed)


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: Any = None) -> Any:
    """x / sqrt(max(sum(x²), epsilon)), over all numbers unless an axis is given."""
    return ops.multiply(x, ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis, keepdims=True), epsilon)))


def moments(x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: Any = None) -> Any:
    return ops.moments(x, axes, keepdims)


def top_k(input: Any, k: int = 1, sorted: bool = True, name: Any = None) -> Any:
    return ops.top_k(input, k, sorted)


def bias_add(value: Any, bias: Any, data_format: Any = None, name: Any = None) -> Any:
    _last("bias_add", data_format)
    return ops.add(value, bias)


def embedding_lookup(params: Any, ids: Any, max_norm: Any = None, name: Any = None) -> Any:
    if max_norm is not None:
        raise ArgumentError("tf.nn.embedding_lookup: max_norm is not supported; clip the rows yourself")
    return ops.take(params, ids, 0)


def conv2d(
    input: Any, filters: Any, strides: Any, padding: Any, data_format: str = "NHWC", dilations: Any = None,
    name: Any = None,
) -> Any:  # fmt: skip
    _last("conv2d", data_format)
    return ops.conv(input, filters, _spatial(strides), _padding("conv2d", padding), None, _spatial(dilations or 1))


def max_pool2d(input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC", name: Any = None) -> Any:
    _last("max_pool2d", data_format)
    return ops.max_pool(input, _spatial(ksize), _spatial(strides), _padding("max_pool2d", padding))


def avg_pool2d(input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC", name: Any = None) -> Any:
    _last("avg_pool2d", data_format)
    return ops.average_pool(input, _spatial(ksize), _spatial(strides), _padding("avg_pool2d", padding))


max_pool, avg_pool = max_pool2d, avg_pool2d


def sigmoid_cross_entropy_with_logits(labels: Any = None, logits: Any = None, name: Any = None) -> Any:
    """max(x, 0) - x z + log(1 + exp(-|x|)), for each number."""
    labels, logits = ops.convert_to_tensor(labels), ops.convert_to_tensor(logits)
    return ops.maximum(logits, 0.0) - logits * labels + ops.log1p(ops.exp(-ops.abs(logits)))


def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: int = -1, name: Any = None) -> Any:
    return ops.negative(ops.sum(ops.multiply(labels, ops.log_softmax(logits, axis)), axis))


def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any, name: Any = None) -> Any:
    return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def _last(function: str, data_format: str | None) -> None:
    if data_format not in (None, "NHWC", "N..C"):
        raise ArgumentError(f"tf.nn.{function}: data_format must be 'NHWC', received {data_format!r}; transpose first")


def _spatial(lengths: Any) -> Any:
    """``[1, s, s, 1]`` -> ``(s, s)``."""
    lengths = np.atleast_1d(np.asarray(lengths)).tolist()
    if len(lengths) == 4:
        lengths = lengths[1:3]
    return tuple(lengths) if len(lengths) > 1 else lengths[0]


def _padding(function: str, padding: Any) -> str:
    if str(padding).lower() not in ("same", "valid"):
        raise ArgumentError(f"tf.nn.{function}: padding must be 'SAME' or 'VALID', received {padding!r}; use tf.pad")
    return padding.lower()
