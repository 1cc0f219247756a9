"""Sequences of different lengths."""

from __future__ import annotations

import importlib
from typing import Any

from pynn.utils.padding import pad_sequences as pad_sequences


def __getattr__(name: str) -> Any:
    """What Keras 2 had here."""
    if name not in ("TimeseriesGenerator", "make_sampling_table", "skipgrams"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("pynn.legacy.sequence"), name)
