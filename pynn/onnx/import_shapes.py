"""Reading ONNX's ops that make shapes, and move, repeat, cut and join numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.symbolic import KerasTensor
from pynn.onnx.file import FileNode
from pynn.onnx.import_values import axis_of, entries, is_weight, of_lengths, required
from pynn.onnx.importing import Importer, Length, Tensor, reads

_MOST_MADE = 1 << 26


@reads("Shape")
def shape(importer: Importer, node: FileNode) -> None:
    x = importer.one(node)
    start, end = node.attributes.get("start", 0), node.attributes.get("end", x.rank)
    found: list[int | Length] = [Length(x, i) if n is None else n for i, n in enumerate(x.shape)][start:end]
    importer.tensors[node.outputs[0]] = of_lengths(found, True)


@reads("Reshape")
def reshape(importer: Importer, node: FileNode) -> None:
    x, target = required(importer, node, 2)
    wanted = entries(target)
    if x.lengths is not None:
        importer.tensors[node.outputs[0]] = of_lengths(x.lengths, bool(wanted))
        return
    if node.attributes.get("allowzero"):
        raise ArgumentError("allowzero is not read")
    resolved: list[int | Length] = []
    for i, n in enumerate(wanted):
        if isinstance(n, int) and n < -1:
            raise ArgumentError(f"a shape of {wanted}")
        if n == 0 or (isinstance(n, Length) and n.tensor is x and n.axis == i and n.times == n.by == 1):
            length = x.shape[i]
            resolved.append(Length(x, i) if length is None else length)
        else:
            resolved.append(n)
    importer.put(node.outputs[0], importer.shaped("reshape", x.get(), resolved, node))


@reads("Flatten")
def flatten(importer: Importer, node: FileNode) -> None:
    x, axis = importer.one(node), int(node.attributes.get("axis", 1))
    axis += x.rank if axis < 0 else 0
    front, rest = x.shape[:axis], x.shape[axis:]
    value = x.get(x.form()) if all(n == 1 for n in rest[1:]) and axis == 1 else x.get()
    if None not in rest:
        target = [-1, math.prod(n for n in rest if n is not None)]
    elif None not in front:
        target = [math.prod(n for n in front if n is not None), -1]
    else:
        raise ArgumentError("axes of open length on both sides")
    importer.put(node.outputs[0], importer.call(lambda v: ops.reshape(v, target), value))


@reads("Squeeze", "Unsqueeze")
def squeeze(importer: Importer, node: FileNode) -> None:
    x, given = importer.inputs(node, 1, 2)
    assert x is not None
    axes = importer.numbers(given, "axes") if given is not None else node.attributes.get("axes")
    if x.lengths is not None:
        importer.tensors[node.outputs[0]] = of_lengths(x.lengths, node.op == "Unsqueeze")
        return
    if axes is None:
        axes = [i for i, n in enumerate(x.shape) if n == 1]
    if node.op == "Unsqueeze":
        _simple_own_form(importer, node, x, lambda v: ops.expand_dims(v, list(axes)))
        return
    gone = {a % x.rank for a in axes}
    perm = x.form()
    places = [perm.index(a) for a in sorted(gone)]
    kept = [a for a in perm if a not in gone]
    value = importer.call(lambda v: ops.squeeze(v, places), x.get(perm)) if places else x.get(perm)
    importer.put(node.outputs[0], value, tuple(sorted(kept).index(a) for a in kept))


def _simple_own_form(importer: Importer, node: FileNode, x: Tensor, function: Callable[[Any], Any]) -> None:
    importer.put(node.outputs[0], importer.call(function, x.get()))


@reads("Transpose")
def transpose(importer: Importer, node: FileNode) -> None:
    """Nothing is moved: the forms are those of the input under other names of the axes."""
    x = importer.one(node)
    perm = tuple(node.attributes.get("perm", range(x.rank)[::-1]))
    if sorted(perm) != list(range(x.rank)):
        raise ArgumentError(f"perm {perm} of an array with {x.rank} axes")
    if x.constant is not None:
        importer.put(node.outputs[0], x.constant.transpose(perm)).name = x.name
        return
    out = Tensor([x.shape[i] for i in perm])
    out.forms = {tuple(perm.index(axis) for axis in form): value for form, value in x.forms.items()}
    if not out.forms:
        raise ArgumentError("lengths are transposed")
    importer.tensors[node.outputs[0]] = out


@reads("Expand")
def expand(importer: Importer, node: FileNode) -> None:
    x, target = required(importer, node, 2)
    wanted = entries(target)
    value = x.get()
    if all(isinstance(n, int) for n in wanted):
        numbers = [int(n) for n in wanted]  # type: ignore[arg-type]
        if any(n < 0 or n > _MOST_MADE for n in numbers) or math.prod(numbers) > 2**40:
            raise ArgumentError(f"a shape of {numbers}")
        ones = np.broadcast_to(np.ones((), "float32"), numbers)
        if isinstance(value, KerasTensor) and None in value.shape:
            value = importer.shaped("broadcast_to", value, numbers, node)
        else:
            shape = np.broadcast_shapes(tuple(value.shape), ones.shape)
            value = importer.call(lambda v: ops.broadcast_to(v, shape), value)
    elif isinstance(value, np.ndarray) and value.size == 1:
        value = _full(importer, node, value.reshape(()), wanted)
    else:
        value = importer.shaped("broadcast_to", value, wanted, node)
    importer.put(node.outputs[0], value)


def _full(importer: Importer, node: FileNode, number: Any, wanted: Sequence[int | Length]) -> Any:
    """One number in the shape of something: made of that something, so that it is known when the model runs."""
    like = next(n for n in wanted if isinstance(n, Length)).tensor
    zeros = ops.zeros_like(like.get(like.form()))
    return importer.shaped("broadcast_to", ops.cast(ops.max(zeros), str(number.dtype)) + number, wanted, node)


@reads("ConstantOfShape")
def constant_of_shape(importer: Importer, node: FileNode) -> None:
    wanted = entries(importer.one(node))
    number = np.asarray(node.attributes.get("value", np.zeros(1, "float32"))).reshape(-1)[0]
    if any(isinstance(n, Length) for n in wanted):
        importer.put(node.outputs[0], _full(importer, node, number, wanted))
        return
    if not all(isinstance(n, int) and n >= 0 for n in wanted) or math.prod(wanted) > _MOST_MADE:  # type: ignore[arg-type]
        raise ArgumentError(f"a shape must be known and hold at most {_MOST_MADE:,} numbers")
    importer.put(node.outputs[0], np.full([int(n) for n in wanted], number))  # type: ignore[arg-type]


@reads("Range")
def arange(importer: Importer, node: FileNode) -> None:
    found = [t.constant for t in required(importer, node, 3)]
    if any(n is None for n in found):
        raise ArgumentError("start, end and step must be known numbers: fix the length of the axis that they come from")
    start, end, step = (n.item() for n in found if n is not None)
    if not step or (end - start) / step > _MOST_MADE:
        raise ArgumentError(f"from {start} to {end} in steps of {step}")
    importer.put(node.outputs[0], np.arange(start, end, step, dtype=found[0].dtype))  # type: ignore[union-attr]


@reads("Concat")
def concat(importer: Importer, node: FileNode) -> None:
    parts = [t for t in importer.inputs(node, 1) if t is not None]
    if any(t.lengths is not None for t in parts):
        importer.tensors[node.outputs[0]] = of_lengths([n for t in parts for n in entries(t)], True)
        return
    rank = parts[0].rank
    axis = axis_of(node, 0, rank)
    perm = importer.votes(parts, rank)
    if all(t.constant is not None for t in parts):
        importer.put(node.outputs[0], np.concatenate([t.get() for t in parts], axis))
        return
    values = [t.get(perm) for t in parts]
    dtype = next(v.dtype for v in values if isinstance(v, KerasTensor))
    values = [v.astype(dtype) if isinstance(v, np.ndarray) else v for v in values]
    importer.put(node.outputs[0], ops.concatenate(values, axis=perm.index(axis)), perm)


@reads("Slice")
def slice_(importer: Importer, node: FileNode) -> None:
    given = importer.inputs(node, 1, 5)
    x = given[0]
    assert x is not None
    if len(node.inputs) > 1:
        starts, ends, axes, steps = (importer.numbers(t, "starts, ends, axes and steps") for t in given[1:])
    else:
        starts, ends, axes = (node.attributes.get(k) for k in ("starts", "ends", "axes"))
        steps = None
    if starts is None or ends is None:
        raise ArgumentError("starts or ends are missing")
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps):
        raise ArgumentError("starts, ends, axes and steps of different lengths")
    places = {a % max(x.rank, 1): slice(s, _end(e, t), t) for s, e, a, t in zip(starts, ends, axes, steps, strict=True)}
    if x.lengths is not None:
        importer.tensors[node.outputs[0]] = of_lengths(x.lengths[places[0]], True)
        return
    perm = x.form()
    key = tuple(places.get(a, slice(None)) for a in perm)
    importer.put(node.outputs[0], x.get(perm)[key], perm)


def _end(end: int, step: int) -> int | None:
    """ONNX writes the far end of an axis as a very large number, in either direction."""
    return None if abs(end) >= 2**31 - 1 else end


@reads("Split")
def split(importer: Importer, node: FileNode) -> None:
    x, given = importer.inputs(node, 1, 2)
    assert x is not None
    axis = axis_of(node, 0, x.rank)
    length = x.shape[axis]
    sizes = importer.numbers(given, "split") if given is not None else node.attributes.get("split")
    if length is None:
        raise ArgumentError("an axis of open length is split")
    if sizes is None:
        step = -(-length // len(node.outputs))
        sizes = [min(step, length - i * step) for i in range(len(node.outputs))]
    if sum(sizes) != length or min(sizes) < 1 or len(sizes) != len(node.outputs):
        raise ArgumentError(f"parts of {sizes} of an axis of {length}")
    perm, start = x.form(), 0
    for name, size in zip(node.outputs, sizes, strict=True):
        key = tuple(slice(start, start + size) if a == axis else slice(None) for a in perm)
        importer.put(name, x.get(perm)[key], perm)
        start += size


@reads("Gather")
def gather(importer: Importer, node: FileNode) -> None:
    x, indices = required(importer, node, 2)
    axis = axis_of(node, 0, x.rank) if x.lengths is None else 0
    if x.lengths is not None:
        chosen = importer.numbers(indices, "indices") or []
        importer.tensors[node.outputs[0]] = of_lengths([x.lengths[i] for i in chosen], indices.rank > 0)
        return
    if x.constant is not None and indices.constant is not None:
        importer.put(node.outputs[0], np.take(x.constant, indices.constant.astype("int64"), axis))
        return
    if indices.constant is not None and indices.rank == 0:
        perm = x.form()
        number = int(indices.constant)
        key = tuple(number if a == axis else slice(None) for a in perm)
        kept = [a - (a > axis) for a in perm if a != axis]
        importer.put(node.outputs[0], x.get(perm)[key], tuple(kept))
        return
    if is_weight(importer, x) and axis == 0 and x.rank == 2:
        from pynn.layers import Embedding

        assert x.constant is not None
        layer = Embedding(*x.constant.shape, name=importer.name_for(node, x.name))
        importer.put(node.outputs[0], layer(ops.cast(indices.get(), "int32")))
        layer.set_weights([x.constant])
        return
    numbers = indices.get()
    numbers = numbers.astype("int32") if isinstance(numbers, np.ndarray) else ops.cast(numbers, "int32")
    importer.put(node.outputs[0], importer.call(lambda a, b: ops.take(a, b, axis=axis), x.get(), numbers))


@reads("GatherElements")
def gather_elements(importer: Importer, node: FileNode) -> None:
    x, indices = required(importer, node, 2)
    axis = axis_of(node, 0, x.rank)
    y = ops.take_along_axis(x.get(), ops.cast(indices.get(), "int32"), axis=axis)
    importer.put(node.outputs[0], y)


@reads("Tile")
def tile(importer: Importer, node: FileNode) -> None:
    x, repeats = required(importer, node, 2)
    times = importer.numbers(repeats, "repeats") or []
    importer.put(node.outputs[0], importer.call(lambda v: ops.tile(v, times), x.get()))


@reads("Pad")
def pad(importer: Importer, node: FileNode) -> None:
    x, widths, value, axes = importer.inputs(node, 1, 4)
    assert x is not None
    pads = importer.numbers(widths, "pads") if widths is not None else node.attributes.get("pads")
    if pads is None or axes is not None or len(pads) != 2 * x.rank:
        raise ArgumentError("expected two numbers of pads for each axis")
    mode = node.attributes.get("mode", "constant")
    if mode not in ("constant", "reflect", "edge"):
        raise ArgumentError(f"a border of the kind {mode!r}")
    number = float(node.attributes.get("value", 0.0))
    if value is not None:
        if value.constant is None or value.constant.size != 1:
            raise ArgumentError("what is around must be one constant number")
        number = float(value.constant.item())
    perm = x.form()
    pairs = [(pads[a], pads[x.rank + a]) for a in perm]
    v = x.get(perm)
    if any(n < 0 for pair in pairs for n in pair):
        v = v[tuple(slice(max(-b, 0), min(a, 0) or None) for b, a in pairs)]
        pairs = [(max(b, 0), max(a, 0)) for b, a in pairs]
    # A number too small to count stands for 0: export writes it where zeros would be taken for something else.
    small = abs(number) <= np.finfo("float32").tiny
    more = {"constant_values": number} if mode == "constant" and not small else {}
    if any(map(any, pairs)):
        v = importer.call(lambda u: ops.pad(u, pairs, mode=mode, **more), v)
    importer.put(node.outputs[0], v, perm)
