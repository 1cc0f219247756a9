"""``tensorflow.data``: :class:`pynn.data.Dataset`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pynn.compat.importing import lookup

AUTOTUNE = -1
experimental = SimpleNamespace(AUTOTUNE=AUTOTUNE)
_NAMES: dict[str, Any] = {"Dataset": "pynn.data:Dataset"}


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return lookup(_NAMES, "tensorflow.data", name, "there are Dataset and AUTOTUNE")
