"""Paths of variables: ``keras.name_scope``, and the layers that are being built or called."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pynn.errors import ArgumentError


class _Scopes(threading.local):
    def __init__(self) -> None:
        #: Names, and the layers they are of (None: of nobody).
        self.entries: list[tuple[str, Any]] = []


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
        _scopes.entries.append((self.name, None))
        return self

    def __exit__(self, *exc: Any) -> None:
        _scopes.entries.pop()


@contextmanager
def layer_scope(layer: Any) -> Iterator[None]:
    """While a layer is built or called: layers and weights that are made inside are below it."""
    entries = _scopes.entries
    if entries and entries[-1][1] is layer:  # a build() that calls the one it overrides
        yield
        return
    if layer._path is None:
        layer._path = scoped(layer.name)
    entries.append((layer.name, layer))
    try:
        yield
    finally:
        entries.pop()


def scoped(path: str, layer: Any = None) -> str:
    """``path`` below the scopes around the call; that of a weight also below its layer."""
    names = [name for name, _ in _scopes.entries]
    if layer is not None and not (_scopes.entries and _scopes.entries[-1][1] is layer):
        names.append(layer.name)
    return "/".join((*names, path))
