"""Reading ONNX's matrix products, normalizations of features and recurrences."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import layers, ops
from pynn.errors import ArgumentError
from pynn.graph.symbolic import KerasTensor
from pynn.onnx.file import FileNode
from pynn.onnx.import_values import apply_weight, is_weight, required
from pynn.onnx.importing import Importer, Tensor, reads


@reads("MatMul")
def matmul(importer: Importer, node: FileNode) -> None:
    a, b = required(importer, node, 2)
    if is_weight(importer, b) and b.rank == 2 and a.rank >= 2 and a.constant is None:
        _dense(importer, node, a, b.constant, b.name)
    elif is_weight(importer, a) or is_weight(importer, b):
        first = is_weight(importer, a)
        weight, x = (a, b) if first else (b, a)
        value = apply_weight(importer, node, "matmul", weight.constant, x.get(), first, weight.name)
        importer.put(node.outputs[0], value)
    else:
        importer.put(node.outputs[0], importer.call(ops.matmul, a.get(), b.get()))


def _dense(importer: Importer, node: FileNode, x: Tensor, kernel: Any, name: str, bias: Any = None) -> None:
    """A Dense layer; a bias that is added next goes into it."""
    output = node.outputs[0]
    after = importer.only_reader(output)
    if bias is None and after is not None and after.op == "Add" and len(after.inputs) == 2:
        other = importer.tensors.get(after.inputs[1 - after.inputs.index(output)])
        if other is not None and other.constant is not None and other.shape == (kernel.shape[1],):
            bias, output = other.constant, after.outputs[0]
            importer.done.add(id(after))
    layer = layers.Dense(kernel.shape[1], use_bias=bias is not None, name=importer.name_for(node, name))
    importer.put(output, layer(x.get()))
    layer.set_weights([np.ascontiguousarray(kernel), *([] if bias is None else [np.asarray(bias)])])


@reads("Gemm")
def gemm(importer: Importer, node: FileNode) -> None:
    a, b, c = importer.inputs(node, 2, 3)
    assert a is not None
    assert b is not None
    given = node.attributes
    scale, add = float(given.get("alpha", 1.0)), float(given.get("beta", 1.0))
    left, right = ((1, 0) if given.get(key) else None for key in ("transA", "transB"))
    if a.rank != 2 or b.rank != 2:
        raise ArgumentError(f"expected two matrices, received arrays of {a.rank} and {b.rank} axes")
    is_bias = c is None or (c.constant is not None and c.constant.size == c.shape[-1] == b.get(right).shape[1])
    if is_weight(importer, b) and a.constant is None and left is None and is_bias:
        bias = None if c is None else np.asarray(c.constant).reshape(-1) * add
        _dense(importer, node, a, np.asarray(b.get(right)) * scale, b.name, bias)
        return
    y = importer.call(ops.matmul, a.get(left), b.get(right))
    y = y if scale == 1.0 else y * scale
    if c is not None:
        y = ops.add(y, c.get() if add == 1.0 else c.get() * add)
    importer.put(node.outputs[0], y)


@reads("Einsum")
def einsum(importer: Importer, node: FileNode) -> None:
    values = [t.get() for t in importer.inputs(node, 1) if t is not None]
    equation = str(node.attributes.get("equation", "")).replace(" ", "")
    importer.put(node.outputs[0], ops.einsum(equation, *values))


@reads("LayerNormalization")
def layer_normalization(importer: Importer, node: FileNode) -> None:
    x, scale, bias = importer.inputs(node, 2, 3)
    assert x is not None
    assert scale is not None
    if any(name in importer.readers for name in node.outputs[1:]):
        raise ArgumentError("its mean or deviation is read, which pynn does not give")
    axes = list(range(int(node.attributes.get("axis", -1)) % x.rank, x.rank))
    epsilon = float(node.attributes.get("epsilon", 1e-5))
    if scale.constant is None or scale.rank != len(axes) or (bias is not None and bias.constant is None):
        raise ArgumentError("scale and bias must be weights of the shape of the axes that are normalized")
    layer = layers.LayerNormalization(
        [a - x.rank for a in axes], epsilon, center=bias is not None, name=importer.name_for(node, scale.name)
    )
    importer.put(node.outputs[0], layer(x.get()))
    layer.set_weights([scale.constant, *([] if bias is None else [np.asarray(bias.constant)])])


@reads("LSTM", "GRU")
def recurrence(importer: Importer, node: FileNode) -> None:
    """One layer for each direction; sequences are ``[steps, batch, ...]`` in the file."""
    given = node.attributes
    most = 8 if node.op == "LSTM" else 6
    x, w, r, b, lengths, *states = importer.inputs(node, 3, most)
    assert x is not None
    if w is None or r is None or w.constant is None or r.constant is None or (b is not None and b.constant is None):
        raise ArgumentError("its kernels and biases must be weights")
    if (node.op == "LSTM" and states.pop() is not None) or given.get("clip") or given.get("layout"):
        raise ArgumentError("peepholes, clip and layout=1 are not read")
    usual = ["Sigmoid", "Tanh", "Tanh"][: 3 if node.op == "LSTM" else 2]
    directions = 2 if given.get("direction") == "bidirectional" else 1
    if given.get("activations", usual * directions) != usual * directions:
        raise ArgumentError(f"activations {given['activations']}; those that it has by itself are read")
    units = int(given.get("hidden_size", r.shape[-1] or 0))
    gates = 4 if node.op == "LSTM" else 3
    features = x.shape[2]
    if (
        x.rank != 3
        or w.shape != (directions, gates * units, features)
        or r.shape != (directions, gates * units, units)
        or (b is not None and b.shape != (directions, 2 * gates * units))
    ):
        raise ArgumentError(f"kernels of shapes {w.shape} and {r.shape} do not fit {features} features, {units} units")
    sequence = x.get((1, 0, 2))
    mask = None
    if lengths is not None:
        counted = ops.cumsum(ops.ones_like(sequence[:, :, 0]), axis=1)
        mask = ops.less_equal(counted, ops.expand_dims(ops.cast(lengths.get(), "float32"), 1))
    results = []
    label = importer.name_for(node, w.name)
    for d in range(directions):
        backwards = (directions == 2 and d == 1) or given.get("direction") == "reverse"
        begin = [None if s is None else s.get()[d] for s in states]
        bias = np.zeros(2 * gates * units, "float32") if b is None else np.asarray(b.constant)[d]
        own = label + (("_forward", "_backward")[d] if directions == 2 else "")
        results.append(
            _direction(node, own, units, w.constant[d], r.constant[d], bias, sequence, begin, mask, backwards)
        )
    for i, output in enumerate(node.outputs):
        if output:
            parts = [found[i] for found in results]
            if i == 0:  # [steps, directions, n, units] in the file, [n, steps, units] here
                importer.put(output, ops.stack(parts, axis=2), (2, 0, 1, 3))
            else:
                importer.put(output, ops.stack(parts, axis=0))


def _direction(
    node: FileNode, name: str, units: int, w: Any, r: Any, b: Any, x: Any, begin: list[Any], mask: Any, backwards: bool
) -> list[Any]:
    """The sequence in the order of the steps of ``x``, and the last states."""
    options: dict[str, Any] = {
        "return_sequences": True, "return_state": True, "go_backwards": backwards, "name": name,
    }  # fmt: skip
    order = [0, 2, 3, 1] if node.op == "LSTM" else [0, 1, 2]

    def by_gate(array: np.ndarray) -> np.ndarray:
        """The gates, first axis, in Keras's order, and that axis last."""
        parts = np.split(array, len(order))
        return np.ascontiguousarray(np.concatenate([parts[i] for i in order]).T)

    half = b.size // 2
    inner, recurrent = by_gate(b[:half]), by_gate(b[half:])
    if node.op == "LSTM":
        layer: Any = layers.LSTM(units, **options)
        bias = inner + recurrent
    else:
        after = bool(node.attributes.get("linear_before_reset", 0))
        layer = layers.GRU(units, reset_after=after, **options)
        bias = np.stack([inner, recurrent]) if after else inner + recurrent
    more: dict[str, Any] = {}
    if any(s is not None for s in begin):
        known = next(s for s in begin if s is not None)
        if not isinstance(known, KerasTensor):
            known = ops.zeros_like(x[:, 0, :1]) + known
        full = [ops.zeros_like(known) if s is None else ops.zeros_like(known) + s for s in begin]
        more["initial_state"] = full
    if mask is not None:
        more["mask"] = mask
    sequence, *last = layer(x, **more)
    layer.set_weights([by_gate(w), by_gate(r), bias])
    return [ops.flip(sequence, axis=1) if backwards else sequence, *last]
