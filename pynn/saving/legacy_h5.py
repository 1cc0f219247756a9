"""``.h5`` files of the older format: a model's config and weights by layer, as Keras 1 to 3 write them.

``model_weights`` has a group per layer; the attribute ``layer_names`` gives their order, ``weight_names`` that of the
arrays inside.  Loading goes by order, or by name.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn import losses, metrics
from pynn.errors import ShapeError
from pynn.graph.variable import Variable
from pynn.models.cloning import MAX_CONFIG_SIZE, parse_config
from pynn.saving.atomic import atomic_path
from pynn.saving.errors import WeightsFileError
from pynn.saving.h5 import H5Source, h5py, open_h5
from pynn.saving.keras_file import KERAS_VERSION
from pynn.saving.legacy_config import deserialize_legacy, legacy_form, modern_compile_config
from pynn.saving.serialization import follow, serialize_keras_object
from pynn.saving.state import check_spec
from pynn.utils.memory_budget import memory_budget
from pynn.utils.naming import snake_case

if TYPE_CHECKING:
    from pynn.models.model import Model

#: What an attribute of HDF5 may hold; longer lists are spread over several.
_LONGEST_ATTRIBUTE = 64_000
_FREE, _EXPANSION = 64 * 2**20, 16
_TOP = "top_level_model_weights"


# ---- writing -----------------------------------------------------------------------------------------------------


def write_legacy_model(model: Model, path: Path, include_optimizer: bool = True) -> None:
    """Write a whole model; the file appears whole or not at all."""
    config = serialize_keras_object(model)
    training = _training_config(model, config.get("compile_config")) if include_optimizer else None
    with atomic_path(path) as beside, h5py().File(beside, "w") as file:
        _write_versions(file)
        file.attrs["model_config"] = json.dumps(legacy_form(config)).encode()
        write_legacy_weights(file.create_group("model_weights"), model)
        if training is not None:
            file.attrs["training_config"] = json.dumps(training).encode()
            variables = model.optimizer.variables
            _write_arrays(file.create_group("optimizer_weights"), variables)


def _training_config(model: Model, compile_config: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not compile_config:
        return None
    config = dict(compile_config)
    optimizer = config.pop("optimizer")
    config["loss"] = _full_names(config.get("loss"), losses.get)
    for key in ("metrics", "weighted_metrics"):
        config[key] = _full_names(config.get(key), metrics.get)
    return {**config, "optimizer_config": {"class_name": optimizer["class_name"], "config": optimizer["config"]}}


def _full_names(value: Any, get: Callable[[str], Any]) -> Any:
    """``mean_squared_error`` for ``mse``: Keras does not find the short names in these files."""
    if isinstance(value, str) and value.lower() not in ("accuracy", "acc", "crossentropy", "ce"):
        found = get(value)
        return snake_case(found.__name__ if hasattr(found, "__name__") else type(found).__name__)
    if isinstance(value, list):
        return [_full_names(item, get) for item in value]
    if isinstance(value, dict) and "class_name" not in value:
        return {key: _full_names(item, get) for key, item in value.items()}
    return value


def write_legacy_weights(group: Any, model: Model) -> None:
    """Write a model's weights into a group."""
    _write_versions(group)
    layers = _layers(model)
    _write_names(group, "layer_names", [layer.name for layer in layers])
    for layer in layers:
        _write_arrays(group.create_group(layer.name), _weights(layer))
    _write_arrays(group.create_group(_TOP), _top_level(model))


def _write_versions(group: Any) -> None:
    group.attrs["keras_version"] = KERAS_VERSION.encode()
    group.attrs["backend"] = b"numpy"


def _write_arrays(group: Any, variables: Sequence[Variable]) -> None:
    names: list[str] = []
    for variable in variables:
        name, count = variable.path, 0
        while name in names:
            count += 1
            name = f"{variable.path}_{count}"
        names.append(name)
        group[name] = variable.array
    _write_names(group, "weight_names", names)


def _write_names(group: Any, attribute: str, names: Sequence[str]) -> None:
    data = np.array([name.encode() for name in names]) if names else np.array([], "S1")
    parts = max(1, -(-data.nbytes // _LONGEST_ATTRIBUTE))
    if parts == 1:
        group.attrs[attribute] = data
        return
    for i, part in enumerate(np.array_split(data, parts)):
        group.attrs[f"{attribute}{i}"] = part


def _layers(model: Any) -> list[Any]:
    return list(model.layers)


def _weights(layer: Any) -> list[Variable]:
    """Trainable ones first: the order of these files."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _top_level(model: Any) -> list[Variable]:
    """What the model keeps itself, beside its layers."""
    inside = {id(v) for layer in _layers(model) for v in layer.weights}
    return [v for v in model._own_variables() if id(v) not in inside]


# ---- reading -----------------------------------------------------------------------------------------------------


def is_legacy(source: H5Source) -> bool:
    """Whether the file is of this format, and not one of Keras 3's ``.weights.h5``."""
    return bool(source.texts("layer_names")) or "model_weights" in source.names("")


def read_legacy_model(path: Path, compile: bool, where: str) -> Any:
    """The model in an ``.h5`` file."""
    with open_h5(path, where) as file:
        source = H5Source(file, where)
        text = source.text("model_config")
        if text is None:
            raise WeightsFileError(f"{where} has no model_config: it holds weights alone; use model.load_weights()")
        if len(text) > MAX_CONFIG_SIZE:
            raise WeightsFileError(f"{where}: the config has {len(text)} bytes; refused")
        with memory_budget(_FREE + _EXPANSION * path.stat().st_size):
            model = deserialize_legacy(parse_config(text))
        load_legacy_weights(model, source)
        training = source.text("training_config")
        if compile and training is not None:
            follow(model, "compile_from_config", modern_compile_config(parse_config(training)))
            _load_optimizer(model, source)
        elif compile:
            warnings.warn(f"{where}: the model was not compiled when it was saved; call compile()", stacklevel=3)
    return model


def load_legacy_weights(model: Any, source: H5Source, by_name: bool = False, skip_mismatch: bool = False) -> None:
    """Put the arrays of the file into the model's variables: all of them, or, after an error, none."""
    group = source.group("model_weights")
    if group is not None and not source.texts("layer_names"):
        source = H5Source(group, source.where)
    names = source.texts("layer_names")
    if not names:
        raise WeightsFileError(f"{source.where} has no layer_names; it is no file of Keras's weights")
    pairs = _by_name(model, source, names) if by_name else _by_order(model, source, names)
    found: list[tuple[Variable, str]] = []
    skipped: list[str] = []
    for label, variables, arrays in pairs:
        try:
            found += _fitting(source, label, variables, arrays)
        except ShapeError as error:
            if not skip_mismatch:
                raise
            skipped.append(f"{label} ({error})")
    values = [(variable, source.read(name)) for variable, name in found]
    for variable, value in values:
        variable.assign(value)
    if skipped:
        warnings.warn(f"load_weights left out layers that do not fit: {'; '.join(skipped)}", stacklevel=4)


def _fitting(
    source: H5Source, label: str, variables: Sequence[Variable], arrays: Sequence[str]
) -> list[tuple[Variable, str]]:
    if len(variables) != len(arrays):
        raise ShapeError(
            f"{source.where} holds {len(arrays)} arrays for {label}, which has {len(variables)}; "
            "the file belongs to another model"
        )
    for variable, name in zip(variables, arrays, strict=True):
        check_spec(source, name, variable)
    return list(zip(variables, arrays, strict=True))


def _arrays_of(source: H5Source, layer: str) -> list[str]:
    """Full names of a layer's arrays, in order."""
    group = source.group(layer)
    if group is None:
        raise WeightsFileError(f"{source.where} lists the layer '{layer}' and does not have it")
    return [f"{layer}/{name}" for name in source.texts("weight_names", group)]


def _by_order(model: Any, source: H5Source, names: Sequence[str]) -> list[tuple[str, list[Variable], list[str]]]:
    layers = [layer for layer in _layers(model) if layer.weights]
    stored = [(name, arrays) for name in names if (arrays := _arrays_of(source, name))]
    if len(stored) != len(layers):
        raise ShapeError(
            f"{source.where} holds {len(stored)} layers with weights, the model has {len(layers)}; the file belongs to "
            "another model (by_name=True loads those of the same name)"
        )
    pairs = [(f"layer '{layer.name}'", _weights(layer), arrays)
             for layer, (_, arrays) in zip(layers, stored, strict=True)]  # fmt: skip
    return pairs + _top_pair(model, source)


def _by_name(model: Any, source: H5Source, names: Sequence[str]) -> list[tuple[str, list[Variable], list[str]]]:
    layers = {layer.name: layer for layer in _layers(model)}
    pairs = [(f"layer '{name}'", _weights(layers[name]), _arrays_of(source, name)) for name in names if name in layers]
    return pairs + _top_pair(model, source)


def _top_pair(model: Any, source: H5Source) -> list[tuple[str, list[Variable], list[str]]]:
    if source.group(_TOP) is None:  # files of Keras 2 before 2.6
        return []
    return [(f"model '{model.name}' itself", _top_level(model), _arrays_of(source, _TOP))]


def _load_optimizer(model: Any, source: H5Source) -> None:
    group = source.group("optimizer_weights")
    if group is None or model.optimizer is None:
        return
    names = [f"optimizer_weights/{name}" for name in source.texts("weight_names", group)]
    variables = model.optimizer.variables
    # Keras 2 kept neither the learning rate nor the slots in this order.
    if len(names) != len(variables) or any(source.spec(n)[0] != v.shape for n, v in zip(names, variables, strict=True)):
        warnings.warn(
            f"{source.where}: the state of the optimizer was left out: the file holds {len(names)} arrays, it has "
            f"{len(variables)}",
            stacklevel=4,
        )
        return
    for variable, value in [(v, source.read(n)) for n, v in zip(names, variables, strict=True)]:
        variable.assign(value)
