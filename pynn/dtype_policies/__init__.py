"""Dtype policies: which dtype a layer's weights have, and which one its results.

pynn computes in float32.  ``"mixed_float16"`` and ``"mixed_bfloat16"``, whose point on other hardware is speed, are
accepted, kept in configs, and computed in float32 all the same: weights and results are float32.  Whole-number policies
(``"int32"``, ``"int64"``) serve layers that prepare data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn.dtype_policies.policies import DTypePolicy, DTypePolicyMap, FloatDTypePolicy
from pynn.errors import ArgumentError, DtypeError
from pynn.utils.naming import unknown_name

_CLASSES = {c.__name__: c for c in (DTypePolicy, DTypePolicyMap, FloatDTypePolicy)}

__all__ = [
    "DTypePolicy", "DTypePolicyMap", "FloatDTypePolicy", "deserialize", "dtype_policy", "for_layer", "get",
    "number_name", "serialize", "set_dtype_policy",
]  # fmt: skip

_default: Any = DTypePolicy("float32")


def dtype_policy() -> Any:
    """The policy of layers that are given none."""
    return _default


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers made from now on."""
    global _default
    _default = get(policy)


def get(identifier: Any) -> Any:
    """A policy from a name, a policy, or a config; None gives the default one.

    Example:
        >>> get("mixed_float16").variable_dtype
        'float32'
    """
    if identifier is None:
        return _default
    if isinstance(identifier, DTypePolicy | DTypePolicyMap):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str) and identifier.startswith("mixed_"):
        return DTypePolicy(identifier)
    return DTypePolicy(number_name(identifier))


def number_name(dtype: Any) -> str:
    """The name of a dtype given as a name, a NumPy dtype, or a Python type."""
    if isinstance(dtype, str):
        return {"float": "float32", "int": "int32"}.get(dtype, dtype)
    if isinstance(dtype, type) and dtype in (float, int, bool):
        return {float: "float32", int: "int32", bool: "bool"}[dtype]
    try:
        return str(np.dtype(dtype))
    except TypeError:
        raise DtypeError(f"expected a dtype such as 'float32', received {dtype!r}") from None


def for_layer(name: str, dtype: Any) -> Any:
    """:func:`get`, with errors that name the layer."""
    try:
        policy = get(dtype)
    except (ArgumentError, DtypeError) as error:
        raise DtypeError(f"layer '{name}': {error}") from None
    return policy[name] if isinstance(policy, DTypePolicyMap) else policy


def serialize(dtype_policy: Any) -> dict[str, Any]:
    """The dictionary that :func:`deserialize` takes."""
    return {
        "module": "keras.dtype_policies" if isinstance(dtype_policy, DTypePolicyMap) else "keras",
        "class_name": type(dtype_policy).__name__,
        "config": dtype_policy.get_config(),
        "registered_name": None,
    }


def deserialize(config: dict[str, Any], custom_objects: Any = None) -> Any:
    """The policy that ``config`` describes."""
    name = config.get("class_name")
    classes = {**_CLASSES, **(custom_objects or {})}
    if name not in classes:
        raise unknown_name("dtype policy class", name, classes)
    inner = config.get("config")
    if not isinstance(inner, Mapping):
        raise ArgumentError(f"the config of a {name} must be a dictionary, received {inner!r}")
    return classes[name].from_config(inner)
