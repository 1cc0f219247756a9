"""What a constructor takes, and the config that follows from what it was given."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np


def constructor_arguments(cls: type) -> list[str]:
    """Names that the constructor takes, the class's own first."""
    names: list[str] = []
    for c in cls.__mro__:
        if c is not object and "__init__" in vars(c):
            for p in list(inspect.signature(c.__init__).parameters.values())[1:]:  # type: ignore[misc]
                if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name not in names:
                    names.append(p.name)
    return names


def takes_argument(function: Any, name: str) -> bool:
    """Whether a function, or a class's constructor, takes ``name``, be it among its ``**kwargs``."""
    parameters = inspect.signature(function).parameters
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def named_arguments(scope: Mapping[str, Any], without: Collection[str] = ()) -> dict[str, Any]:
    """What a constructor was given, by name, to hand it on as a whole.

    Args:
        scope: the constructor's ``locals()``, in its first statement.
        without: what is not to be handed on.
    """
    named = {name: value for name, value in scope.items() if name not in ("self", "__class__", "kwargs", *without)}
    return {**named, **scope.get("kwargs", {})}


def automatic_config(layer: Any, base: type) -> dict[str, Any]:
    """The constructor's own arguments, with their defaults, if all are plain Python objects.

    Args:
        layer: a layer or another operation, of a class that does not define ``get_config``.
        base: the class whose arguments are not looked at.

    Raises:
        NotImplementedError: some argument is not plain.
    """
    cls = type(layer)
    if cls.__init__ is base.__init__:  # type: ignore[misc]
        return {}
    args, kwargs = layer._given
    bound = inspect.signature(cls.__init__).bind(layer, *args, **kwargs)
    bound.apply_defaults()
    parameters = inspect.signature(cls.__init__).parameters
    config: dict[str, Any] = {}
    for name, value in list(bound.arguments.items())[1:]:
        if name in ("name", "trainable", "dtype", "activity_regularizer"):
            continue
        if parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            known = constructor_arguments(base)
            config.update({k: v for k, v in value.items() if k not in known})
        else:
            config[name] = value
    for name, value in config.items():
        if not _is_plain(value):
            raise NotImplementedError(
                f"{layer._kind} '{layer.name}': class {cls.__name__} was given {name}={value!r}, which is no plain "
                "Python object, so it must define get_config():\n\n"
                "    def get_config(self):\n"
                f'        return {{**super().get_config(), "{name}": ...}}'
            )
    return config


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    return value is None or isinstance(value, bool | int | float | str | np.number)
