"""Translations of ops that move, repeat and join numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.graph.ir import Node
from pynn.onnx.arrays import ONE, Array, Arrays, channels_first, count, identity
from pynn.onnx.registry import translates
from pynn.onnx.traced import Dim

_END = np.iinfo("int64").max
_START = np.iinfo("int64").min


@translates("stop_gradient", "copy")
def same(arrays: Arrays, node: Node) -> None:
    arrays.put(node.outputs[0], arrays.of(node.inputs[0]))


@translates("transpose")
def transpose(arrays: Arrays, node: Node) -> None:
    """Nothing is written: the forms are those of the input under other names of the axes."""
    x, perm = arrays.of(node.inputs[0]), node.op.attributes()["perm"]
    if not x.forms:
        arrays.get(x, next(iter(x.known_forms()), None))
    out = arrays.new(node.outputs[0])
    for form, name in x.forms.items():
        arrays.name(out, name, tuple(perm.index(axis) for axis in form))


@translates("broadcast_to")
def broadcast_to(arrays: Arrays, node: Node) -> None:
    x = arrays.of(node.inputs[0])
    if x.rows is not None:
        arrays.get(x)
    out = arrays.new(node.outputs[0])
    out.spread = x.source  # what repeats something repeated repeats that: axes are matched from the end


@translates("reshape")
def reshape(arrays: Arrays, node: Node) -> None:
    x, shape = arrays.of(node.inputs[0]), arrays.traced.dims(node.outputs[0])
    arrays.put(node.outputs[0], reshaped(arrays, x, shape))


def reshaped(arrays: Arrays, x: Array, shape: Sequence[Dim]) -> Array:
    """The array under another shape, written as late as possible."""
    shape = tuple(shape)
    if x.shape == shape:
        return x
    out = Array(shape, x.dtype)
    if x.spread is not None and x.spread.rank == 0:
        out.spread = x.spread
        return out
    if x.rows is not None and not x.forms:
        lead = x.rows.shape[:-1]
        if shape[: len(lead)] == lead:
            return reshaped(arrays, x.rows, shape)
    enlarged = _enlarged(arrays, x, shape)
    if enlarged is not None:
        return enlarged
    if x.truth is not None:
        out.truth = reshaped(arrays, x.truth, shape)
    if [d for d in x.shape if d != ONE] == [d for d in shape if d != ONE]:
        out.units = x if x.units is None or x.forms else x.units
        return out
    axes = next((i for i in range(2, x.rank) if count(x.shape[i:]) == shape[-1]), 0) if len(shape) == 2 else 0
    if axes and shape[1][0] == shape[1][1]:
        out.rows = reshaped(arrays, x, (*x.shape[:axes], shape[1]))
        return out
    arrays.name(out, arrays.reshaped(arrays.get(x), x.shape, shape))
    return out


def _enlarged(arrays: Arrays, x: Array, shape: Sequence[Dim]) -> Array | None:
    """Points repeated along axes, ``(n, h, w, c) -> (n, h, 2, w, 2, c) -> (n, 2 h, 2 w, c)``: one Resize."""
    if x.spread is None or x.forms or x.spread.units is None or x.dtype != "float32":
        return None
    base, wide = x.spread.units, x.shape
    if base.rank != len(shape) or x.spread.rank != len(wide):
        return None
    factors, at = [], 0
    for before, after in zip(base.shape, shape, strict=True):
        if at >= len(wide) or wide[at] != before:
            return None
        at += 1
        factor = 1
        if after != before:
            if at >= len(wide) or wide[at][0] != wide[at][1] or x.spread.shape[at] != ONE:
                return None
            factor, at = wide[at][0], at + 1
        if after != (before[0] * factor, before[1] * factor):
            return None
        factors.append(factor)
    if at != len(wide):
        return None
    perm = channels_first(base.rank) if base.rank > 3 else next(iter(base.known_forms()), identity(base.rank))
    scales = arrays.writer.initializer(np.array([factors[i] for i in perm], "float32"))
    out = Array(shape, x.dtype)
    name = arrays.writer.node(
        "Resize",
        [arrays.get(base, perm), "", scales],
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    arrays.name(out, name, perm)
    return out


@translates("concatenate")
def concatenate(arrays: Arrays, node: Node) -> None:
    parts = [arrays.of(v) for v in node.inputs]
    axis = node.op.attributes()["axis"]
    votes: dict[Any, int] = {}
    for part in parts:
        for perm in part.known_forms() if part.constant is None else []:
            votes[perm] = votes.get(perm, 0) + 1
    perm = max(votes, key=lambda p: votes[p]) if votes else identity(parts[0].rank)
    name = arrays.writer.node("Concat", [arrays.get(p, perm) for p in parts], axis=perm.index(axis))
    arrays.new(node.outputs[0], name, perm)


@translates("pad")
def pad(arrays: Arrays, node: Node) -> None:
    """Zeros around the array, and parts cut off; an open axis is counted from the end that is known."""
    x, op = arrays.of(node.inputs[0]), node.op.attributes()
    twin = arrays.traced.twin(node.outputs[0]).node
    assert twin is not None
    other = twin.op.attributes()
    out = Array(arrays.traced.dims(node.outputs[0]), x.dtype)
    perm = next(iter(x.known_forms()), identity(x.rank))
    name = arrays.get(x, perm)
    starts, ends, axes = [], [], []
    for i, axis in enumerate(perm):
        before, after = ((op[side][axis], other[side][axis]) for side in ("before", "after"))
        if min(before) >= 0 and min(after) >= 0:
            continue
        start, end = _cut(before, after, out.shape[axis])
        starts.append(start)
        ends.append(end)
        axes.append(i)
    if axes:
        name = arrays.writer.node("Slice", [name, *(arrays.writer.numbers(n) for n in (starts, ends, axes))])
    before, after = (tuple(max(n, 0) for n in op[side]) for side in ("before", "after"))
    if any(before) or any(after):
        if not axes and op == other and x.dtype == "float32":
            out.padded = (x, before, after)
        widths = [n[axis] for n in (before, after) for axis in perm]
        # ONNX Runtime 1.31 makes zeros before a MaxPool padding of it, which is ignored: wrong below 0.  It leaves
        # numbers that are not 0 alone.
        is_pooled = any(user.op.name == "max_pool2d" for user in arrays.traced.users(node.outputs[0]))
        number = np.finfo("float32").tiny if is_pooled else 0
        zero = arrays.writer.initializer(np.array(number, x.dtype))
        name = arrays.writer.node("Pad", [name, arrays.writer.numbers(widths), zero])
    arrays.name(out, name, perm)
    arrays.put(node.outputs[0], out)


def _cut(before: Dim, after: Dim, size: Dim) -> tuple[int, int]:
    """Where a Slice begins and ends, in numbers that hold for any length; negative ones count from the end."""
    size = (size[0] - max(before[0], 0) - max(after[0], 0), size[1] - max(before[1], 0) - max(after[1], 0))
    if before[0] == before[1]:
        start = max(-before[0], 0)
        if after[0] == after[1]:
            return start, min(after[0], 0) or _END
        return start, start + size[0]
    end = min(after[0], 0)
    return end - size[0], end or _END


@translates("take_rows")
def take_rows(arrays: Arrays, node: Node) -> None:
    x, numbers = (arrays.of(v) for v in node.inputs)
    if numbers.rank != 1:
        name = arrays.writer.node("Gather", [arrays.get(x), arrays.get(numbers)], axis=0)
        arrays.new(node.outputs[0], name)
        return
    perm = next(iter(x.known_forms()), identity(x.rank))
    axis = perm.index(0)
    if _is_reversal(numbers, x.shape[0]):
        places = [arrays.writer.numbers([n]) for n in (-1, _START, axis, -1)]
        name = arrays.writer.node("Slice", [arrays.get(x, perm), *places])
    else:
        name = arrays.writer.node("Gather", [arrays.get(x, perm), arrays.get(numbers)], axis=axis)
    arrays.new(node.outputs[0], name, perm)


def _is_reversal(numbers: Array, rows: Dim) -> bool:
    given = (numbers.constant, numbers.constant if numbers.other is None else numbers.other)
    return all(a is not None and np.array_equal(a, np.arange(n)[::-1]) for a, n in zip(given, rows, strict=True))


@translates("take_along_axis")
def take_along_axis(arrays: Arrays, node: Node) -> None:
    names = [arrays.get(arrays.of(v)) for v in node.inputs]
    arrays.new(node.outputs[0], arrays.writer.node("GatherElements", names, axis=node.op.attributes()["axis"]))


@translates("add_along_axis")
def add_along_axis(arrays: Arrays, node: Node) -> None:
    g, numbers = (arrays.get(arrays.of(v)) for v in node.inputs)
    op = node.op.attributes()
    zeros = _filled(arrays, node, 0)
    name = arrays.writer.node("ScatterElements", [zeros, numbers, g], axis=op["axis"], reduction="add")
    arrays.new(node.outputs[0], name)


def _filled(arrays: Arrays, node: Node, number: float) -> str:
    """A tensor of the output's shape with one number everywhere."""
    out = Array(arrays.traced.dims(node.outputs[0]), node.outputs[0].dtype)
    out.spread = arrays.constant(np.array(number, out.dtype))
    return arrays.get(out)


_REDUCTIONS = {"set": "none", "add": "add", "mul": "mul", "prod": "mul", "max": "max", "min": "min"}


@translates("scatter_rows")
def scatter_rows(arrays: Arrays, node: Node) -> None:
    x, numbers, updates = (arrays.get(arrays.of(v)) for v in node.inputs)
    _scatter(arrays, node, x, numbers, updates, node.op.attributes()["reduction"])


@translates("add_rows")
def add_rows(arrays: Arrays, node: Node) -> None:
    g, numbers = (arrays.of(v) for v in node.inputs)
    if numbers.rank != 1:  # one row after the other
        g = reshaped(arrays, g, (count(numbers.shape), *g.shape[numbers.rank :]))
        numbers = reshaped(arrays, numbers, (count(numbers.shape),))
    _scatter(arrays, node, _filled(arrays, node, 0), arrays.get(numbers), arrays.get(g), "add")


@translates("segment_reduce")
def segment_reduce(arrays: Arrays, node: Node) -> None:
    x, numbers = (arrays.get(arrays.of(v)) for v in node.inputs)
    kind, dtype = node.op.attributes()["kind"], np.dtype(node.outputs[0].dtype)
    if kind == "prod":
        start: float = 1
    elif dtype.kind == "f":
        start = -np.inf if kind == "max" else np.inf
    else:
        start = np.iinfo(dtype).min if kind == "max" else np.iinfo(dtype).max
    _scatter(arrays, node, _filled(arrays, node, start), numbers, x, kind)


def _scatter(arrays: Arrays, node: Node, table: str, numbers: str, updates: str, kind: str) -> None:
    add = arrays.writer.node
    wide = add("Cast", [numbers], to=arrays.writer.type_of("int64"))
    places = add("Unsqueeze", [wide, arrays.writer.numbers([-1])])
    arrays.new(node.outputs[0], add("ScatterND", [table, places, updates], reduction=_REDUCTIONS[kind]))


@translates("one_hot")
def one_hot(arrays: Arrays, node: Node) -> None:
    """Compared with 0, 1, ...: a number outside gives zeros, where ONNX's OneHot counts from the end."""
    depth, add = node.op.attributes()["depth"], arrays.writer.node
    numbers = add("Unsqueeze", [arrays.get(arrays.of(node.inputs[0])), arrays.writer.numbers([-1])])
    places = arrays.writer.initializer(np.arange(depth, dtype="int32"))
    found = add("Equal", [numbers, places])
    out = arrays.new(node.outputs[0], add("Cast", [found], to=arrays.writer.type_of(node.outputs[0].dtype)))
    out.truth = Array(out.shape, "bool")
    arrays.name(out.truth, found)


@translates("split_steps")
def split_steps(arrays: Arrays, node: Node) -> None:
    x, axis = arrays.of(node.inputs[0]), node.op.attributes()["axis"]
    perm = next(iter(x.known_forms()), identity(x.rank))
    name, add = arrays.get(x, perm), arrays.writer.node
    kept = [a - (a > axis) for a in perm if a != axis]
    for i, value in enumerate(node.outputs):
        if arrays.traced.is_read(value):
            place = arrays.writer.initializer(np.array(i, "int64"))
            arrays.new(value, add("Gather", [name, place], axis=perm.index(axis)), tuple(kept))


@translates("join_steps")
def join_steps(arrays: Arrays, node: Node) -> None:
    axis = arrays.writer.numbers([node.op.attributes()["axis"]])
    parts = [arrays.writer.node("Unsqueeze", [arrays.get(arrays.of(v)), axis]) for v in node.inputs]
    arrays.new(node.outputs[0], arrays.writer.node("Concat", parts, axis=node.op.attributes()["axis"]))


@translates("argsort")
def argsort(arrays: Arrays, node: Node) -> None:
    """TopK of all; among equal ones it keeps the order, as a stable sort."""
    x, add = arrays.of(node.inputs[0]), arrays.writer.node
    length = arrays.lengths([x.shape[-1]])
    descending = int(node.op.attributes()["descending"])
    _, places = add("TopK", [arrays.get(x), length], 2, axis=-1, largest=descending, sorted=1)
    arrays.new(node.outputs[0], add("Cast", [places], to=arrays.writer.type_of(node.outputs[0].dtype)))


@translates("random_uniform", "random_normal")
def random_numbers(arrays: Arrays, node: Node) -> None:
    """Other numbers of the same distribution: ONNX has no seed that goes on from run to run."""
    op = node.op.attributes()
    like = _filled(arrays, node, 0)
    if node.op.name == "random_uniform":
        name = arrays.writer.node("RandomUniformLike", [like], low=float(op["low"]), high=float(op["high"]))
    else:
        name = arrays.writer.node("RandomNormalLike", [like], mean=float(op["mean"]), scale=float(op["stddev"]))
    arrays.new(node.outputs[0], name)
