"""Helpers with the names of ``keras.utils``, imported when they are first used."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "is_keras_tensor": "pynn.utils.inspection",
    "get_source_inputs": "pynn.utils.inspection",
    "Config": "pynn.utils.inspection",
    "FeatureSpace": "pynn.utils.feature_space",
    "plot_model": "pynn.utils.plotting",
    "grad_cam": "pynn.utils.class_activation",
    "plot_confusion_matrix": "pynn.utils.pictures",
    "plot_feature_maps": "pynn.utils.pictures",
    "plot_filters": "pynn.utils.pictures",
    "plot_grad_cam": "pynn.utils.pictures",
    "plot_predictions": "pynn.utils.pictures",
    "model_to_dot": "pynn.utils.plotting",
    "standardize_dtype": "pynn.graph.dtypes",
    "get_file": "pynn.utils.downloads",
    "split_dataset": "pynn.utils.splitting",
    "timeseries_dataset_from_array": "pynn.utils.timeseries",
    "image_dataset_from_directory": "pynn.utils.directories",
    "text_dataset_from_directory": "pynn.utils.directories",
    "audio_dataset_from_directory": "pynn.utils.directories",
    "load_img": "pynn.utils.images",
    "img_to_array": "pynn.utils.images",
    "array_to_img": "pynn.utils.images",
    "save_img": "pynn.utils.images",
    "Progbar": "pynn.utils.progbar",
    "CustomObjectScope": "pynn.saving.registration",
    "clear_session": "pynn.utils.session",
    "PyDataset": "pynn.utils.py_dataset",
    "Sequence": "pynn.utils.py_dataset",
    "pack_x_y_sample_weight": "pynn.data.packing",
    "unpack_x_y_sample_weight": "pynn.data.packing",
    "disable_interactive_logging": "pynn.settings",
    "enable_interactive_logging": "pynn.settings",
    "is_interactive_logging_enabled": "pynn.settings",
    "custom_object_scope": "pynn.saving.registration",
    "deserialize_keras_object": "pynn.saving.serialization",
    "get_custom_objects": "pynn.saving.registration",
    "get_registered_name": "pynn.saving.registration",
    "get_registered_object": "pynn.saving.registration",
    "machine_peak": "pynn.utils.machine",
    "normalize": "pynn.utils.numerical",
    "pad_sequences": "pynn.utils.padding",
    "profile": "pynn.utils.profiler",
    "register_keras_serializable": "pynn.saving.registration",
    "serialize_keras_object": "pynn.saving.serialization",
    "set_random_seed": "pynn.utils.random_seed",
    "to_categorical": "pynn.utils.numerical",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
