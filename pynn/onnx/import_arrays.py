"""Reading ONNX's ops that work by element, move numbers or reduce axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn import activations, ops
from pynn.errors import ArgumentError
from pynn.graph.symbolic import KerasTensor
from pynn.onnx.file import FileNode
from pynn.onnx.import_layers import ApplyWeight
from pynn.onnx.importing import Importer, Length, Tensor, reads

_MOST_MADE = 1 << 26
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


def required(importer: Importer, node: FileNode, count: int) -> list[Tensor]:
    """So many inputs, none left out."""
    found = [t for t in importer.inputs(node, count, count) if t is not None]
    return found


@reads(*_BINARY, "Mod")
def binary(importer: Importer, node: FileNode) -> None:
    tensors = [t for t in importer.inputs(node, 1) if t is not None]
    if any(t.lengths is not None for t in tensors):
        importer.tensors[node.outputs[0]] = _length_arithmetic(node.op, tensors)
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
            result = apply_weight(importer, node, _WITH_WEIGHT[node.op], weight, x, first, tensors[0 if first else i].name)
        else:
            result = importer.call(function, *_alike(result, value))
    importer.put(node.outputs[0], result, perm)


def _alike(a: Any, b: Any) -> tuple[Any, Any]:
    """A constant takes the dtype of the array beside it, as far as both are whole or both are not."""
    for one, other in ((a, b), (b, a)):
        if isinstance(one, np.ndarray) and isinstance(other, KerasTensor):
            if one.dtype.kind in "iu" and str(other.dtype).startswith(("int", "uint")):
                converted = one.astype(other.dtype)
                return (converted, b) if one is a else (a, converted)
    return a, b


def is_weight(importer: Importer, tensor: Tensor) -> bool:
    """Whether it is to be trained: an array of floats that the file keeps under a name, and not as a constant."""
    return (
        tensor.constant is not None
        and tensor.constant.dtype.kind == "f"
        and tensor.constant.size > 1
        and tensor.name in importer.graph.weights
        and not tensor.name.startswith("const_")  # what export calls numbers that are no variable's
    )


def apply_weight(
    importer: Importer, node: FileNode, function: str, weight: Any, x: Any, first: bool, name: str
) -> Any:
    if not isinstance(x, KerasTensor):
        operands = (weight, x) if first else (x, weight)
        return importer.call(getattr(ops, function), *operands)
    layer = ApplyWeight(function, weight.shape, first, name=importer.name_for(node, name))
    y = layer(x)
    layer.set_weights([np.ascontiguousarray(weight)])
    return y


def axis_of(node: FileNode, default: int, rank: int) -> int:
    """The node's axis, counted from the front."""
    axis = int(node.attributes.get("axis", default))
    if not -rank <= axis < rank:
        raise ArgumentError(f"axis {axis} of an array with {rank} axes")
    return axis % rank


@reads("Where")
def where(importer: Importer, node: FileNode) -> None:
    tensors = required(importer, node, 3)
    perm = importer.votes(tensors, max(t.rank for t in tensors))
    importer.put(node.outputs[0], importer.call(ops.where, *(importer.fitted(t, perm) for t in tensors)), perm)


@reads("Cast", "CastLike")
def cast(importer: Importer, node: FileNode) -> None:
    x = importer.one(node)
    to = node.attributes.get("to", 1)
    if x.lengths is not None:
        importer.tensors[node.outputs[0]] = x
        return
    if node.op == "CastLike" or to not in _DTYPES:
        raise ArgumentError(f"it makes numbers of the unknown dtype {to}")
    if x.constant is not None:
        dtype = "int64" if to == 7 else _DTYPES[to]
        importer.put(node.outputs[0], x.constant.astype(dtype))
    else:
        _simple(importer, node, lambda v: ops.cast(v, _DTYPES[to]))


@reads("Constant")
def constant(importer: Importer, node: FileNode) -> None:
    given = node.attributes
    for key, dtype in (("value_float", "float32"), ("value_int", "int64"), ("value_floats", "float32"), ("value_ints", "int64")):
        if key in given:
            importer.put(node.outputs[0], np.array(given[key], dtype))
            return
    if not isinstance(given.get("value"), np.ndarray):
        raise ArgumentError("expected numbers")
    importer.put(node.outputs[0], given["value"])


# Shapes, and numbers made of them


@reads("Shape")
def shape(importer: Importer, node: FileNode) -> None:
    x = importer.one(node)
    start, end = node.attributes.get("start", 0), node.attributes.get("end", x.rank)
    found: list[int | Length] = [Length(x, i) if n is None else n for i, n in enumerate(x.shape)][start:end]
    importer.tensors[node.outputs[0]] = _lengths(found, True)


def _lengths(found: Sequence[int | Length], vector: bool) -> Tensor:
    """A vector, or one number, of lengths."""
    if all(isinstance(n, int) for n in found):
        array = np.array(found, "int64")
        array = array if vector else array.reshape(())
        return Tensor(array.shape, array)
    tensor = Tensor((len(found),) if vector else ())
    tensor.lengths = list(found)
    return tensor


def entries(tensor: Tensor, most: int = 64) -> list[int | Length]:
    """The numbers of a small vector, of which some may be lengths."""
    if tensor.lengths is not None:
        return tensor.lengths
    if tensor.constant is None or tensor.constant.size > most or tensor.constant.dtype.kind not in "iu":
        raise ArgumentError("a shape must be a few whole numbers, known or lengths of other arrays")
    return [int(n) for n in tensor.constant.reshape(-1)]


def _length_arithmetic(op: str, tensors: Sequence[Tensor]) -> Tensor:
    if len(tensors) != 2 or op not in ("Mul", "Div", "Add", "Sub"):
        raise ArgumentError(f"{op} of lengths that are known only when the model runs")
    a, b = (entries(t) for t in tensors)
    size = max(len(a), len(b))
    a, b = (x * size if len(x) == 1 else x for x in (a, b))
    out: list[int | Length] = []
    for m, n in zip(a, b, strict=True):
        if isinstance(m, int) and isinstance(n, int):
            out.append({"Mul": m * n, "Div": m // n if n else 0, "Add": m + n, "Sub": m - n}[op])
        elif op == "Mul" and isinstance(m, int) and isinstance(n, Length):
            out.append(n.scaled(times=m))
        elif isinstance(m, Length) and isinstance(n, int) and op in ("Mul", "Div") and n > 0:
            out.append(m.scaled(times=n) if op == "Mul" else m.scaled(by=n))
        else:
            raise ArgumentError(f"{op} of lengths that are known only when the model runs")
    return _lengths(out, any(t.rank for t in tensors))


@reads("Reshape")
def reshape(importer: Importer, node: FileNode) -> None:
    x, target = required(importer, node, 2)
    wanted = entries(target)
    if x.lengths is not None:
        importer.tensors[node.outputs[0]] = _lengths(x.lengths, bool(wanted))
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
        importer.tensors[node.outputs[0]] = _lengths(x.lengths, node.op == "Unsqueeze")
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
    if not all(isinstance(n, int) and 0 <= n for n in wanted) or math.prod(wanted) > _MOST_MADE:  # type: ignore[arg-type, type-var]
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
        importer.tensors[node.outputs[0]] = _lengths([n for t in parts for n in entries(t)], True)
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
        importer.tensors[node.outputs[0]] = _lengths(x.lengths[places[0]], True)
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
        importer.tensors[node.outputs[0]] = _lengths([x.lengths[i] for i in chosen], indices.rank > 0)
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
        layer = Embedding(*x.shape, name=importer.name_for(node, x.name))
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


# Reductions and what goes along an axis


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
    importer.put(
        node.outputs[0], importer.call(lambda v: function(v, axis=places, keepdims=keep), x.get(perm)), left
    )


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


@reads("Resize", "Upsample")
def resize(importer: Importer, node: FileNode) -> None:
    given = importer.inputs(node, 1, 4)
    x, scales, sizes = (given[0], given[1], None) if node.op == "Upsample" else (given[0], given[2], given[3])
    assert x is not None
    mode = node.attributes.get("mode", "nearest")
    where_ = node.attributes.get("coordinate_transformation_mode", "half_pixel")
    rank = x.rank
    factors = scales.constant if scales is not None and scales.constant is not None and scales.constant.size else None
    perm = (0, *range(2, rank), 1)
    repeats = factors is not None and factors.size == rank and np.all(factors == np.round(factors)) and min(factors) >= 1
    if repeats and mode == "nearest" and max(factors) <= 64:
        form = x.form()
        value = x.get(form)
        for i, axis in enumerate(form):
            if factors[axis] > 1:
                value = ops.repeat(value, int(factors[axis]), axis=i)
        importer.put(node.outputs[0], value, form)
        return
    if rank != 4 or mode not in ("linear", "nearest") or where_ not in ("half_pixel", "pytorch_half_pixel"):
        raise ArgumentError(
            f"mode {mode!r} with coordinates {where_!r} of {rank} axes; images are read that are resized linearly by "
            "half pixels, and anything that is repeated a whole number of times"
        )
    if sizes is not None:
        wanted = (importer.numbers(sizes, "sizes") or [])[2:]
    elif factors is not None and None not in x.shape[2:] and all(f == 1 for f in factors[:2]):
        wanted = [int(n * f) for n, f in zip(x.shape[2:], factors[2:], strict=True)]  # type: ignore[operator]
    else:
        raise ArgumentError("sizes must be known")
    interpolation = "bilinear" if mode == "linear" else "nearest"
    y = ops.image.resize(x.get(perm), wanted, interpolation=interpolation)
    importer.put(node.outputs[0], y, perm)

