"""Images in files and in arrays."""

from __future__ import annotations

import importlib
from typing import Any

from pynn.utils.images import array_to_img as array_to_img
from pynn.utils.images import img_to_array as img_to_array
from pynn.utils.images import load_img as load_img
from pynn.utils.images import save_img as save_img
from pynn.utils.images import smart_resize as smart_resize


def __getattr__(name: str) -> Any:
    """What Keras 2 had here."""
    legacy = importlib.import_module("pynn.legacy.image")
    if name not in legacy.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(legacy, name)
