"""Custom objects: classes and functions of the user that a config may name beside pynn's own."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from typing import Any

from pynn.errors import ArgumentError

#: Registered name -> object, for the whole process.
_GLOBAL: dict[str, Any] = {}
#: The other way round; also of classes that a scope only names.
_NAMES: dict[Any, str] = {}
#: What the scopes in force add, the innermost last.
_SCOPED: contextvars.ContextVar[Mapping[str, Any]] = contextvars.ContextVar("custom_objects")


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Decorator: let configs and model files name this class or function.

    Args:
        package: keeps names of different sources apart; it is part of the registered name, ``package>name``.
        name: the class's or function's own by default.

    Raises:
        ArgumentError: a class without ``get_config()``.

    Example:
        >>> import pynn
        >>> @register_keras_serializable(package="shapes")
        ... class Scale(pynn.layers.Layer):
        ...     def call(self, x):
        ...         return x * 2.0
        >>> get_registered_name(Scale)
        'shapes>Scale'
        >>> pynn.saving.deserialize_keras_object(pynn.saving.serialize_keras_object(Scale(name="twice")))
        <Scale name=twice, built=False>
    """

    def register(item: Any) -> Any:
        if isinstance(item, type) and not hasattr(item, "get_config"):
            raise ArgumentError(
                f"cannot register the class {item.__name__}: it has no get_config(), so no config can describe it"
            )
        registered = f"{package}>{name or item.__name__}"
        _GLOBAL[registered] = item
        _NAMES[item] = registered
        return item

    return register


class CustomObjectScope:
    """Within the block, configs may also name these classes and functions.

    Args:
        custom_objects: name -> class or function.

    Example:
        >>> from pynn import activations
        >>> with CustomObjectScope({"double": lambda x: x * 2}):
        ...     activations.get("double")(4)
        8
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None):
        self.custom_objects = dict(custom_objects or {})
        self._tokens: list[Any] = []

    def __enter__(self) -> CustomObjectScope:
        self._tokens.append(_SCOPED.set({**_SCOPED.get({}), **self.custom_objects}))
        return self

    def __exit__(self, *_: Any) -> None:
        _SCOPED.reset(self._tokens.pop())


custom_object_scope = CustomObjectScope


def get_custom_objects() -> dict[str, Any]:
    """The table of the whole process; names may be added and removed."""
    return _GLOBAL


def get_registered_name(obj: Any) -> str:
    """``package>name`` of a registered class or function, else its own name."""
    try:
        found = _NAMES.get(obj)
    except TypeError:  # not hashable, so never registered
        found = None
    return found if found is not None else obj.__name__


def get_registered_object(
    name: str | None, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any:
    """What ``name`` stands for: in the scopes in force, the global table, or the tables given; None if nowhere."""
    for table in (_SCOPED.get({}), _GLOBAL, custom_objects, module_objects):
        if table and name is not None and name in table:
            return table[name]
    return None
