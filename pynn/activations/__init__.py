"""Activation functions, and how layers find them by name."""

from __future__ import annotations

from typing import Any

from pynn.activations.activations import (
    ALL,
    celu,
    elu,
    exponential,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    linear,
    log_sigmoid,
    log_softmax,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    step,
    tanh,
    tanh_shrink,
    threshold,
)
from pynn.errors import ArgumentError
from pynn.utils.naming import unknown_name
from pynn.utils.serialization import custom_named, deserialize_object, serialize_object

__all__ = [
    "celu", "deserialize", "elu", "exponential", "gelu", "get", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "serialize",
    "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax",
    "squareplus", "step", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip

_BY_NAME = {**ALL, "swish": silu, "hard_swish": hard_silu}


def get(identifier: Any) -> Any:
    """An activation from its name or any callable; None means ``linear``.

    Example:
        >>> from pynn import activations
        >>> activations.get("relu") is activations.relu
        True
    """
    if identifier is None:
        return linear
    identifier = custom_named(identifier) or identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        if identifier not in _BY_NAME:
            raise unknown_name("activation", identifier, _BY_NAME)
        return _BY_NAME[identifier]
    if callable(identifier):
        return identifier
    raise ArgumentError(
        f"cannot make an activation of {identifier!r}: give a name such as 'relu', or a function written in pynn.ops"
    )


def serialize(activation: Any) -> Any:
    """The name of an activation; of other functions and of layers used as one, the dictionary for ``deserialize``."""
    name = getattr(activation, "__name__", None)
    if name in ALL and ALL[name] is activation:
        return name
    return serialize_object(activation, "activations")


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The activation that :func:`serialize` described, or one of ``custom_objects``."""
    if isinstance(config, dict):
        return deserialize_object(config, {}, "activation", custom_objects)
    return (custom_objects or {}).get(config) or get(config)
