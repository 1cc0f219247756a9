"""``keras.name_scope``: a prefix for the paths of variables."""

from __future__ import annotations

import threading
from typing import Any

from pynn.errors import ArgumentError


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.names: list[str] = []


_scopes = _Scopes()


class name_scope:
    """Variables made inside the ``with`` block have its name before their path.  Nothing else changes.

    Args:
        name: without ``/``; blocks inside each other give paths such as ``outer/inner/kernel``.

    Example:
        >>> import pynn
        >>> with pynn.name_scope("encoder"):
        ...     pynn.Variable(1.0, name="scale").path
        'encoder/scale'
    """

    def __init__(self, name: str):
        if not isinstance(name, str) or not name or "/" in name:
            raise ArgumentError(f"name_scope: name must be a string without '/', received {name!r}")
        self.name = name

    def __enter__(self) -> name_scope:
        _scopes.names.append(self.name)
        return self

    def __exit__(self, *exc: Any) -> None:
        _scopes.names.pop()


def scoped(path: str) -> str:
    """``path`` below the scopes around the call."""
    return "/".join((*_scopes.names, path))
