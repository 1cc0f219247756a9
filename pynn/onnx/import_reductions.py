"""Reading ONNX's reductions, and what goes along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pynn import ops
from pynn.errors import ArgumentError
from pynn.onnx.file import FileNode
from pynn.onnx.import_values import axis_of, entries, required
from pynn.onnx.importing import Importer, Length, reads

_REDUCTIONS: dict[str, Callable[..., Any]] = {
    "ReduceSum": ops.sum, "ReduceMean": ops.mean, "ReduceMax": ops.max, "ReduceMin": ops.min, "ReduceProd": ops.prod,
    "ReduceL1": lambda x, **k: ops.sum(ops.abs(x), **k), "ReduceSumSquare": lambda x, **k: ops.sum(x * x, **k),
    "ReduceL2": lambda x, **k: ops.sqrt(ops.sum(x * x, **k)), "ReduceLogSumExp": ops.logsumexp,
}  # fmt: skip


@reads(*_REDUCTIONS)
def reduction(importer: Importer, node: FileNode) -> None:
    x, given = importer.inputs(node, 1, 2)
    assert x is not None
    axes = importer.numbers(given, "axes") if given is not None else node.attributes.get("axes")
    if axes is None or not len(axes):
        if node.attributes.get("noop_with_empty_axes"):
            importer.tensors[node.outputs[0]] = x
            return
        axes = list(range(x.rank))
    gone = sorted(a % x.rank for a in axes)
    keep = bool(node.attributes.get("keepdims", 1))
    perm = x.form()
    places = tuple(sorted(perm.index(a) for a in gone))
    kept = [a for a in perm if a not in gone]
    left = perm if keep else tuple(sorted(kept).index(a) for a in kept)
    function = _REDUCTIONS[node.op]
    importer.put(node.outputs[0], importer.call(lambda v: function(v, axis=places, keepdims=keep), x.get(perm)), left)


@reads("ArgMax", "ArgMin")
def argmax(importer: Importer, node: FileNode) -> None:
    x = importer.one(node)
    axis, keep = axis_of(node, 0, x.rank), bool(node.attributes.get("keepdims", 1))
    if node.attributes.get("select_last_index"):
        raise ArgumentError("select_last_index is not read")
    function = ops.argmax if node.op == "ArgMax" else ops.argmin
    importer.put(node.outputs[0], importer.call(lambda v: function(v, axis=axis, keepdims=keep), x.get()))


@reads("Softmax", "LogSoftmax")
def softmax(importer: Importer, node: FileNode) -> None:
    x = importer.one(node)
    if importer.graph.opset < 13 and int(node.attributes.get("axis", 1)) % x.rank != x.rank - 1:
        raise ArgumentError("a softmax over several axes (opset below 13)")
    axis = axis_of(node, -1, x.rank)
    perm = x.form()
    function = ops.softmax if node.op == "Softmax" else ops.log_softmax
    importer.put(node.outputs[0], importer.call(lambda v: function(v, axis=perm.index(axis)), x.get(perm)), perm)


@reads("CumSum")
def cumsum(importer: Importer, node: FileNode) -> None:
    x, axis = required(importer, node, 2)
    (at,) = importer.numbers(axis, "axis") or [0]
    at %= x.rank
    if node.attributes.get("exclusive"):
        raise ArgumentError("exclusive sums are not read")
    reverse = bool(node.attributes.get("reverse"))

    def run(v: Any) -> Any:
        return ops.flip(ops.cumsum(ops.flip(v, at), axis=at), at) if reverse else ops.cumsum(v, axis=at)

    importer.put(node.outputs[0], importer.call(run, x.get()))


@reads("TopK")
def top_k(importer: Importer, node: FileNode) -> None:
    x, count = required(importer, node, 2)
    axis = axis_of(node, -1, x.rank)
    perm = (*(a for a in range(x.rank) if a != axis), axis)
    value = x.get(perm)
    sign = 1 if node.attributes.get("largest", 1) else -1
    wanted = entries(count)[0]
    if isinstance(wanted, Length) or wanted == x.shape[axis]:  # all of them: a stable sort
        order = ops.argsort(value * -sign, axis=-1)
        found = ops.take_along_axis(value, order, axis=-1)
    else:
        found, order = ops.top_k(value * sign, wanted)
        found = found * sign
    importer.put(node.outputs[0], found, perm)
    if len(node.outputs) > 1 and node.outputs[1]:
        importer.put(node.outputs[1], order, perm)


@reads("OneHot")
def one_hot(importer: Importer, node: FileNode) -> None:
    indices, depth, values = required(importer, node, 3)
    (n,) = importer.numbers(depth, "depth") or [0]
    if values.constant is None or values.constant.size != 2:
        raise ArgumentError("its two values must be constant")
    off, on = (float(v) for v in values.constant)
    rows = ops.one_hot(ops.cast(indices.get(), "int32"), n, axis=int(node.attributes.get("axis", -1)))
    importer.put(node.outputs[0], rows * (on - off) + off)


@reads("Trilu")
def trilu(importer: Importer, node: FileNode) -> None:
    x, k = importer.inputs(node, 1, 2)
    assert x is not None
    (offset,) = importer.numbers(k, "k") or [0] if k is not None else [0]
    function = ops.triu if node.attributes.get("upper", 1) else ops.tril
    importer.put(node.outputs[0], importer.call(lambda v: function(v, offset), x.get()))
