"""Models of symbolic calls as configs, in Keras's format: layers and ops, and where each call's tensors come from.

A tensor is named by its operation, the number of that operation's call within the model, and the number of the output.
In ``input_layers`` and ``output_layers`` calls of functional models count from 1, everywhere else from 0: an old habit
of Keras's that its files have kept.  Files of Keras 2, whose nodes are lists, are read, too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pynn.errors import ArgumentError
from pynn.graph.operation import NamedFunction
from pynn.graph.symbolic import Call, KerasTensor
from pynn.layers.input_layer import Input, InputLayer
from pynn.saving import keras_operations
from pynn.saving.serialization import DeserializationError, SerializationError, deserialize_keras_object
from pynn.saving.serialization import serialize_keras_object as serialize
from pynn.utils.structure import flatten, map_structure

if TYPE_CHECKING:
    from pynn.models.model import Model

#: What ops of older files are called now.
_OLD_OPERATIONS = {"math.add": "add", "math.multiply": "multiply", "math.subtract": "subtract",
                   "math.divide": "divide", "math.truediv": "divide", "__operators__.add": "add",
                   "nn.relu": "relu", "nn.softmax": "softmax", "nn.sigmoid": "sigmoid", "math.sigmoid": "sigmoid",
                   "math.tanh": "tanh", "reshape": "reshape", "concat": "concatenate", "linalg.matmul": "matmul",
                   "expand_dims": "expand_dims", "math.exp": "exp", "math.square": "square", "math.sqrt": "sqrt",
                   "math.reduce_mean": "mean", "math.reduce_sum": "sum", "math.negative": "negative",
                   "cast": "cast"}  # fmt: skip

_OLD_ARGUMENTS = {"shape": "newshape", "keep_dims": "keepdims"}


# ---- writing -----------------------------------------------------------------------------------------------------


def functional_config(model: Model) -> dict[str, Any]:
    """The config of a model that was made as ``Model(inputs, outputs)``."""
    graph = model._graph
    assert graph is not None
    numbers: dict[int, int] = {}  # of a call among those of its operation inside the model
    of_operation: dict[int, list[Call]] = {}
    for call in sorted(graph.calls, key=lambda call: call.index):
        calls = of_operation.setdefault(id(call.operation), [])
        numbers[id(call)] = len(calls)
        calls.append(call)
    # A model may begin at another model's inner tensor: in the config an input of its own stands there.
    starts = {id(t): _start(t) for t in flatten(graph.inputs) if not isinstance(t.call.operation, InputLayer)}

    def reference(tensor: KerasTensor, base: int = 0) -> list[Any]:
        if id(tensor) in starts:
            return [starts[id(tensor)]["name"], 0, 0]
        number = numbers.get(id(tensor.call), 0)  # an input that nothing reads has no call in the graph
        return [tensor.call.operation.name, number + base, tensor.index]

    def end(tensor: KerasTensor) -> list[Any]:
        return reference(tensor, base=1 if _counts_from_one(tensor.call.operation) else 0)

    def write(leaf: Any) -> Any:
        if not isinstance(leaf, KerasTensor):
            return serialize(leaf)
        config = {"shape": list(leaf.shape), "dtype": leaf.dtype, "keras_history": reference(leaf)}
        return {"class_name": "__keras_tensor__", "config": config}

    entries = list(starts.values())
    for operation in graph.operations:
        calls = [] if isinstance(operation, InputLayer) else of_operation.get(id(operation), [])
        if isinstance(operation, NamedFunction):
            entries.append(_write_function(operation, calls, write))
            continue
        nodes = [{"args": map_structure(write, call.args), "kwargs": map_structure(write, call.kwargs)}
                 for call in calls]  # fmt: skip
        entries.append({**serialize(operation), "name": operation.name, "inbound_nodes": nodes})
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": entries,
        "input_layers": map_structure(end, graph.inputs),
        "output_layers": map_structure(end, graph.outputs),
    }


def _counts_from_one(operation: Any) -> bool:
    from pynn.models.model import Functional

    return isinstance(operation, Functional)


def _start(tensor: KerasTensor) -> dict[str, Any]:
    layer = Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=f"{tensor.name}_input").call.operation
    return {**serialize(layer), "name": layer.name, "inbound_nodes": []}


def _write_function(operation: NamedFunction, calls: list[Call], write: Callable[[Any], Any]) -> dict[str, Any]:
    name = operation.function.__name__
    row = keras_operations.by_function().get(name)
    if row is None:
        raise SerializationError(
            f"'{operation.name}': ops.{name} has no form in Keras's configs; to save the model, call it inside of a "
            "layer of your own, or put it together from functions that Keras has, too"
        )
    bound = inspect.signature(operation.function).bind(*calls[0].args, **calls[0].kwargs)
    bound.apply_defaults()
    given = dict(bound.arguments)
    call = [given[argument] for argument in _call_names(row, operation.function) if argument in given]
    if row.function == "einsum":
        call = list(given["operands"])
    config = {argument: serialize(given[argument]) for argument in row.config if argument in given}
    return {
        "module": row.module,
        "class_name": row.class_name,
        "config": {"name": operation.name, **config},
        "registered_name": row.class_name,
        "name": operation.name,
        "inbound_nodes": [{"args": [map_structure(write, item) for item in call], "kwargs": {}}],
    }


def _call_names(row: keras_operations.Operation, function: Callable[..., Any]) -> list[str]:
    """What Keras's arguments of the call are called here: the same, or those in their place."""
    names = list(inspect.signature(function).parameters)
    return [name if name in names or i >= len(names) else names[i] for i, name in enumerate(row.call)]


# ---- reading -----------------------------------------------------------------------------------------------------


class _Revival:
    """The layers of a config, called as it says."""

    def __init__(self, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None):
        self.model = config.get("name")
        self.entries = _checked_entries(config)
        self.custom_objects = custom_objects
        self.operations: dict[str, Any] = {}
        self.outputs: dict[str, list[Any]] = {}
        #: Nested models whose calls the config counts from 1.
        self.bases = _bases(self.entries)

    def run(self) -> None:
        """Make all layers, then make the calls whose tensors are there until none is left."""
        for name, entry in self.entries.items():
            self.operations[name] = self._make(name, entry)
            self.outputs[name] = []
            if isinstance(self.operations[name], InputLayer):
                self.outputs[name].append(self.operations[name].output)
        left = {name: list(entry.get("inbound_nodes") or []) for name, entry in self.entries.items()}
        left = {name: nodes for name, nodes in left.items() if nodes and not self.outputs[name]}
        while left:
            before = sum(map(len, left.values()))
            for name, nodes in left.items():
                while nodes and self._call(name, nodes[0]):
                    nodes.pop(0)
            left = {name: nodes for name, nodes in left.items() if nodes}
            if left and sum(map(len, left.values())) == before:
                raise DeserializationError(
                    f"the config of the model {self.model!r} cannot be followed: the inputs of "
                    f"{', '.join(sorted(left))} come from nowhere, or from each other"
                )

    def tensor(self, name: Any, number: Any, index: Any, base: int | None = None) -> Any:
        """The tensor of that name; None if its call was not made yet."""
        if name not in self.outputs:
            raise DeserializationError(f"the config of the model {self.model!r} names an unknown layer {name!r}")
        number -= self.bases.get(name, 0) if base is None else base
        calls = self.outputs[name]
        if not 0 <= number < len(calls):
            return None
        tensors = flatten(calls[number])
        if not 0 <= index < len(tensors):
            raise DeserializationError(f"the config of the model {self.model!r} names output {index} of {name!r}")
        return tensors[index]

    def end(self, reference: Any) -> Any:
        """What ``input_layers`` and ``output_layers`` name: a structure of tensors."""
        if isinstance(reference, Mapping):
            return {key: self.end(item) for key, item in reference.items()}
        if not isinstance(reference, list | tuple):
            raise DeserializationError(f"the config of the model {self.model!r} names {reference!r} as an end")
        if len(reference) != 3 or not isinstance(reference[0], str):
            return [self.end(item) for item in reference]
        name = reference[0]
        from_one = _counts_from_one(self.operations.get(name))
        tensor = self.tensor(name, reference[1], reference[2], base=1 if from_one else None)
        if tensor is None:
            raise DeserializationError(
                f"the config of the model {self.model!r} names a call that is missing: {reference}"
            )
        return tensor

    def _make(self, name: str, entry: Mapping[str, Any]) -> Any:
        row = _operation_row(entry)
        if row is not None:
            return NamedFunction(_ops_function(row.function, name))
        if not isinstance(entry.get("config"), Mapping):
            raise DeserializationError(f"the config of the layer {name!r} is no dictionary: {entry.get('config')!r}")
        if "module" not in entry:
            return _legacy_object(entry, self.custom_objects)
        return deserialize_keras_object(entry, self.custom_objects)

    def _call(self, name: str, node: Any) -> bool:
        """Make one call; False if a tensor it needs is not there yet."""
        missing = False

        def revive(item: Any) -> Any:
            nonlocal missing
            if isinstance(item, Mapping):
                if item.get("class_name") == "__keras_tensor__":
                    tensor = self.tensor(*item["config"]["keras_history"])
                    missing = missing or tensor is None
                    return tensor
                if "class_name" in item:
                    return deserialize_keras_object(item, self.custom_objects)
                return {key: revive(value) for key, value in item.items()}
            return [revive(value) for value in item] if isinstance(item, list | tuple) else item

        if isinstance(node, Mapping):
            args, kwargs = revive(node.get("args", [])), revive(node.get("kwargs", {}))
        else:
            args, kwargs = self._legacy_arguments(node)
            missing = any(tensor is None for tensor in flatten(args))
        if missing:
            return False
        operation = self.operations[name]
        # What a call was resolved to when the file was made, but not what it asked for.
        kwargs = {k: v for k, v in kwargs.items() if not (k in ("mask", "training") and (v is None or v is False))}
        if isinstance(operation, NamedFunction):
            self.outputs[name].append(self._call_function(operation, name, args, kwargs))
        else:
            self.outputs[name].append(operation(*args, **kwargs))
        return True

    def _call_function(self, operation: NamedFunction, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        from pynn.graph import symbolic

        entry = self.entries[name]
        row = _operation_row(entry)
        assert row is not None
        function = operation.function
        if row.function == "get_item" and isinstance(args[1], list):
            args = [args[0], tuple(args[1])]
        if entry.get("class_name") == "TFOpLambda":
            args += [kwargs.pop(key) for key in ("y", "b") if key in kwargs]
            given = {_OLD_ARGUMENTS.get(key, key): value for key, value in kwargs.items()}
        else:
            config = {key: deserialize_keras_object(value) for key, value in entry.get("config", {}).items()}
            given = {key: value for key, value in config.items() if key in row.config} | kwargs
            if row.function == "einsum":
                args = [given.pop("subscripts"), *args]
            else:
                given.update(zip(_call_names(row, function), args, strict=False))
                args = []
        known = inspect.signature(function).parameters
        unknown = [key for key, value in given.items() if key not in known and value is not None]
        if unknown:
            raise ArgumentError(f"'{name}': ops.{row.function} does not take {', '.join(unknown)}")
        options = {key: value for key, value in given.items() if key in known}
        operation.name = name
        return symbolic.record(operation, tuple(args), options)

    def _legacy_arguments(self, node: Any) -> tuple[list[Any], dict[str, Any]]:
        """Keras 2: a list of ``[layer, call, output, further arguments]``, or a dictionary of such."""
        if isinstance(node, list | tuple) and len(node) >= 3 and isinstance(node[0], str):
            node = [node]
        if not isinstance(node, list | tuple):
            raise DeserializationError(f"the config of the model {self.model!r} has the node {node!r}")
        options: dict[str, Any] = {}
        tensors = []
        for name, number, index, *rest in node:
            tensors.append(self.tensor(name, number, index))
            options.update(rest[0] if rest else {})
        kwargs = {key: self._legacy_value(value) for key, value in options.items() if key != "name"}
        return [tensors[0] if len(tensors) == 1 else tensors], kwargs

    def _legacy_value(self, value: Any) -> Any:
        if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str) and value[0] in self.outputs:
            return self.tensor(*value)
        return value


def functional_parts(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> tuple[Any, Any]:
    """The symbolic inputs and outputs of a new model of this config."""
    revival = _Revival(config, custom_objects)
    revival.run()
    ends = []
    for key in ("input_layers", "output_layers"):
        end = revival.end(config[key])
        # Keras 2 wrote lists of one for a single input; such a model still takes an array.
        legacy = not any("module" in entry for entry in revival.entries.values())
        ends.append(end[0] if legacy and isinstance(end, list) and len(end) == 1 else end)
    return ends[0], ends[1]


def _checked_entries(config: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    entries: dict[str, Mapping[str, Any]] = {}
    for key in ("layers", "input_layers", "output_layers"):
        if key not in config:
            raise DeserializationError(f"the config of a functional model needs the key {key!r}; it has {list(config)}")
    for entry in config["layers"]:
        inner = entry.get("config") if isinstance(entry, Mapping) else None
        name = entry.get("name") or (inner or {}).get("name") if isinstance(entry, Mapping) else None
        if not isinstance(name, str):
            raise DeserializationError(f"a layer in the config of the model {config.get('name')!r} has no name")
        if name in entries:
            raise DeserializationError(f"the config of the model {config.get('name')!r} has two layers {name!r}")
        entries[name] = entry
    return entries


def _bases(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """1 for models inside, in files of Keras 2, which counts their calls from 1."""
    legacy = {name for name, entry in entries.items()
              if "module" not in entry and "layers" in (entry.get("config") or {})
              and any(isinstance(node, list) for node in entry.get("inbound_nodes") or [])}  # fmt: skip
    return dict.fromkeys(legacy, 1)


def _operation_row(entry: Mapping[str, Any]) -> keras_operations.Operation | None:
    name, module = entry.get("class_name"), str(entry.get("module") or "")
    if name == "TFOpLambda":
        old = str((entry.get("config") or {}).get("function"))
        function = _OLD_OPERATIONS.get(old)
        if function is None:
            raise DeserializationError(
                f"the config has the TensorFlow operation {old!r}, which has no counterpart here"
            )
        return keras_operations.by_function()[function]
    # Files of the older format do not say whose class it is; all layers have this argument, and no op has.
    is_bare = "module" not in entry and "trainable" not in (entry.get("config") or {}) and name != "InputLayer"
    if module.startswith(("keras.src.ops.", "keras.ops")) or (is_bare and name in keras_operations.by_class()):
        row = keras_operations.by_class().get(str(name))
        if row is None:
            raise DeserializationError(f"the config has Keras's operation {name!r}, which pynn does not have")
        return row
    return None


def _ops_function(name: str, where: str) -> Any:
    from pynn import ops

    function = getattr(ops, name, None)
    if not inspect.isfunction(function):
        raise DeserializationError(f"'{where}': pynn.ops has no function {name}")
    return inspect.unwrap(function)


def _legacy_object(entry: Mapping[str, Any], custom_objects: Mapping[str, Any] | None) -> Any:
    from pynn.saving.legacy_config import deserialize_legacy

    return deserialize_legacy(entry, custom_objects)
