"""``clone_model`` and ``model_from_json``: models from models, and from text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pynn.errors import ArgumentError
from pynn.graph.operation import NamedFunction, Operation
from pynn.graph.symbolic import KerasTensor, record_function
from pynn.layers.input_layer import Input, InputLayer
from pynn.models.model import Model
from pynn.models.sequential import Sequential
from pynn.utils.structure import flatten, map_structure, pack

#: Bytes of a config; the largest models' configs have some.
MAX_CONFIG_SIZE = 64 * 2**20


def model_from_json(
    json_string: str, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool | None = None
) -> Any:
    """The model that ``model.to_json()`` (pynn's or Keras's) described, with new weights.

    Example:
        >>> import pynn
        >>> model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(2)])
        >>> model_from_json(model.to_json()).count_params()
        10
    """
    from pynn.saving.legacy_config import deserialize_legacy
    from pynn.saving.registration import CustomObjectScope
    from pynn.saving.safe_mode import SafeModeScope
    from pynn.saving.serialization import DeserializationError, deserialize_keras_object

    with CustomObjectScope(custom_objects), SafeModeScope(safe_mode):
        config = parse_config(json_string)
        if not isinstance(config, dict) or "class_name" not in config:
            raise DeserializationError("the text describes no model: it has no class_name")
        return (deserialize_keras_object if "module" in config else deserialize_legacy)(config)


def parse_config(text: str | bytes) -> Any:
    """JSON as plain Python objects; too much of it, a key given twice, or no JSON, is an error."""
    from pynn.saving.serialization import DeserializationError

    if len(text) > MAX_CONFIG_SIZE:
        raise DeserializationError(f"the config has {len(text)} bytes, more than {MAX_CONFIG_SIZE}; refused")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise DeserializationError("the config gives a key twice; refused")
        return found

    try:
        return json.loads(text, object_pairs_hook=unique)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DeserializationError(f"the config is no readable JSON ({error})") from error


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Any], Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """A model of the same layers with new weights.

    Args:
        model: a ``Sequential`` or a functional model; of a class of your own only without the other arguments.
        input_tensors: symbolic tensors (or the one) to build it on; new inputs of the same shapes by default.
        clone_function: makes the new layer of an old one (not of inputs); by default from the config.
        call_function: called as ``call_function(layer, *args, **kwargs)`` in place of the new layer, so that others
            can be put before or behind it; for functional models only.
        recursive: use ``clone_function`` inside of nested models, too, which otherwise are given to it as a whole.

    Example:
        >>> import pynn
        >>> model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(2)])
        >>> clone_model(model).count_params()
        10
    """
    if kwargs:
        raise ArgumentError(f"clone_model: unknown argument {', '.join(kwargs)}")
    if not isinstance(model, Model):
        raise ArgumentError(f"clone_model: expected a model, received {model!r}")
    clone = clone_function or (lambda layer: type(layer).from_config(layer.get_config()))

    def clone_layer(layer: Any) -> Any:
        if recursive and isinstance(layer, Model) and (isinstance(layer, Sequential) or layer._graph is not None):
            return clone_model(layer, clone_function=clone_function, call_function=call_function, recursive=True)
        made = clone(layer)
        if not isinstance(made, Operation):
            raise ArgumentError(f"clone_model: clone_function must return a layer, it returned {made!r}")
        return made

    if isinstance(model, Sequential):
        if call_function is not None:
            raise ArgumentError("clone_model: call_function is for functional models; this one is a Sequential")
        return _clone_sequential(model, clone_layer, input_tensors)
    if model._graph is None or type(model).__init__ is not Model.__init__:
        if clone_function is not None or call_function is not None or input_tensors is not None:
            raise ArgumentError(
                f"clone_model: the model '{model.name}' is of a class of its own; it can only be cloned as a whole, "
                "without clone_function, call_function and input_tensors"
            )
        return type(model).from_config(model.get_config())
    return _clone_functional(model, clone_layer, input_tensors, call_function)


def _clone_sequential(model: Sequential, clone: Callable[[Any], Any], input_tensors: Any) -> Sequential:
    tensors = flatten(input_tensors) if input_tensors is not None else []
    if len(tensors) > 1:
        raise ArgumentError(f"clone_model: a Sequential has one input, received {len(tensors)} input_tensors")
    start: list[Any] = []
    if tensors:
        start = [tensors[0] if isinstance(tensors[0], InputLayer) else _checked_start(tensors[0])]
    elif model._chain:
        start = [Input(batch_shape=model._chain[0].shape, dtype=model._chain[0].dtype, name=model._chain[0].name)]
    return Sequential([*start, *map(clone, model.layers)], name=model.name, trainable=model.trainable)


def _checked_start(tensor: Any) -> Any:
    if not isinstance(tensor, KerasTensor):
        raise ArgumentError(f"clone_model: input_tensors must be symbolic tensors, received {tensor!r}")
    if isinstance(tensor.call.operation, InputLayer):
        return tensor
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype)


def _clone_functional(model: Model, clone: Callable[[Any], Any], input_tensors: Any, call_function: Any) -> Any:
    graph = model._graph
    assert graph is not None
    old = flatten(graph.inputs)
    if input_tensors is None:
        new = [Input(batch_shape=t.shape, dtype=t.dtype, name=t.call.operation.name) for t in old]
        inputs = pack(graph.inputs, new)
    else:
        inputs = map_structure(lambda t: t.output if isinstance(t, InputLayer) else t, input_tensors)
        new = flatten(inputs)
        for tensor in new:
            _checked_start(tensor)
        if len(new) != len(old):
            raise ArgumentError(f"clone_model: the model has {len(old)} inputs, received {len(new)} input_tensors")
    values = {id(a): b for a, b in zip(old, new, strict=True)}
    clones: dict[int, Any] = {}

    def value(leaf: Any) -> Any:
        return values[id(leaf)] if isinstance(leaf, KerasTensor) else leaf

    for call in graph.calls:
        operation = call.operation
        if isinstance(operation, InputLayer):
            continue
        args, kwargs = map_structure(value, (call.args, call.kwargs))
        if isinstance(operation, NamedFunction):
            results = record_function(operation.function, args, kwargs)
        else:
            if id(operation) not in clones:
                clones[id(operation)] = clone(operation)
            layer = clones[id(operation)]
            results = layer(*args, **kwargs) if call_function is None else call_function(layer, *args, **kwargs)
        values.update((id(a), b) for a, b in zip(flatten(call.outputs), flatten(results), strict=True))
    outputs = map_structure(value, graph.outputs)
    return type(model)(inputs=inputs, outputs=outputs, name=model.name, trainable=model.trainable)
