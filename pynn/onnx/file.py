"""Reading an ONNX file that somebody else made: nothing in it is trusted.

What is checked before any number is used: the file is one model of a known opset, without functions and subgraphs of
its own; every weight has a known dtype and as many bytes as its shape says; weights kept beside the file lie in its
folder, under a plain name, within that file's size; every node reads only what was given before it, so there is no
cycle, and gives names that nobody has given.  What the nodes may be and say is the business of the table of ops
(the files ``pynn/onnx/import_*.py``).
"""

from __future__ import annotations

import math
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pynn.errors import CorruptDataError
from pynn.onnx.package import onnx_package

_LARGEST_FILE = 2**31
_LARGEST_WEIGHTS = 2**35
_MOST_NODES = 100_000
_OPSETS = range(9, 25)
#: Dtypes that weights and inputs may have.
_DTYPES = {
    1: "float32", 2: "uint8", 3: "int8", 5: "int16", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64",
}  # fmt: skip
_MOST_AXES = 8
_PLAIN = ("", "ai.onnx")
#: Attribute types: FLOAT, INT, STRING, TENSOR, FLOATS, INTS, STRINGS.
_ATTRIBUTES = {1: "f", 2: "i", 3: "s", 4: "t", 6: "floats", 7: "ints", 8: "strings"}


@dataclass
class FileNode:
    """One node, its attributes as plain Python objects and arrays."""

    op: str
    name: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"node '{self.name or self.outputs[0]}' ({self.op})"


@dataclass
class FileInput:
    """An input: a length is None where the file leaves it open."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


@dataclass
class FileGraph:
    """The content of a file, checked."""

    where: str
    name: str
    opset: int
    nodes: list[FileNode]
    weights: dict[str, np.ndarray]
    inputs: list[FileInput]
    outputs: list[str]


def read(path: Any) -> FileGraph:
    """The graph of an ONNX file.

    Raises:
        CorruptDataError: it is none, or holds what no such file may hold.
        FileNotFoundError: there is no such file.
    """
    file = Path(os.fspath(path))
    where = str(file)
    size = file.stat().st_size
    if size > _LARGEST_FILE:
        raise CorruptDataError(f"{where}: {size:,} bytes; an ONNX file has at most {_LARGEST_FILE:,}")
    onnx = onnx_package()
    try:
        proto = onnx.ModelProto.FromString(file.read_bytes())
    except Exception as error:  # protobuf's own class differs between its versions
        raise CorruptDataError(f"{where} is no readable ONNX file ({type(error).__name__})") from None
    return _checked(onnx, proto, where, file.parent)


def _checked(onnx: Any, proto: Any, where: str, folder: Path) -> FileGraph:
    opsets = [o.version for o in proto.opset_import if o.domain in _PLAIN]
    if not proto.HasField("graph") or len(opsets) != 1:
        raise CorruptDataError(f"{where} is no readable ONNX file: it has no graph or no opset")
    if opsets[0] not in _OPSETS:
        raise CorruptDataError(
            f"{where}: opset {opsets[0]}; pynn reads {_OPSETS[0]} to {_OPSETS[-1]}; "
            "convert it with onnx.version_converter"
        )
    graph = proto.graph
    if proto.functions or graph.sparse_initializer:
        raise CorruptDataError(f"{where}: it has functions of its own or sparse weights, which pynn does not read")
    if len(graph.node) > _MOST_NODES:
        raise CorruptDataError(f"{where}: {len(graph.node):,} nodes, expected at most {_MOST_NODES:,}")
    reader = _Weights(onnx, where, folder)
    weights: dict[str, np.ndarray] = {}
    for tensor in graph.initializer:
        if not tensor.name or tensor.name in weights:
            raise CorruptDataError(f"{where}: two weights, or none, are called {tensor.name!r}")
        weights[tensor.name] = reader.array(tensor, f"weight '{tensor.name}'")
    inputs = [_input(i, where) for i in graph.input if i.name not in weights]
    nodes = [_node(n, reader, where) for n in graph.node]
    outputs = [o.name for o in graph.output]
    _check_order(where, [i.name for i in inputs], weights, nodes, outputs)
    return FileGraph(where, graph.name, opsets[0], nodes, weights, inputs, outputs)


def _check_order(
    where: str, inputs: list[str], weights: dict[str, np.ndarray], nodes: list[FileNode], outputs: list[str]
) -> None:
    if not inputs or not outputs or len(set(inputs)) != len(inputs):
        raise CorruptDataError(f"{where}: expected inputs of different names and at least one output")
    given = {*inputs, *weights}
    for node in nodes:
        for name in node.inputs:
            if name and name not in given:
                raise CorruptDataError(
                    f"{where}: {node} reads '{name}', which no node before it gives: it is missing, or there is a cycle"
                )
        for name in node.outputs:
            if name in given:
                raise CorruptDataError(f"{where}: {node} gives '{name}', which is there already")
            if name:
                given.add(name)
    for name in outputs:
        if name not in given:
            raise CorruptDataError(f"{where}: the output '{name}' is given by no node")


def _input(info: Any, where: str) -> FileInput:
    kind = info.type
    if not kind.HasField("tensor_type") or not kind.tensor_type.HasField("shape"):
        raise CorruptDataError(f"{where}: input '{info.name}' has no shape, or is no tensor")
    tensor = kind.tensor_type
    if tensor.elem_type not in _DTYPES:
        raise CorruptDataError(f"{where}: input '{info.name}' has the unknown dtype {tensor.elem_type}")
    shape: list[int | None] = []
    for dim in tensor.shape.dim:
        known = dim.HasField("dim_value")
        if known and not 0 < dim.dim_value < 2**31:
            raise CorruptDataError(f"{where}: input '{info.name}' has an axis of length {dim.dim_value}")
        shape.append(dim.dim_value if known else None)
    if len(shape) > _MOST_AXES:
        raise CorruptDataError(f"{where}: input '{info.name}' has {len(shape)} axes, expected at most {_MOST_AXES}")
    return FileInput(info.name, tuple(shape), _DTYPES[tensor.elem_type])


def _node(proto: Any, reader: _Weights, where: str) -> FileNode:
    node = FileNode(proto.op_type, proto.name, list(proto.input), list(proto.output))
    if not node.outputs:
        raise CorruptDataError(f"{where}: node '{proto.name}' ({proto.op_type}) gives nothing")
    if proto.domain not in _PLAIN:
        raise CorruptDataError(f"{where}: {node} is of the domain {proto.domain!r}; pynn reads ONNX's own ops only")
    for attribute in proto.attribute:
        if attribute.type not in _ATTRIBUTES:
            raise CorruptDataError(
                f"{where}: {node}: attribute '{attribute.name}' is a subgraph, or of a kind that pynn does not read"
            )
        value = getattr(attribute, _ATTRIBUTES[attribute.type])
        if attribute.type == 3:
            value = value.decode(errors="replace")
        elif attribute.type == 4:
            value = reader.array(value, f"{node}: attribute '{attribute.name}'")
        elif attribute.type == 8:
            value = [text.decode(errors="replace") for text in value]
        elif attribute.type in (6, 7):
            value = list(value)
        node.attributes[attribute.name] = value
    return node


class _Weights:
    """Tensors of one file, and of files beside it."""

    def __init__(self, onnx: Any, where: str, folder: Path):
        self._onnx, self._where, self._folder = onnx, where, folder
        self._total = 0

    def array(self, tensor: Any, what: str) -> np.ndarray:
        """Its numbers, once their count is what the shape says; float16 and float64 as float32."""
        dims = list(tensor.dims)
        if tensor.data_type not in _DTYPES:
            raise CorruptDataError(f"{self._where}: {what} has the unknown dtype {tensor.data_type}")
        if len(dims) > _MOST_AXES or any(not 0 <= n < 2**31 for n in dims):
            raise CorruptDataError(f"{self._where}: {what} has the shape {dims}")
        dtype = np.dtype(_DTYPES[tensor.data_type])
        size = math.prod(dims) * dtype.itemsize
        self._total += size
        if self._total > _LARGEST_WEIGHTS:
            raise CorruptDataError(f"{self._where}: its weights are more than {_LARGEST_WEIGHTS:,} bytes ({what})")
        if tensor.data_location == self._onnx.TensorProto.EXTERNAL:
            raw = self._beside(tensor, what, size)
        elif tensor.HasField("raw_data"):
            raw = tensor.raw_data
        else:
            return self._typed(tensor, what, dims, dtype)
        if len(raw) != size:
            raise CorruptDataError(
                f"{self._where}: {what} of shape {dims} and dtype {dtype} takes {size:,} bytes, it has {len(raw):,}"
            )
        return _usual(np.frombuffer(raw, dtype.newbyteorder("<")).astype(dtype).reshape(dims))

    def _typed(self, tensor: Any, what: str, dims: list[int], dtype: np.dtype) -> np.ndarray:
        """Numbers that lie in a field for their type instead of in bytes."""
        field_name = {"float32": "float_data", "float64": "double_data", "int64": "int64_data"}.get(
            dtype.name, "int32_data"
        )
        numbers = getattr(tensor, field_name)
        if len(numbers) != math.prod(dims):
            raise CorruptDataError(
                f"{self._where}: {what} of shape {dims} has {len(numbers)} numbers, expected {math.prod(dims)}"
            )
        if dtype == np.float16:
            return _usual(np.array(numbers, "uint16").view(np.float16).reshape(dims))
        return _usual(np.array(numbers).astype(dtype).reshape(dims))

    def _beside(self, tensor: Any, what: str, size: int) -> bytes:
        """The bytes of a tensor in another file: a plain file of the same folder, and no more of it than there is."""
        given = {entry.key: entry.value for entry in tensor.external_data}
        name = given.get("location", "")
        if not name or name in (".", "..") or "/" in name or "\\" in name or "\0" in name:
            raise CorruptDataError(
                f"{self._where}: {what} lies in {name!r}; expected a plain file name in the folder of the ONNX file"
            )
        path = self._folder / name
        try:
            status = os.lstat(path)
        except OSError:
            raise CorruptDataError(f"{self._where}: {what} lies in '{name}', which is not beside it") from None
        if not stat.S_ISREG(status.st_mode):
            raise CorruptDataError(f"{self._where}: {what} lies in '{name}', which is a link or no file")
        try:
            start, length = int(given.get("offset", 0)), int(given.get("length", size))
        except ValueError:
            raise CorruptDataError(f"{self._where}: {what}: offset or length is no number") from None
        if start < 0 or length != size or start + length > status.st_size:
            raise CorruptDataError(
                f"{self._where}: {what} takes {size:,} bytes; '{name}' of {status.st_size:,} bytes is said to hold "
                f"{length:,} from {start:,}"
            )
        with open(path, "rb") as file:
            file.seek(start)
            return file.read(length)


def _usual(array: np.ndarray) -> np.ndarray:
    """In a dtype that programs compute in."""
    usual = {"float16": "float32", "float64": "float32", "int8": "int32", "int16": "int32"}
    return array.astype(usual.get(array.dtype.name, array.dtype.name))
