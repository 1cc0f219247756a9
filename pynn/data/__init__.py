"""Data on the way to compiled steps: pipelines, and rows of arrays converted into batches."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pynn.data.dataset import INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Dataset
    from pynn.data.elements import TensorSpec
    from pynn.data.image_batches import ImageBatches
    from pynn.data.iteration import AUTOTUNE

_HOMES = {
    "AUTOTUNE": "pynn.data.iteration",
    "Dataset": "pynn.data.dataset",
    "INFINITE_CARDINALITY": "pynn.data.dataset",
    "ImageBatches": "pynn.data.image_batches",
    "TensorSpec": "pynn.data.elements",
    "UNKNOWN_CARDINALITY": "pynn.data.dataset",
}

__all__ = ["AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset", "ImageBatches", "TensorSpec"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
