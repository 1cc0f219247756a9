"""Says once for each old name what has taken its place."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

_said: set[str] = set()

Anything = TypeVar("Anything", bound=Callable[..., Any])


def say_once(name: str, instead: str, stacklevel: int = 3) -> None:
    """A DeprecationWarning, the first time this name is used."""
    if name not in _said:
        _said.add(name)
        warnings.warn(f"{name} is from older versions of Keras; use {instead}", DeprecationWarning, stacklevel)


def replaced_by(instead: str, name: str | None = None) -> Callable[[Anything], Anything]:
    """A decorator for functions: the first call says what has taken its place."""

    def decorate(function: Anything) -> Anything:
        @functools.wraps(function)
        def noting(*args: Any, **kwargs: Any) -> Any:
            say_once(name or function.__name__, instead)
            return function(*args, **kwargs)

        return noting  # type: ignore[return-value]

    return decorate
