"""Reading ONNX's ops that work by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pynn import activations, ops
from pynn.errors import ArgumentError
from pynn.graph.symbolic import KerasTensor
from pynn.onnx.file import FileNode
from pynn.onnx.import_layers import ApplyWeight
from pynn.onnx.import_values import apply_weight, is_weight, length_arithmetic, required
from pynn.onnx.importing import Importer, reads

_DTYPES = {
    1: "float32", 2: "uint8", 3: "int32", 5: "int32", 6: "int32", 7: "int32", 9: "bool", 10: "float32", 11: "float32",
    12: "uint32", 13: "int64",
}  # fmt: skip

_UNARY: dict[str, Callable[[Any], Any]] = {
    "Neg": ops.negative, "Abs": ops.abs, "Exp": ops.exp, "Log": ops.log, "Sqrt": ops.sqrt, "Sign": ops.sign,
    "Floor": ops.floor, "Ceil": ops.ceil, "Round": ops.round, "Reciprocal": ops.reciprocal, "Sin": ops.sin,
    "Cos": ops.cos, "Tan": ops.tan, "Asin": ops.arcsin, "Acos": ops.arccos, "Atan": ops.arctan, "Sinh": ops.sinh,
    "Cosh": ops.cosh, "Asinh": ops.arcsinh, "Acosh": ops.arccosh, "Atanh": ops.arctanh, "Sigmoid": ops.sigmoid,
    "Tanh": ops.tanh, "Relu": ops.relu, "Softplus": ops.softplus, "Softsign": ops.softsign, "Erf": ops.erf,
    "Not": ops.logical_not, "IsNaN": ops.isnan, "Mish": activations.mish, "HardSwish": ops.hard_silu,
}  # fmt: skip
_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Add": ops.add, "Sub": ops.subtract, "Mul": ops.multiply, "Div": ops.divide, "Pow": ops.power, "Equal": ops.equal,
    "Greater": ops.greater, "GreaterOrEqual": ops.greater_equal, "Less": ops.less, "LessOrEqual": ops.less_equal,
    "And": ops.logical_and, "Or": ops.logical_or, "Xor": ops.logical_xor, "Max": ops.maximum, "Min": ops.minimum,
}  # fmt: skip
#: Those that a weight can take part in.
_WITH_WEIGHT = {
    "Add": "add", "Sub": "subtract", "Mul": "multiply", "Div": "divide", "Pow": "power", "Max": "maximum",
    "Min": "minimum",
}  # fmt: skip


@reads(*_UNARY)
def unary(importer: Importer, node: FileNode) -> None:
    _simple(importer, node, _UNARY[node.op])


def _simple(importer: Importer, node: FileNode, function: Callable[[Any], Any]) -> None:
    x = importer.one(node)
    perm = x.form()
    importer.put(node.outputs[0], importer.call(function, x.get(perm)), perm)


@reads("Identity", "Dropout")
def same(importer: Importer, node: FileNode) -> None:
    if len(node.outputs) > 1 and node.outputs[1] in importer.readers:
        raise ArgumentError("its mask is read, which there is in training only")
    importer.tensors[node.outputs[0]] = importer.one(node)


@reads("LeakyRelu")
def leaky_relu(importer: Importer, node: FileNode) -> None:
    alpha = float(node.attributes.get("alpha", 0.01))
    _simple(importer, node, lambda x: ops.leaky_relu(x, negative_slope=alpha))


@reads("Elu", "Celu")
def elu(importer: Importer, node: FileNode) -> None:
    alpha = float(node.attributes.get("alpha", 1.0))
    function = ops.elu if node.op == "Elu" else ops.celu
    _simple(importer, node, lambda x: function(x, alpha=alpha))


@reads("Selu")
def selu(importer: Importer, node: FileNode) -> None:
    alpha, gamma = (float(node.attributes.get(k, d)) for k, d in (("alpha", 1.67326319), ("gamma", 1.05070102)))
    _simple(importer, node, lambda x: ops.multiply(gamma, ops.elu(x, alpha=alpha)))


@reads("HardSigmoid")
def hard_sigmoid(importer: Importer, node: FileNode) -> None:
    alpha, beta = (float(node.attributes.get(k, d)) for k, d in (("alpha", 0.2), ("beta", 0.5)))
    _simple(importer, node, lambda x: ops.clip(x * alpha + beta, 0.0, 1.0))


@reads("Gelu")
def gelu(importer: Importer, node: FileNode) -> None:
    approximate = node.attributes.get("approximate", "none") == "tanh"
    _simple(importer, node, lambda x: ops.gelu(x, approximate=approximate))


@reads("Clip")
def clip(importer: Importer, node: FileNode) -> None:
    _, low, high = importer.inputs(node, 1, 3)
    bounds: list[float] = []
    for tensor, key, default in ((low, "min", -np.inf), (high, "max", np.inf)):
        if tensor is None:
            bounds.append(float(node.attributes.get(key, default)))
        elif tensor.constant is None or tensor.constant.size != 1:
            raise ArgumentError(f"{key} must be one constant number")
        else:
            bounds.append(float(tensor.constant.item()))
    if bounds == [0.0, 6.0]:
        _simple(importer, node, ops.relu6)
    else:
        _simple(importer, node, lambda x: ops.minimum(ops.maximum(x, bounds[0]), bounds[1]))


@reads("PRelu")
def prelu(importer: Importer, node: FileNode) -> None:
    x, slope = required(importer, node, 2)
    perm = importer.votes([x], x.rank)
    value = x.get(perm)
    if slope.constant is not None:
        weight = np.asarray(importer.fitted(slope, perm))
        layer = ApplyWeight("multiply", weight.shape, name=importer.name_for(node, slope.name))
        scaled = layer(ops.minimum(value, 0.0))
        layer.set_weights([weight])
    else:
        scaled = ops.multiply(ops.minimum(value, 0.0), importer.fitted(slope, perm))
    importer.put(node.outputs[0], ops.add(ops.relu(value), scaled), perm)


@reads(*_BINARY, "Mod")
def binary(importer: Importer, node: FileNode) -> None:
    tensors = [t for t in importer.inputs(node, 1) if t is not None]
    if any(t.lengths is not None for t in tensors):
        importer.tensors[node.outputs[0]] = length_arithmetic(node.op, tensors)
        return
    if node.op == "Mod":
        function: Callable[[Any, Any], Any] = ops.fmod if node.attributes.get("fmod") else ops.mod
    else:
        function = _BINARY[node.op]
    whole = all(t.constant is not None and t.constant.dtype.kind in "iu" for t in tensors)
    if node.op == "Div" and whole:
        function = ops.floor_divide
    rank = max(t.rank for t in tensors)
    perm = importer.votes(tensors, rank)
    result: Any = None
    for i, tensor in enumerate(tensors):
        value = importer.fitted(tensor, perm)
        if i == 0:
            result = value
        elif node.op in _WITH_WEIGHT and (is_weight(importer, tensor) or (i == 1 and is_weight(importer, tensors[0]))):
            first = not is_weight(importer, tensor)
            weight, x = (result, value) if first else (value, result)
            result = apply_weight(
                importer, node, _WITH_WEIGHT[node.op], weight, x, first, tensors[0 if first else i].name
            )
        else:
            result = importer.call(function, *_alike(result, value))
    importer.put(node.outputs[0], result, perm)


def _alike(a: Any, b: Any) -> tuple[Any, Any]:
    """A constant takes the dtype of the array beside it, as far as both are whole or both are not."""
    for one, other in ((a, b), (b, a)):
        if not isinstance(one, np.ndarray) or not isinstance(other, KerasTensor):
            continue
        if one.dtype.kind in "iu" and str(other.dtype).startswith(("int", "uint")):
            converted = one.astype(other.dtype)
            return (converted, b) if one is a else (a, converted)
    return a, b


@reads("Where")
def where(importer: Importer, node: FileNode) -> None:
    tensors = required(importer, node, 3)
    perm = importer.votes(tensors, max(t.rank for t in tensors))
    importer.put(node.outputs[0], importer.call(ops.where, *(importer.fitted(t, perm) for t in tensors)), perm)


@reads("Cast")
def cast(importer: Importer, node: FileNode) -> None:
    x = importer.one(node)
    to = node.attributes.get("to", 1)
    if x.lengths is not None:
        importer.tensors[node.outputs[0]] = x
        return
    if to not in _DTYPES:
        raise ArgumentError(f"it makes numbers of the unknown dtype {to}")
    if x.constant is not None:
        dtype = "int64" if to == 7 else _DTYPES[to]
        importer.put(node.outputs[0], x.constant.astype(dtype))
    else:
        _simple(importer, node, lambda v: ops.cast(v, _DTYPES[to]))


@reads("Constant")
def constant(importer: Importer, node: FileNode) -> None:
    given = node.attributes
    for key, dtype in (
        ("value_float", "float32"),
        ("value_int", "int64"),
        ("value_floats", "float32"),
        ("value_ints", "int64"),
    ):
        if key in given:
            importer.put(node.outputs[0], np.array(given[key], dtype))
            return
    if not isinstance(given.get("value"), np.ndarray):
        raise ArgumentError("expected numbers")
    importer.put(node.outputs[0], given["value"])
