"""What the readers of ONNX's ops share: inputs, axes, weights, and vectors of lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.symbolic import KerasTensor
from pynn.onnx.file import FileNode
from pynn.onnx.import_layers import ApplyWeight
from pynn.onnx.importing import Importer, Length, Tensor


def required(importer: Importer, node: FileNode, count: int) -> list[Tensor]:
    """So many inputs, none left out."""
    found = [t for t in importer.inputs(node, count, count) if t is not None]
    return found


def axis_of(node: FileNode, default: int, rank: int) -> int:
    """The node's axis, counted from the front."""
    axis = int(node.attributes.get("axis", default))
    if not -rank <= axis < rank:
        raise ArgumentError(f"axis {axis} of an array with {rank} axes")
    return axis % rank


def is_weight(importer: Importer, tensor: Tensor) -> bool:
    """Whether it is to be trained: an array of floats that the file keeps under a name, and not as a constant."""
    return (
        tensor.constant is not None
        and tensor.constant.dtype.kind == "f"
        and tensor.constant.size > 1
        and tensor.name in importer.graph.weights
        and not tensor.name.startswith("const_")  # what export calls numbers that are no variable's
    )


def apply_weight(importer: Importer, node: FileNode, function: str, weight: Any, x: Any, first: bool, name: str) -> Any:
    if not isinstance(x, KerasTensor):
        operands = (weight, x) if first else (x, weight)
        return importer.call(getattr(ops, function), *operands)
    layer = ApplyWeight(function, weight.shape, first, name=importer.name_for(node, name))
    y = layer(x)
    layer.set_weights([np.ascontiguousarray(weight)])
    return y


def of_lengths(found: Sequence[int | Length], vector: bool) -> Tensor:
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


def length_arithmetic(op: str, tensors: Sequence[Tensor]) -> Tensor:
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
    return of_lengths(out, any(t.rank for t in tensors))
