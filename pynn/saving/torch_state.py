"""Weights to and from PyTorch: ``Model.to_torch_state_dict`` and ``Model.load_torch_state_dict``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pynn import layers
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.foreign import as_numpy
from pynn.graph.variable import Variable
from pynn.saving.torch_layers import Entry, entries
from pynn.utils.naming import unknown_name

#: Layers that change no place of an image: what comes after a Flatten and these is still in its order.
_IN_PLACE = (layers.Dropout, layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU, layers.Identity)


def to_torch_state_dict(model: Any, names: Any = None) -> dict[str, np.ndarray]:
    """What ``Model.to_torch_state_dict`` documents."""
    state = {}
    for entry in _model_entries(model, names):
        state[entry.name] = entry.array()
    return state


def load_torch_state_dict(model: Any, state_dict: Mapping[str, Any], names: Any = None) -> None:
    """What ``Model.load_torch_state_dict`` documents."""
    if not isinstance(state_dict, Mapping):
        raise ArgumentError(
            f"model '{model.name}': state_dict must be a mapping from names to arrays, received a "
            f"{type(state_dict).__name__}; of a module take module.state_dict()"
        )
    wanted = {entry.name: entry for entry in _model_entries(model, names)}
    given = {name for name in state_dict if not name.endswith("num_batches_tracked")}
    _check_names(model, set(wanted), given)
    values: dict[int, tuple[Variable, np.ndarray]] = {}
    for name, entry in wanted.items():
        array = _checked(model, entry, as_numpy(state_dict[name], f"model '{model.name}': state_dict['{name}']"))
        if entry.variable is None:
            continue
        value = entry.back(array)
        before = values.get(id(entry.variable))
        values[id(entry.variable)] = entry.variable, value if before is None else before[1] + value
        if entry.zeroed is not None:
            values[id(entry.zeroed)] = entry.zeroed, np.zeros(entry.zeroed.shape, "float32")
    for variable, value in values.values():
        variable.assign(value)


def _check_names(model: Any, wanted: set[str], given: set[str]) -> None:
    missing = sorted(wanted - given)
    unknown = sorted(given - wanted)
    if not missing and not unknown:
        return
    parts = []
    if missing:
        parts.append(f"it lacks {_some(missing)}")
    if unknown:
        parts.append(f"it has {_some(unknown)}, which the model has not")
    raise ArgumentError(
        f"model '{model.name}': the state dict does not fit: {'; '.join(parts)}. Give names={{layer: module}} if the "
        "PyTorch module calls its parts otherwise; model.to_torch_state_dict() shows what is expected"
    )


def _some(names: list[str]) -> str:
    return f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"


def _checked(model: Any, entry: Entry, array: np.ndarray) -> np.ndarray:
    expected = entry.array()
    if array.shape != expected.shape:
        raise ShapeError(
            f"model '{model.name}': '{entry.name}' of the state dict has shape {array.shape}, expected {expected.shape}"
        )
    if entry.variable is None and not np.array_equal(array, expected):
        raise ArgumentError(
            f"model '{model.name}': '{entry.name}' must be all {expected.flat[0]:g}: the layer has no such weight"
        )
    return array


def _model_entries(model: Any, names: Any) -> Iterator[Entry]:
    if not model.built:
        raise ArgumentError(
            f"model '{model.name}' has no weights yet; call it on data, or build(input_shape), before exchanging them"
        )
    chosen, torchvision = _names(model, names)
    leaves = dict(_leaves(model, ""))
    for path, layer in leaves.items():
        own = entries(layer, _flattened(layer)) or []
        if torchvision:
            own = _without_convolution_biases(leaves, path, own)
        yield from (entry.under(f"{chosen.get(path, path)}.") for entry in own)
    unknown = set(chosen) - set(leaves)
    if not torchvision and unknown:
        raise unknown_name(f"layer with weights in model '{model.name}'", sorted(unknown)[0], leaves)


def _without_convolution_biases(leaves: dict[str, Any], path: str, own: list[Entry]) -> list[Entry]:
    """torchvision's ResNets have none: a bias shifts only the mean that the batch normalization after it subtracts."""
    if not path.endswith(("_conv", "_bn")):
        return own
    convolution = leaves.get(path.removesuffix("_bn") + "_conv") if path.endswith("_bn") else leaves[path]
    normalization = leaves.get(path.removesuffix("_conv") + "_bn") if path.endswith("_conv") else leaves[path]
    bias = getattr(convolution, "bias", None)
    if bias is None or normalization is None:
        return own
    if path.endswith("_conv"):
        return [entry for entry in own if entry.name != "bias"]
    return [
        replace(entry, there=lambda mean: mean - bias.array, zeroed=bias) if entry.name == "running_mean" else entry
        for entry in own
    ]


def _names(model: Any, names: Any) -> tuple[Mapping[str, str], bool]:
    if names is None:
        return {}, False
    if isinstance(names, Mapping):
        return names, False
    if names != "torchvision":
        raise ArgumentError(
            f"model '{model.name}': names must be None (the layers' own), 'torchvision' or a dictionary from layers to "
            f"modules, received {names!r}"
        )
    from pynn.applications.torchvision_names import torchvision_names

    found = torchvision_names(model)
    if found is None:
        raise ArgumentError(
            f"model '{model.name}' is none of the architectures whose names in torchvision are known (VGG16, VGG19, "
            "ResNet50, ResNet101, ResNet152, DenseNet121, DenseNet169, DenseNet201, MobileNetV2, InceptionV3); leave "
            "names out, or give a dictionary"
        )
    return found, True


def _leaves(layer: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Paths and layers that hold weights, models and wrappers of one's own opened."""
    for part in layer._sublayers():
        path = f"{prefix}{part.name}"
        if entries(part, None) is None:
            yield from _leaves(part, f"{path}.")
        elif part.weights:
            yield path, part


def _flattened(layer: Any) -> tuple[int, ...] | None:
    """The shape of the images (channels last) whose flattened numbers this Dense layer takes."""
    if not isinstance(layer, layers.Dense) or not layer._calls or not layer._calls[0].inputs:
        return None
    tensor = layer._calls[0].inputs[0]
    while tensor.call is not None and isinstance(tensor.call.operation, _IN_PLACE):
        tensor = tensor.call.inputs[0]
    if tensor.call is None or not isinstance(tensor.call.operation, layers.Flatten):
        return None
    shape = tensor.call.inputs[0].shape[1:]
    if len(shape) < 2 or None in shape or tensor.call.operation.data_format == "channels_first":
        return None
    return tuple(int(n) for n in shape)
