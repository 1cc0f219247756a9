"""Objects to plain dictionaries and back, in the format Keras uses.

A dictionary can only name classes of a table that the caller passes: no file can make pynn import or run anything.
"""

from __future__ import annotations

from collections.abc import Mapping
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


def deserialize_object(config: Mapping[str, Any], table: Mapping[str, Any], kind: str) -> Any:
    """The object that :func:`serialize_object` described; ``table`` lists the classes it may be."""
    name = config.get("class_name")
    if not isinstance(name, str) or not isinstance(config.get("config", {}), Mapping):
        raise ArgumentError(f"cannot make a {kind} of {dict(config)!r}: expected {{'class_name': str, 'config': dict}}")
    if name not in table:
        raise unknown_name(f"{kind} class", name, table)
    return table[name].from_config(dict(config.get("config", {})))
