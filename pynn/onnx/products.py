"""Translations of matrix products, convolutions, poolings, normalizations, softmax, attention and reductions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.graph.ir import Node
from pynn.onnx.arrays import ONE, Array, Arrays, channels_first, count, identity
from pynn.onnx.elementwise import same
from pynn.onnx.registry import translates
from pynn.onnx.shapes import reshaped
from pynn.onnx.traced import Dim
from pynn.ops.spatial import resolve_padding

#: Kernels (kh, kw, in, out) as ONNX has them.
_OUT_IN = (3, 2, 0, 1)


@translates("matmul")
def matmul(arrays: Arrays, node: Node) -> None:
    op = node.op.attributes()
    a, b = (arrays.of(v) for v in node.inputs)
    right = arrays.get(b, (1, 0) if op["transpose_b"] else None)
    if a.rows is not None and not a.forms and not op["transpose_a"]:
        out = arrays.new(node.outputs[0])
        rows = Array((*a.rows.shape[:-1], out.shape[1]), out.dtype)
        arrays.name(rows, arrays.writer.node("MatMul", [arrays.get(a.rows), right]))
        out.rows = rows
        return
    left = arrays.get(a, (1, 0) if op["transpose_a"] else None)
    arrays.new(node.outputs[0], arrays.writer.node("MatMul", [left, right]))


@translates("batched_matmul")
def batched_matmul(arrays: Arrays, node: Node) -> None:
    op = node.op.attributes()
    flipped = (0, 2, 1)
    names = [
        arrays.get(arrays.of(v), flipped if op[side] else None)
        for v, side in zip(node.inputs, ("transpose_a", "transpose_b"), strict=True)
    ]
    arrays.new(node.outputs[0], arrays.writer.node("MatMul", names))


# Convolutions and poolings, channels first.  A bias is added to the node by ``add``, below.


@translates("conv2d")
def conv2d(arrays: Arrays, node: Node) -> None:
    op = node.op.attributes()
    x, w = (arrays.of(v) for v in node.inputs)
    kernel = [a for a, _ in w.shape[:2]]
    x, padding = _padding_joined(x, op["padding"])
    inputs = [arrays.get(x, channels_first(4)), arrays.get(w, _OUT_IN)]
    name = arrays.writer.node(
        "Conv", inputs, kernel_shape=kernel, strides=list(op["strides"]), dilations=list(op["dilation"]),
        group=op["groups"], **_pads(arrays, node, kernel, padding),
    )  # fmt: skip
    arrays.new(node.outputs[0], name, channels_first(4)).product = arrays.writer.nodes[-1]


def _padding_joined(x: Array, padding: Any) -> tuple[Array, Any]:
    """Zeros around the image become padding of the convolution that reads it."""
    if x.padded is None:
        return x, padding
    base, before, after = x.padded
    if before[0] or before[3] or after[0] or after[3]:
        return x, padding
    return base, tuple((p[0] + before[d + 1], p[1] + after[d + 1]) for d, p in enumerate(padding))


def _pads(arrays: Arrays, node: Node, kernel: list[int], padding: Any) -> dict[str, Any]:
    """The attribute for the padding; "same" where it depends on a length that is open."""
    twin = arrays.traced.twin(node.outputs[0]).node
    assert twin is not None
    op, other, shape = node.op.attributes(), twin.op.attributes(), arrays.traced.dims(node.inputs[0])
    is_open = any(a != b for a, b in shape[1:3])
    if is_open and (op["padding"] != other["padding"] or (max(op["strides"]) > 1 and any(map(any, op["padding"])))):
        for i, attributes in enumerate((op, other)):
            same_padding = resolve_padding(
                "export", "same", [d[i] for d in shape[1:3]], kernel, op["strides"], op.get("dilation")
            )
            if tuple(map(tuple, same_padding)) != tuple(map(tuple, attributes["padding"])):
                raise ArgumentError(
                    f"export: layer '{node.scope}' pads by {op['padding']} or {other['padding']}, depending on a "
                    "length that the model leaves open, and not as padding='same' does; fix that length"
                )
        return {"auto_pad": "SAME_UPPER"}
    (top, bottom), (left, right) = padding
    return {"pads": [top, left, bottom, right]}


@translates("conv2d_grad_input")
def transposed_convolution(arrays: Arrays, node: Node) -> None:
    op = node.op.attributes()
    g, w = (arrays.of(v) for v in node.inputs)
    (top, bottom), (left, right) = op["padding"]
    kernel = [a for a, _ in w.shape[:2]]
    added = []
    for d, pad in enumerate(op["padding"]):
        reach = (kernel[d] - 1) * op["dilation"][d] + 1
        sizes = {
            out[1 + d] - (n - 1) * op["strides"][d] - reach + sum(pad)
            for out, n in zip(zip(*arrays.traced.dims(node.outputs[0]), strict=True), g.shape[1 + d], strict=True)
        }
        if len(sizes) > 1:
            raise ArgumentError(
                f"export: layer '{node.scope}': the size of a transposed convolution's result does not follow from an "
                "open length alone; fix that length"
            )
        added.append(sizes.pop())
    name = arrays.writer.node(
        "ConvTranspose", [arrays.get(g, channels_first(4)), arrays.get(w, _OUT_IN)], kernel_shape=kernel,
        strides=list(op["strides"]), dilations=list(op["dilation"]), group=op["groups"],
        pads=[top, left, bottom, right], output_padding=added,
    )  # fmt: skip
    arrays.new(node.outputs[0], name, channels_first(4)).product = arrays.writer.nodes[-1]


@translates("add")
def add(arrays: Arrays, node: Node) -> None:
    """A bias goes into the convolution before it."""
    for number, other in ((0, 1), (1, 0)):
        value, bias = node.inputs[number], arrays.of(node.inputs[other]).source
        array = arrays.of(value)
        reader, read = node, value
        if array.product is None and array.units is not None and not array.forms and value.node is not None:
            if arrays.traced.only_user(value) is not node:  # a convolution over steps: its one row was taken away
                continue
            reader, read = value.node, value.node.inputs[0]
        product = arrays.of(read).product
        channels = array.shape[-1:] if array.rank else ()
        if (
            product is not None
            and len(product.input) == 2
            and arrays.traced.only_user(read) is reader
            and bias.constant is not None
            and bias.other is None
            and tuple(d for d in bias.shape if d != ONE) == tuple(d for d in channels if d != ONE)
            and bias.shape[-1:] == channels
        ):
            flat = arrays.constant(bias.constant.reshape(-1), bias.label)
            product.input.append(arrays.get(flat))
            arrays.put(node.outputs[0], array)
            return
    same(arrays, node)


@translates("max_pool2d", "average_pool2d")
def pooling(arrays: Arrays, node: Node) -> None:
    op, x = node.op.attributes(), arrays.of(node.inputs[0])
    more: dict[str, Any] = {}
    padding = op["padding"]
    if node.op.name == "average_pool2d":
        more = {"count_include_pad": 0}
    elif x.padded is not None and _is_not_negative(node):
        # Zeros around numbers that are not negative are never above the largest: they may as well not be there.
        base, joined = _padding_joined(x, padding)
        if all(max(p) < n for p, n in zip(joined, op["pool"], strict=True)):
            x, padding = base, joined
    name = arrays.writer.node(
        "MaxPool" if node.op.name == "max_pool2d" else "AveragePool", [arrays.get(x, channels_first(4))],
        kernel_shape=list(op["pool"]), strides=list(op["strides"]), **_pads(arrays, node, op["pool"], padding), **more,
    )  # fmt: skip
    arrays.new(node.outputs[0], name, channels_first(4))


def _is_not_negative(node: Node) -> bool:
    before = node.inputs[0].node
    source = before.inputs[0].node if before is not None else None
    return source is not None and source.op.name in ("relu", "relu6", "sigmoid", "softplus")


# Normalizations


@translates("batch_norm_inference")
def batch_norm(arrays: Arrays, node: Node) -> None:
    x, *vectors = (arrays.of(v) for v in node.inputs)
    perm = identity(2) if x.rank == 2 else channels_first(x.rank)
    names = [arrays.get(x, perm), *(arrays.get(_whole(arrays, v)) for v in vectors)]
    epsilon = float(node.op.attributes()["epsilon"])
    arrays.new(node.outputs[0], arrays.writer.node("BatchNormalization", names, epsilon=epsilon), perm)


def _whole(arrays: Arrays, array: Array) -> Array:
    """The array, with numbers that it repeats repeated in the file."""
    source = array.source
    if array.spread is None or source.constant is None or not array.is_static:
        return array
    return arrays.constant(np.broadcast_to(source.constant, [a for a, _ in array.shape]), source.label)


def _refuse_statistics(arrays: Arrays, node: Node, first: int) -> None:
    if any(arrays.traced.is_read(v) for v in node.outputs[first:]):
        raise ArgumentError(
            f"export: layer '{node.scope}' reads what op '{node.op.name}' keeps for its gradient, which ONNX has not; "
            "leave gradients out of the model's call"
        )


@translates("layer_norm")
def layer_norm(arrays: Arrays, node: Node) -> None:
    _refuse_statistics(arrays, node, 1)
    op = node.op.attributes()
    x, gamma, beta = (arrays.of(v) for v in node.inputs)
    names = [arrays.get(x), *(arrays.get(_whole(arrays, v)) for v in (gamma, beta))]
    name = arrays.writer.node("LayerNormalization", names, axis=-op["axes"], epsilon=float(op["epsilon"]))
    arrays.new(node.outputs[0], name)


@translates("rms_norm")
def rms_norm(arrays: Arrays, node: Node) -> None:
    _refuse_statistics(arrays, node, 1)
    op, write = node.op.attributes(), arrays.writer.node
    x, scale = (arrays.of(v) for v in node.inputs)
    name = arrays.get(x)
    axes = arrays.writer.numbers(range(-op["axes"], 0))
    mean = write("ReduceMean", [write("Mul", [name, name]), axes], keepdims=1)
    epsilon = arrays.writer.initializer(np.array(op["epsilon"], x.dtype))
    normed = write("Div", [name, write("Sqrt", [write("Add", [mean, epsilon])])])
    arrays.new(node.outputs[0], write("Mul", [normed, arrays.get(_whole(arrays, scale))]))


@translates("softmax", "log_softmax")
def softmax(arrays: Arrays, node: Node) -> None:
    x, op = arrays.of(node.inputs[0]), "Softmax" if node.op.name == "softmax" else "LogSoftmax"
    if x.rows is not None and not x.forms:
        out = arrays.new(node.outputs[0])
        out.rows = Array(x.rows.shape, x.dtype)
        arrays.name(out.rows, arrays.writer.node(op, [arrays.get(x.rows)], axis=-1))
        return
    perm = next(iter(x.known_forms()), identity(x.rank))
    arrays.new(node.outputs[0], arrays.writer.node(op, [arrays.get(x, perm)], axis=perm.index(x.rank - 1)), perm)


@translates("attention")
def attention(arrays: Arrays, node: Node) -> None:
    """``softmax(scale q k^T + mask) v``, heads before the sequence."""
    _refuse_statistics(arrays, node, 1)
    op, write = node.op.attributes(), arrays.writer.node
    q, k, v, *mask = (arrays.of(value) for value in node.inputs)
    scale = arrays.writer.initializer(np.array(op["scale"], q.dtype))
    heads_first = (0, 2, 1, 3)
    scores = write("MatMul", [write("Mul", [arrays.get(q, heads_first), scale]), arrays.get(k, (0, 2, 3, 1))])
    if mask:
        scores = write("Add", [scores, arrays.fitted(mask[0].source, identity(4), 4)])
    if op["causal"]:
        scores = write("Add", [scores, _causal(arrays, q, k)])
    y = write("MatMul", [write("Softmax", [scores], axis=-1), arrays.get(v, heads_first)])
    arrays.new(node.outputs[0], y, heads_first)


def _causal(arrays: Arrays, q: Array, k: Array) -> str:
    """0 where a query may see the key, else -inf."""
    shape = (q.shape[1], k.shape[1])
    if all(a == b for a, b in shape):
        return arrays.writer.initializer(np.where(np.tri(shape[0][0], shape[1][0]), 0, -np.inf).astype(q.dtype))
    numbers = [arrays.writer.initializer(np.array(n, q.dtype)) for n in (0, -np.inf)]
    return str(arrays.writer.node("Where", [_lower_triangle(arrays, shape), *numbers]))


def _lower_triangle(arrays: Arrays, shape: Sequence[Dim]) -> str:
    """True on the diagonal and below it."""
    if all(a == b for a, b in shape):
        return arrays.writer.initializer(np.tri(shape[0][0], shape[1][0], dtype=bool))
    zero, one = (arrays.writer.initializer(np.array(n, "float32")) for n in (0, 1))
    ones = arrays.writer.node("Expand", [one, arrays.lengths(shape)])
    return str(arrays.writer.node("Greater", [arrays.writer.node("Trilu", [ones], upper=0), zero]))


# Reductions


@translates("sum", "max", "min")
def reduction(arrays: Arrays, node: Node) -> None:
    op, x = node.op.attributes(), arrays.of(node.inputs[0])
    gone = list(range(op["axis"], op["axis"] + op["count"]))
    mean = _becomes_mean(arrays, node, x, gone)
    perm = next(iter(x.known_forms()), identity(x.rank))
    name = arrays.get(x, perm)
    if mean is not None and perm == channels_first(4) and gone == [1, 2]:
        pooled = arrays.writer.node("GlobalAveragePool", [name])
        result, left = arrays.writer.node("Flatten", [pooled], axis=1), identity(2)
    else:
        kind = "Mean" if mean is not None else node.op.name.capitalize()
        axes = arrays.writer.numbers(sorted(perm.index(a) for a in gone))
        result = arrays.writer.node(f"Reduce{kind}", [name, axes], keepdims=0)
        kept = [a for a in perm if a not in gone]
        left = tuple(sorted(kept).index(a) for a in kept)
    out = arrays.new(node.outputs[0], result, left)
    if mean is not None:
        arrays.put(mean.outputs[0], reshaped(arrays, out, arrays.traced.dims(mean.outputs[0])))


def _becomes_mean(arrays: Arrays, node: Node, x: Array, gone: list[int]) -> Node | None:
    """The multiplication by ``1 / count`` that alone reads a sum, whose axes of length 1 may have been put back."""
    value = node.outputs[0]
    after = arrays.traced.only_user(value)
    if after is not None and after.op.name == "reshape":
        value = after.outputs[0]
        after = arrays.traced.only_user(value)
    if node.op.name != "sum" or after is None or after.op.name != "multiply" or not node.outputs[0].spec.is_float:
        return None
    (other,) = [v for v in after.inputs if v is not value] or (value,)
    while other.node is not None and other.node.op.name == "broadcast_to":
        other = other.node.inputs[0]
    numbers = [v.source for v in (other, arrays.traced.twin(other))]
    total = count([x.shape[i] for i in gone])
    for number, n in zip(numbers, total, strict=True):
        if not isinstance(number, np.ndarray) or number.size != 1 or abs(number.item() * n - 1) > 1e-6:
            return None
    return after


@translates("argmax")
def argmax(arrays: Arrays, node: Node) -> None:
    x = arrays.of(node.inputs[0])
    perm = next(iter(x.known_forms()), identity(x.rank))
    last = x.rank - 1
    found = arrays.writer.node("ArgMax", [arrays.get(x, perm)], axis=perm.index(last), keepdims=0)
    name = arrays.writer.node("Cast", [found], to=arrays.writer.type_of(node.outputs[0].dtype))
    arrays.new(node.outputs[0], name, tuple(a for a in perm if a != last))


@translates("cumsum")
def cumsum(arrays: Arrays, node: Node) -> None:
    op = node.op.attributes()
    axis = arrays.writer.initializer(np.array(op["axis"], "int64"))
    name = arrays.writer.node("CumSum", [arrays.get(arrays.of(node.inputs[0])), axis], reverse=int(op["reverse"]))
    arrays.new(node.outputs[0], name)


@translates("cumprod")
def cumprod(arrays: Arrays, node: Node) -> None:
    """For each place the product of all that are not behind it: ONNX has sums of this kind only."""
    x, axis = arrays.of(node.inputs[0]), node.op.attributes()["axis"]
    perm = (*(i for i in range(x.rank) if i != axis), axis)
    write, last = arrays.writer.node, arrays.writer.numbers([-1])
    before = write("Unsqueeze", [arrays.get(x, perm), arrays.writer.numbers([-2])])
    one = arrays.writer.initializer(np.array(1, x.dtype))
    taking_part = write("Where", [_lower_triangle(arrays, (x.shape[axis],) * 2), before, one])
    arrays.new(node.outputs[0], write("ReduceProd", [taking_part, last], keepdims=0), perm)


@translates("det")
def determinant(arrays: Arrays, node: Node) -> None:
    arrays.new(node.outputs[0], arrays.writer.node("Det", [arrays.get(arrays.of(node.inputs[0]))]))
