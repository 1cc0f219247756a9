"""The import hook: ``keras`` and ``tensorflow`` are modules of pynn."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from pynn.compat.places import place_of, refusal

#: TensorBoard looks for this module to learn that it must do without TensorFlow.
_NO_TENSORFLOW = "tensorboard.compat.notf"


def install() -> None:
    """From here on ``import keras`` and ``import tensorflow`` give pynn.

    Raises:
        ImportError: the real ones have been imported already.

    Example:
        >>> import subprocess, sys
        >>> code = "import pynn.compat; pynn.compat.install(); from keras.layers import Dense; print(Dense.__module__)"
        >>> subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip()
        'pynn.layers.dense'
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    loaded = [name for name in ("keras", "tensorflow") if name in sys.modules]
    if loaded:
        raise ImportError(f"pynn.compat.install: {' and '.join(loaded)} is imported already; call it before")
    sys.meta_path.insert(0, _Finder())
    from pynn import settings

    # Scripts that have a branch for each backend take the one with a GradientTape, which pynn has.
    settings._backend = "tensorflow"


class _Finder(importlib.abc.MetaPathFinder):
    """Finds modules of Keras and TensorFlow in pynn."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname == _NO_TENSORFLOW:
            return importlib.machinery.ModuleSpec(fullname, _Loader(None))
        if fullname.partition(".")[0] not in ("keras", "tensorflow"):
            return None
        reason, place = refusal(fullname), place_of(fullname)
        if reason is not None or place is None or not _exists(place):
            raise ModuleNotFoundError(
                f"there is no module {fullname!r} in pynn: " + (reason or "pynn has nothing in its place"),
                name=fullname,
            )
        return importlib.machinery.ModuleSpec(fullname, _Loader(place), is_package=True)


class _Loader(importlib.abc.Loader):
    """Puts the module of pynn into the place of the one asked for."""

    def __init__(self, place: str | None):
        self._place = place

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return None  # an empty one, replaced below: what is returned here would be given a new __spec__

    def exec_module(self, module: ModuleType) -> None:
        if self._place is not None:
            sys.modules[module.__name__] = importlib.import_module(self._place)


def _exists(place: str) -> bool:
    if place in sys.modules:
        return True
    try:
        return importlib.util.find_spec(place) is not None
    except ModuleNotFoundError:  # a part before the last one is no package
        return False


def missing(module: str, name: str, way_out: str) -> AttributeError:
    """The error for a name that a stand-in does not have."""
    return AttributeError(f"module {module!r} of pynn.compat has no {name!r}; {way_out}")


def lookup(table: dict[str, Any], module: str, name: str, way_out: str) -> Any:
    """What ``table`` has for ``name``: ``"package.module:attribute"`` is imported, anything else is it."""
    if name not in table:
        raise missing(module, name, way_out)
    value = table[name]
    if isinstance(value, str) and ":" in value:
        place, _, attribute = value.partition(":")
        return getattr(importlib.import_module(place), attribute)
    return value
