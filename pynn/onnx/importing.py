"""From an ONNX file to a functional model.

Each node becomes a call of a layer (where it has weights) or of functions of ``pynn.ops``.  As in export, an array may
lie in several forms, the same numbers under different orders of axes: ONNX's images are channels first, pynn's layers
channels last, and what works by element takes whichever is there, so that a network of convolutions is transposed once
at its beginning and once at its end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, CorruptDataError, PynnError
from pynn.graph.ir import Spec
from pynn.graph.symbolic import KerasTensor, trial_lengths
from pynn.graph.trace import Trace
from pynn.layers import Input
from pynn.models import Model
from pynn.onnx.arrays import Perm, identity
from pynn.onnx.file import FileGraph, FileNode, read
from pynn.onnx.import_layers import ShapedAs
from pynn.utils.structure import flatten

#: Numbers that a node may make of constants while a file is read.
_MOST_COMPUTED = 1 << 26

#: What open lengths are tried with.  Files join and part them (batch and heads), so both are multiples of much; arrays
#: of several open lengths must not be beyond what ops allow.
_TRIALS = (240, 480)


class Length:
    """A length that is known when the model runs: ``tensor.shape[axis] * times // by``."""

    def __init__(self, tensor: Tensor, axis: int, times: int = 1, by: int = 1):
        self.tensor, self.axis, self.times, self.by = tensor, axis, times, by

    def scaled(self, times: int = 1, by: int = 1) -> Length:
        return Length(self.tensor, self.axis, self.times * times, self.by * by)


class Tensor:
    """One array of the file: its shape in the file's order of axes, and its forms (see ``pynn.onnx.arrays.Array``).

    ``constant`` are its numbers if they are known, ``lengths`` if some of them are lengths of other arrays.
    """

    def __init__(self, shape: Sequence[int | None], constant: np.ndarray | None = None, name: str = ""):
        self.shape = tuple(shape)
        self.constant, self.name = constant, name
        self.lengths: list[int | Length] | None = None
        self.forms: dict[Perm, Any] = {}

    @property
    def rank(self) -> int:
        return len(self.shape)

    def get(self, perm: Perm | None = None) -> Any:
        """The symbolic tensor (or the numbers) with its axes in this order, their own by default."""
        perm = identity(self.rank) if perm is None else perm
        if self.constant is not None:
            return self.constant.transpose(perm)
        if perm not in self.forms:
            if not self.forms:
                raise ArgumentError("lengths of other arrays are used as numbers, which pynn does not read")
            have, tensor = next(iter(self.forms.items()))
            self.forms[perm] = ops.transpose(tensor, [have.index(axis) for axis in perm])
        return self.forms[perm]

    def form(self) -> Perm:
        """An order of axes in which it is there."""
        return next(iter(self.forms), identity(self.rank))


Translator = Callable[["Importer", FileNode], None]
TRANSLATORS: dict[str, Translator] = {}


def reads(*names: str) -> Callable[[Translator], Translator]:
    """Marks the function that reads ONNX's ops of these names."""

    def note(function: Translator) -> Translator:
        for name in names:
            TRANSLATORS[name] = function
        return function

    return note


class Importer:
    """The model of one file as it is put together."""

    def __init__(self, graph: FileGraph):
        self.graph = graph
        self.tensors: dict[str, Tensor] = {n: Tensor(a.shape, a, n) for n, a in graph.weights.items()}
        self.readers: dict[str, list[FileNode]] = {}
        for node in graph.nodes:
            for name in node.inputs:
                self.readers.setdefault(name, []).append(node)
        #: Nodes that became part of the layer before them.
        self.done: set[int] = set()
        self._layer_names: set[str] = set()

    # What translators use

    def inputs(self, node: FileNode, least: int = 1, most: int | None = None) -> list[Tensor | None]:
        """The node's inputs, None for those left out."""
        most = most or max(least, len(node.inputs))
        if not least <= len(node.inputs) <= most or not all(node.inputs[:least]):
            raise ArgumentError(f"expected {least} to {most} inputs, received {len(node.inputs)}")
        found: list[Tensor | None] = [self.tensors[name] if name else None for name in node.inputs]
        return found + [None] * (most - len(found))

    def one(self, node: FileNode) -> Tensor:
        found = self.inputs(node)[0]
        assert found is not None
        return found

    def numbers(self, tensor: Tensor | None, what: str) -> list[int] | None:
        """Whole numbers that must be known."""
        if tensor is None:
            return None
        if tensor.constant is None or tensor.constant.ndim > 1 or tensor.constant.size > 64:
            raise ArgumentError(f"{what} must be a few constant numbers")
        return [int(n) for n in tensor.constant.reshape(-1)]

    def put(self, name: str, value: Any, perm: Perm | None = None) -> Tensor:
        """Note what a node has given, in the form ``perm``."""
        if isinstance(value, KerasTensor):
            perm = identity(value.ndim) if perm is None else perm
            shape: list[Any] = [None] * value.ndim
            for i, axis in enumerate(perm):
                shape[axis] = value.shape[i]
            tensor = Tensor(shape)
            tensor.forms[perm] = value
        else:
            array = np.asarray(value)
            back = None if perm is None else [perm.index(axis) for axis in range(array.ndim)]
            array = array if back is None else array.transpose(back)
            tensor = Tensor(array.shape, array, name)
        self.tensors[name] = tensor
        return tensor

    def call(self, function: Callable[..., Any], *operands: Any) -> Any:
        """``function(*operands)``, whose result must not be too large where it is computed at once."""
        if not any(isinstance(x, KerasTensor) for x in flatten(operands)):
            with Trace() as trace:
                values = [
                    trace.input("x", Spec(x.shape, str(x.dtype))) if isinstance(x, np.ndarray) and x.ndim else x
                    for x in operands
                ]
                found = flatten(function(*values))
            if sum(v.size for v in found if hasattr(v, "size")) > _MOST_COMPUTED:
                raise ArgumentError(f"it makes more than {_MOST_COMPUTED:,} numbers of constants")
        return function(*operands)

    def name_for(self, node: FileNode, weight: str = "") -> str:
        """A name for the layer of this node: that of its weight without what the weight itself is called."""
        told = bool(weight) and not weight.startswith("onnx::")  # PyTorch's name for one without
        weight = weight.removeprefix(f"{self.graph.name}/")  # the path in a model of pynn's
        name = re.split(r"[./](?=[^./]*$)", weight)[0] if told else node.name or node.outputs[0]
        name = re.sub(r"[^\w.-]+", "_", name).strip("_")[:100] or node.op.lower()
        chosen, n = name, 1
        while chosen in self._layer_names:
            chosen, n = f"{name}_{n}", n + 1
        self._layer_names.add(chosen)
        return chosen

    def only_reader(self, name: str) -> FileNode | None:
        """The node that alone reads an array which is no output of the model."""
        found = self.readers.get(name, [])
        return found[0] if len(found) == 1 and name not in self.graph.outputs else None

    def votes(self, tensors: Sequence[Tensor], rank: int) -> Perm:
        """The form in which most of the arrays with all axes are there."""
        count: dict[Perm, int] = {}
        for tensor in tensors:
            if tensor.rank == rank:
                for perm in tensor.forms:
                    count[perm] = count.get(perm, 0) + 1
        return max(count, key=lambda perm: count[perm]) if count else identity(rank)

    def fitted(self, tensor: Tensor, perm: Perm) -> Any:
        """The array so that it broadcasts in this form as it does in its own."""
        rank = len(perm)
        if tensor.rank == rank:
            return tensor.get(perm)
        value = tensor.get()
        if perm == identity(rank) or tensor.rank == 0:
            return value
        shape = [1] * (rank - tensor.rank)
        if isinstance(value, np.ndarray):
            return value.reshape(*shape, *value.shape).transpose(perm)
        return ops.transpose(ops.expand_dims(value, list(range(len(shape)))), perm)

    def shaped(self, function: str, x: Any, target: Sequence[int | Length], node: FileNode) -> Any:
        """``ops.reshape`` or ``ops.broadcast_to``, to lengths of which some may be known when the model runs only."""
        unknown = [n for n in target if isinstance(n, Length)]
        if not unknown and function == "reshape" and 0 not in target:
            return self.call(lambda v: ops.reshape(v, [n for n in target if isinstance(n, int)]), x)
        if function == "reshape" and len(unknown) == 1 and -1 not in target and 0 not in target:
            return self.call(lambda v: ops.reshape(v, [-1 if isinstance(n, Length) else n for n in target]), x)
        others: list[Any] = []
        plan: list[Any] = []
        for n in target:
            if isinstance(n, Length):
                form = n.tensor.form()
                others.append(n.tensor.get(form))
                plan.append((len(others) - 1, form.index(n.axis), n.times, n.by))
            else:
                plan.append(n)
        return ShapedAs(function, plan, name=self.name_for(node))([x, *others])

    # Putting it together

    def model(self, name: str | None) -> Model:
        """All nodes as one model."""
        symbolic = []
        for given in self.graph.inputs:
            dtype = {"float16": "float32", "float64": "float32", "int64": "int32"}.get(given.dtype, given.dtype)
            label = re.sub(r"[^\w.-]+", "_", given.name) or "input"
            tensor = Input(batch_shape=given.shape, dtype=dtype, name=label)
            symbolic.append(tensor)
            self._layer_names.add(label)
            self.put(given.name, tensor)
        for node in self.graph.nodes:
            if id(node) not in self.done:
                self._read(node)
        outputs = [self._output(o) for o in self.graph.outputs]
        return Model(
            symbolic if len(symbolic) > 1 else symbolic[0],
            outputs if len(outputs) > 1 else outputs[0],
            name=name or re.sub(r"[^\w.-]+", "_", self.graph.name) or "onnx_model",
        )

    def _output(self, name: str) -> Any:
        value = self.tensors[name].get()
        if not isinstance(value, KerasTensor):
            raise CorruptDataError(f"{self.graph.where}: the output '{name}' does not depend on an input")
        return value

    def _read(self, node: FileNode) -> None:
        translator = TRANSLATORS.get(node.op)
        if translator is None:
            raise ArgumentError(
                f"{self.graph.where}: {node}: pynn does not read this op; docs/onnx.md lists those that it reads"
            )
        try:
            translator(self, node)
        except (PynnError, ValueError, TypeError, IndexError, KeyError, OverflowError, AttributeError) as error:
            raise CorruptDataError(f"{self.graph.where}: {node} cannot be read: {error}") from error


def load(path: Any, name: str | None = None) -> Model:
    """The model in an ONNX file, as a functional model that predicts, can be cut, frozen and trained.

    Weights that float in the file become variables; layers are named after their weights.  Inputs are as in the file:
    images of a model from PyTorch are channels first.

    Args:
        path: the file; weights kept beside it must lie in the same folder.
        name: the model's; the graph's by default.

    Raises:
        CorruptDataError: it is no ONNX file, or a node in it is not as it should be; the message names the node.
        ArgumentError: it uses an op that pynn does not read.
        ImportError: the package onnx is not installed.

    Example:
        >>> import numpy as np, os, pynn, tempfile
        >>> model = pynn.Sequential([pynn.Input((8, 8, 3)), pynn.layers.Conv2D(4, 3), pynn.layers.Flatten()])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.export(os.path.join(folder, "m.onnx"), verbose=False)
        ...     again = pynn.onnx.load(os.path.join(folder, "m.onnx"))
        >>> x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
        >>> bool(np.allclose(model.predict(x, verbose=0), again.predict(x, verbose=0), atol=1e-5))
        True
    """
    from pynn.onnx import (  # noqa: F401  (each fills the table)
        import_elementwise,
        import_images,
        import_products,
        import_reductions,
        import_shapes,
    )

    graph = read(path)
    with trial_lengths(*_TRIALS):
        return Importer(graph).model(name)
