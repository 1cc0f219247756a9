"""Functions under the names that older Keras gave them; they live in :mod:`pynn.utils`."""

from __future__ import annotations

import importlib
from typing import Any

_FUNCTIONS = ("image_dataset_from_directory", "text_dataset_from_directory", "timeseries_dataset_from_array")
_MODULES = ("image", "sequence")

__all__ = [*_FUNCTIONS, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        return getattr(importlib.import_module("pynn.utils"), name)
    if name in _MODULES:
        return importlib.import_module(f"pynn.preprocessing.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
