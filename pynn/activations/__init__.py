"""Activation functions, and how layers find them by name."""

from __future__ import annotations

from typing import Any

from pynn.activations.activations import (
    ALL,
    elu,
    exponential,
    gelu,
    hard_sigmoid,
    leaky_relu,
    linear,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    step,
    tanh,
)
from pynn.errors import ArgumentError
from pynn.utils.naming import unknown_name

__all__ = [
    "deserialize", "elu", "exponential", "gelu", "get", "hard_sigmoid", "leaky_relu", "linear", "relu", "relu6", "selu",
    "serialize", "sigmoid", "silu", "softmax", "softplus", "softsign", "step", "tanh",
]  # fmt: skip

_BY_NAME = {**ALL, "swish": silu}


def get(identifier: Any) -> Any:
    """An activation from its name or any callable; None means ``linear``."""
    if identifier is None:
        return linear
    if isinstance(identifier, str):
        if identifier not in _BY_NAME:
            raise unknown_name("activation", identifier, _BY_NAME)
        return _BY_NAME[identifier]
    if callable(identifier):
        return identifier
    raise ArgumentError(
        f"cannot make an activation of {identifier!r}: give a name such as 'relu', or a function written in pynn.ops"
    )


def serialize(activation: Any) -> str:
    """The name of an activation."""
    name = getattr(activation, "__name__", None)
    if name not in ALL or ALL[name] is not activation:
        raise ArgumentError(
            f"cannot serialize the activation {activation!r}: only the named ones can be ({', '.join(ALL)})"
        )
    return name


def deserialize(config: Any) -> Any:
    """The activation that :func:`serialize` named."""
    return get(config)
