"""Models, weights and objects as files and dictionaries, in Keras's formats; imported when first used."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "KerasFileEditor": "file_editor",
    "CustomObjectScope": "registration",
    "custom_object_scope": "registration",
    "deserialize_keras_object": "serialization",
    "get_custom_objects": "registration",
    "get_registered_name": "registration",
    "get_registered_object": "registration",
    "load_model": "saving_api",
    "load_weights": "saving_api",
    "save_model": "saving_api",
    "save_weights": "saving_api",
    "register_keras_serializable": "registration",
    "serialize_keras_object": "serialization",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"pynn.saving.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
