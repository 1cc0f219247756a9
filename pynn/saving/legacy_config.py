"""Configs of ``.h5`` files: Keras 3's without modules, and those of Keras 2, whose arguments had other names."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from pynn.saving.registration import CustomObjectScope, get_registered_object
from pynn.saving.serialization import DeserializationError, deserialize_keras_object

#: What Keras 2 wrote and Keras 3 has no argument for.  What is left of it changes no result.
_DROPPED = {"batch_input_shape", "ragged", "sparse", "implementation", "time_major", "autocast",
            "experimental_run_tf_function"}  # fmt: skip
_RENAMED_CLASSES = {"Model": "Functional", "BatchNormalizationV1": "BatchNormalization",
                    "BatchNormalizationV2": "BatchNormalization", "CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU"}  # fmt: skip


def legacy_form(config: Any) -> Any:
    """A config as ``.h5`` files have it: layers of models without module, name of registration and shapes."""
    if not isinstance(config, Mapping) or "class_name" not in config:
        return config
    inner = dict(config.get("config") or {})
    if "layers" in inner:
        kept = ("name", "inbound_nodes")
        inner["layers"] = [
            {**legacy_form(entry), **{key: entry[key] for key in kept if key in entry}}
            if not str(entry.get("module")).startswith("keras.src.ops") else entry
            for entry in inner["layers"]
        ]  # fmt: skip
    return {"class_name": config.get("registered_name") or config["class_name"], "config": inner}


def deserialize_legacy(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer, model or optimizer that such a config describes."""
    with CustomObjectScope(custom_objects):
        return deserialize_keras_object(modern_form(config))


def modern_form(config: Mapping[str, Any]) -> dict[str, Any]:
    """The same as Keras 3 would write it."""
    if not isinstance(config, Mapping):
        raise DeserializationError(f"a config must be a dictionary, received {config!r}")
    name, inner = config.get("class_name"), config.get("config")
    if name == "Sequential":
        inner = _sequential(inner)
    if not isinstance(name, str) or not isinstance(inner, Mapping):
        raise DeserializationError(f"a config must have class_name and config, received {dict(config)!r}")
    custom = get_registered_object(name)
    if custom is not None:
        return {"module": None, "class_name": name, "registered_name": name, "config": dict(inner)}
    name = _RENAMED_CLASSES.get(name, name)
    models = {"Functional": "keras.src.models.functional", "Sequential": "keras", "Model": "keras"}
    if name in models:
        return {"module": models[name], "class_name": name, "registered_name": None, "config": dict(inner)}
    arguments = dict(inner)
    if name == "InputLayer" and "batch_input_shape" in arguments:
        arguments["batch_shape"] = arguments.pop("batch_input_shape")
    if arguments.get("time_major"):
        raise DeserializationError(
            f"{name} '{arguments.get('name')}' was saved with time_major=True, which Keras 3 does not have; make it "
            "with time_major=False and transpose its input to (batch, steps, features)"
        )
    for key in _DROPPED & set(arguments):
        if not (name == "InputLayer" and key in ("sparse", "ragged")):
            del arguments[key]
    if name == "GRU":
        arguments.pop("unit_forget_bias", None)
    if isinstance(arguments.get("axis"), list) and name == "BatchNormalization" and len(arguments["axis"]) == 1:
        arguments["axis"] = arguments["axis"][0]
    for key, value in arguments.items():
        if key in ("layer", "backward_layer", "cell") and isinstance(value, Mapping) and "module" not in value:
            arguments[key] = modern_form(value)
    return {"module": "keras.layers", "class_name": name, "registered_name": None, "config": arguments}


def _sequential(inner: Any) -> Any:
    """The config of a stack with its input as a layer: Keras 2 noted the shape at the first layer."""
    if isinstance(inner, list):  # before 2.2.3
        inner = {"name": None, "layers": inner}
    if not isinstance(inner, Mapping) or not isinstance(inner.get("layers"), list) or not inner["layers"]:
        return inner
    first = inner["layers"][0]
    arguments = first.get("config") if isinstance(first, Mapping) else None
    if not isinstance(arguments, Mapping) or first.get("class_name") == "InputLayer":
        return inner
    shape = arguments.get("batch_input_shape")
    if shape is None:
        return inner
    start = {"class_name": "InputLayer", "config": {"batch_shape": shape, "dtype": _input_dtype(first)}}
    return {**inner, "layers": [start, *inner["layers"]]}


def _input_dtype(first: Mapping[str, Any]) -> str:
    return "int32" if first.get("class_name") == "Embedding" else "float32"


def modern_compile_config(config: Any) -> dict[str, Any]:
    """What ``compile_from_config`` takes, of an ``.h5`` file's ``training_config``."""
    if not isinstance(config, Mapping):
        raise DeserializationError(f"the training config is no dictionary: {config!r}")
    kept = ("loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly", "steps_per_execution")
    result = {key: _modern_objects(config[key], key) for key in kept if config.get(key) is not None}
    optimizer = config.get("optimizer_config")
    if isinstance(optimizer, Mapping) and isinstance(optimizer.get("config"), Mapping):
        arguments = {key: value for key, value in optimizer["config"].items() if key not in _OLD_OPTIMIZER_ARGUMENTS}
        if optimizer["config"].get("decay"):
            warnings.warn(
                f"the optimizer was saved with decay={optimizer['config']['decay']}, which is gone: the learning rate "
                "stays as it is now; give a schedule to go on training",
                stacklevel=3,
            )
        if "lr" in arguments:
            arguments["learning_rate"] = arguments.pop("lr")
        result["optimizer"] = {"module": "keras.optimizers", "class_name": str(optimizer.get("class_name")),
                               "registered_name": None, "config": arguments}  # fmt: skip
    return result


#: Of Keras 2's optimizers: the decay (see the warning), and how TensorFlow runs them.
_OLD_OPTIMIZER_ARGUMENTS = {"decay", "jit_compile", "is_legacy_optimizer"}


def _modern_objects(value: Any, key: str) -> Any:
    """Losses and metrics, in whatever lists and dictionaries."""
    if isinstance(value, list):
        return [_modern_objects(item, key) for item in value]
    if not isinstance(value, Mapping):
        return value
    if "class_name" in value:
        family = "losses" if key == "loss" else "metrics"
        inner = {k: v for k, v in (value.get("config") or {}).items() if not (k == "fn" and isinstance(v, str))}
        return {"module": f"keras.{family}", "registered_name": None, **value, "config": inner}
    return {name: _modern_objects(item, key) for name, item in value.items()}
