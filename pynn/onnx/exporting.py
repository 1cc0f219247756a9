"""Writing a model as an ONNX file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

import pynn
from pynn.errors import ArgumentError
from pynn.graph.ir import Node
from pynn.onnx import elementwise, products, recurrent, shapes  # noqa: F401  (each fills the table)
from pynn.onnx.arrays import Array, Arrays
from pynn.onnx.graph_writer import IR_VERSION, OPSET, GraphWriter
from pynn.onnx.registry import TRANSLATORS
from pynn.onnx.traced import Traced, trace_inference
from pynn.ops.elementwise import Elementwise
from pynn.saving.atomic import atomic_path

#: Repeated constants are written out up to this size; larger ones are repeated when the model runs.
_MOST_FOLDED = 1 << 20
_RANDOM = ("dropout", "random_uniform", "random_normal", "random_draw")
#: What a file of protocol buffers can hold.
_LARGEST = 2**31 - 2**20


def export(model: Any, filepath: Any, input_signature: Any = None, opset_version: int | None = None) -> None:
    """Write the model's inference as an ONNX file; see :meth:`pynn.Model.export`."""
    content = to_proto(model, input_signature, opset_version).SerializeToString()
    target = Path(os.fspath(filepath))
    with atomic_path(target) as path:
        path.write_bytes(content)


def to_proto(model: Any, input_signature: Any = None, opset_version: int | None = None) -> Any:
    """The model as a checked ``onnx.ModelProto``.

    Raises:
        ArgumentError: an op has no translation, or the model cannot be told for all lengths that it leaves open.
        ImportError: the package onnx is not installed.

    Example:
        >>> import pynn
        >>> from pynn.onnx import to_proto
        >>> model = pynn.Sequential([pynn.Input((4,), name="x"), pynn.layers.Dense(3, activation="relu")])
        >>> [node.op_type for node in to_proto(model).graph.node]
        ['MatMul', 'Add', 'Relu', 'Identity']
    """
    if opset_version not in (None, OPSET):
        raise ArgumentError(
            f"model '{model.name}': export writes ONNX's opset {OPSET}, received opset_version={opset_version!r}; "
            "leave it out, and let onnx.version_converter make another of the file"
        )
    writer = GraphWriter()
    onnx = writer.onnx
    traced, inputs, outputs = trace_inference(model, input_signature)
    arrays = Arrays(traced, writer)
    for name in (*inputs, *outputs):
        writer.reserve(name)
    for value, name in zip(traced.graph.inputs, inputs, strict=True):
        arrays.new(value, name)
    for node in traced.graph.nodes:
        _translate(arrays, node)
    writer.scope = ""
    for value, name in zip(traced.graph.outputs, outputs, strict=True):
        writer.node("Identity", [arrays.get(arrays.of(value))], [name])
    writer.prune(outputs)
    size = sum(array.nbytes for array in writer.initializers.values())
    if size > _LARGEST:
        raise ArgumentError(f"model '{model.name}': an ONNX file holds at most 2 GiB, its weights are {size:,} bytes")
    helper = onnx.helper
    graph = helper.make_graph(
        writer.nodes,
        model.name,
        [_info(writer, traced, v, name) for v, name in zip(traced.graph.inputs, inputs, strict=True)],
        [_info(writer, traced, v, name) for v, name in zip(traced.graph.outputs, outputs, strict=True)],
        [onnx.numpy_helper.from_array(array, name) for name, array in writer.initializers.items()],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    proto.producer_name, proto.producer_version = "pynn", pynn.__version__
    onnx.checker.check_model(proto, full_check=size < _LARGEST // 2)
    return proto


def _info(writer: GraphWriter, traced: Traced, value: Any, name: str) -> Any:
    shape = [d[0] if d[0] == d[1] else traced.symbols.get(d) for d in traced.dims(value)]
    return writer.onnx.helper.make_tensor_value_info(name, writer.type_of(value.dtype), shape)


def _translate(arrays: Arrays, node: Node) -> None:
    arrays.writer.scope = node.scope
    if all(id(v) in arrays for v in node.outputs):
        return  # a mean, which its sum has become
    inputs = [arrays.of(v) for v in node.inputs]
    if node.op.name not in _RANDOM and _fold(arrays, node, inputs):
        return
    translator = TRANSLATORS.get(node.op.name)
    if translator is None:
        raise ArgumentError(
            f"export: layer '{node.scope}' uses the op '{node.op.name}', which has no translation to ONNX. Write it "
            "with other functions of pynn.ops, or end the model before it: pynn.Model(model.inputs, earlier_output)"
        )
    translator(arrays, node)


def _fold(arrays: Arrays, node: Node, inputs: list[Array]) -> bool:
    """Compute now what follows from weights and constants alone."""
    if isinstance(node.op, Elementwise):
        sources = [a.source for a in inputs]
        if any(a.constant is None or a.other is not None for a in sources):
            return False
        (numbers,) = arrays.fold(node, [np.asarray(a.constant) for a in sources])
        array = arrays.constant(numbers, _label(sources))
        shape = arrays.traced.dims(node.outputs[0])
        if array.shape != shape:
            out = Array(shape, array.dtype)
            out.spread = array
            array = out
        arrays.put(node.outputs[0], array)
        return True
    if node.op.name == "broadcast_to":
        return False
    found = []
    for array in inputs:
        source = array.source
        size = np.prod([a for a, _ in array.shape], dtype="int64")
        if source.constant is None or source.other is not None or not array.is_static:
            return False
        if array.spread is not None and size > _MOST_FOLDED:
            return False
        found.append(np.broadcast_to(source.constant, [a for a, _ in array.shape]))
    if not found or any(a != b for v in node.outputs for a, b in arrays.traced.dims(v)):
        return False
    for value, numbers in zip(node.outputs, arrays.fold(node, found), strict=True):
        arrays.put(value, arrays.constant(numbers, _label([a.source for a in inputs])))
    return True


def _label(arrays: list[Array]) -> str:
    """The name of numbers that were computed from one weight."""
    labels = {a.label for a in arrays if a.label}
    return labels.pop() if len(labels) == 1 else ""
