"""What every op means, in plain NumPy, for any float dtype.  Imports nothing but NumPy.

``meaning("relu")`` finds the function of an op by its name; one file per family, named as in ``pynn.ops``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def _all() -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for name, function in vars(module).items():
            if callable(function) and not name.startswith("_") and function.__module__ == module.__name__:
                found[name] = function
    return found


def meaning(name: str) -> Callable[..., Any] | None:
    """The NumPy function of the op called ``name``, or None if it has none (yet)."""
    return _all().get(name)


def known_meaning(name: str) -> Callable[..., Any]:
    """The same for an op that must have one."""
    return _all()[name]
