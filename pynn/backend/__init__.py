"""``keras.backend``: what Keras 3 has of it, and the functions that Keras 2 had (:mod:`pynn.legacy.backend`)."""

from __future__ import annotations

import importlib
from typing import Any

from pynn.graph.dtypes import is_float as is_float_dtype
from pynn.graph.dtypes import is_integer as is_int_dtype
from pynn.graph.dtypes import result_type as result_type
from pynn.graph.dtypes import standardize_dtype as standardize_dtype

__all__ = ["get_uid", "is_float_dtype", "is_int_dtype", "result_type", "standardize_dtype"]

_used: dict[str, int] = {}


def get_uid(prefix: str = "") -> int:
    """1, 2, 3, ...: another number each time, counted for each ``prefix``.

    Example:
        >>> get_uid("a"), get_uid("a"), get_uid("b")
        (1, 2, 1)
    """
    _used[prefix] = _used.get(prefix, 0) + 1
    return _used[prefix]


def __getattr__(name: str) -> Any:
    legacy = importlib.import_module("pynn.legacy.backend")
    if name.startswith("_") or getattr(getattr(legacy, name, None), "__module__", None) != legacy.__name__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; look for it in pynn.ops")
    legacy.note_use(name)
    value = globals()[name] = getattr(legacy, name)
    return value
