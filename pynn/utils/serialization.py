"""Objects to plain dictionaries and back, in the format Keras uses.

A dictionary can only name classes of a table that the caller passes: no file can make pynn import or run anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pynn.errors import ArgumentError
from pynn.utils.naming import unknown_name


def serialize_object(obj: Any, module: str) -> dict[str, Any]:
    """``{"module": "keras.<module>", "class_name": ..., "config": ..., "registered_name": None}``."""
    return {
        "module": f"keras.{module}",
        "class_name": type(obj).__name__,
        "config": obj.get_config(),
        "registered_name": None,
    }


def serialize_function(function: Any) -> dict[str, Any]:
    """A function of one of pynn's own tables, by its name, in Keras's form."""
    name = getattr(function, "__name__", type(function).__name__)
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def deserialize_function(config: Any, get: Callable[[str], Any]) -> Any:
    """The function that :func:`serialize_function` described, looked up by ``get``; functions stay as they are."""
    if isinstance(config, Mapping):
        config = config.get("config")
    return get(config) if isinstance(config, str) else config


def is_function_config(config: Mapping[str, Any]) -> bool:
    """Whether a dictionary is one of :func:`serialize_function`."""
    return config.get("class_name") == "function" and isinstance(config.get("config"), str)


def deserialize_object(config: Mapping[str, Any], table: Mapping[str, Any], kind: str) -> Any:
    """The object that :func:`serialize_object` described; ``table`` lists the classes it may be."""
    name = config.get("class_name")
    if not isinstance(name, str) or not isinstance(config.get("config", {}), Mapping):
        raise ArgumentError(f"cannot make a {kind} of {dict(config)!r}: expected {{'class_name': str, 'config': dict}}")
    if name not in table:
        raise unknown_name(f"{kind} class", name, table)
    return table[name].from_config(dict(config.get("config", {})))
