"""``keras.backend``: what Keras 3 has of it, and the functions that Keras 2 had (:mod:`pynn.legacy.backend`)."""

from __future__ import annotations

import importlib
from typing import Any

from pynn.graph.dtypes import is_float as is_float_dtype
from pynn.graph.dtypes import is_integer as is_int_dtype
from pynn.graph.dtypes import result_type as result_type
from pynn.graph.dtypes import standardize_dtype as standardize_dtype
from pynn.settings import backend as backend
from pynn.settings import epsilon as epsilon
from pynn.settings import floatx as floatx
from pynn.settings import image_data_format as image_data_format
from pynn.settings import set_epsilon as set_epsilon
from pynn.settings import set_floatx as set_floatx
from pynn.settings import set_image_data_format as set_image_data_format
from pynn.utils.inspection import is_keras_tensor as is_keras_tensor
from pynn.utils.session import clear_session as clear_session

__all__ = [
    "backend", "clear_session", "epsilon", "floatx", "get_uid", "image_data_format", "is_float_dtype", "is_int_dtype",
    "is_keras_tensor", "result_type", "set_epsilon", "set_floatx", "set_image_data_format", "standardize_dtype",
]  # fmt: skip

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
    home = getattr(getattr(legacy, name, None), "__module__", None)
    if name.startswith("_") or home not in (legacy.__name__, "pynn.legacy.spatial"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; look for it in pynn.ops")
    legacy.note_use(name)
    value = globals()[name] = getattr(legacy, name)
    return value
