"""A model's graph for lengths that are not known: the same model traced twice.

ONNX lets axes stay open (the batch's at least), a trace has none that are.  So the model is traced for two different
lengths of each open axis.  Both graphs have the same ops; a length that differs between them is a :data:`Dim` whose two
numbers say which of the open axes it comes from, because no two of those are tried with the same pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, PynnError
from pynn.graph.ir import Graph, Node, Spec, Value
from pynn.graph.symbolic import KerasTensor
from pynn.graph.trace import Trace
from pynn.graph.variable import Variable
from pynn.utils.structure import flatten, map_structure

#: One length in both graphs: ``(7, 7)`` is always 7, ``(2, 3)`` is the batch's.
Dim = tuple[int, int]

BATCH: Dim = (2, 3)
#: For the other open axes.  Images must survive a stack of poolings, whose "same" padding goes by what is even: the
#: first of a pair stays even for long, the second odd.
_LENGTHS: tuple[Dim, ...] = ((224, 257), (192, 321), (160, 289), (256, 385), (128, 353))
#: For models that take multiples of 32 only.
_EVEN_LENGTHS: tuple[Dim, ...] = ((224, 256), (192, 320), (160, 288), (128, 352))


class Traced:
    """A model's inference graph, with the open axes known.

    Attributes:
        graph: as traced with the first of the two lengths.
        inputs: the names of its inputs.
        symbols: what the open axes are called.
    """

    def __init__(self, graph: Graph, other: Graph, symbols: dict[Dim, str]):
        self.graph, self.symbols = graph, symbols
        self._twins: dict[int, Value] = {}
        self._users = graph.users()
        for v, w in zip((*graph.inputs, *graph.results), (*other.inputs, *other.results), strict=True):
            self._twins[id(v)] = w
        self._pair(graph, other)

    def _pair(self, graph: Graph, other: Graph) -> None:
        """Finds each value's twin; the graphs must have the same ops."""
        alike = len(graph.nodes) == len(other.nodes)
        for node, twin in zip(graph.nodes, other.nodes, strict=False):
            alike = alike and type(node.op) is type(twin.op) and len(node.inputs) == len(twin.inputs)
            alike = alike and len(node.outputs) == len(twin.outputs)
            if not alike:
                raise ArgumentError(
                    f"export: layer '{node.scope}' computes differently for different lengths of an axis that the "
                    f"model leaves open ({', '.join(self.symbols.values())}): here it records {node.op.name}, "
                    f"there {twin.op.name}. A recurrent layer that is unrolled step by step (SimpleRNN, or options "
                    "that LSTM's and GRU's own op does not have) needs a known number of steps: "
                    "fix the length, Input((steps, ...)) or input_signature=[InputSpec(shape=(None, steps, ...))]"
                )
            for v, w in zip((*node.inputs, *node.outputs), (*twin.inputs, *twin.outputs), strict=True):
                self._twins[id(v)] = w

    def twin(self, value: Value) -> Value:
        """The same value in the other graph."""
        return self._twins.get(id(value), value)

    def dims(self, value: Value) -> tuple[Dim, ...]:
        """Its shape in both graphs."""
        return tuple(zip(value.shape, self.twin(value).shape, strict=True))

    def users(self, value: Value) -> list[Node]:
        """The nodes that read it."""
        return self._users.get(id(value), [])

    def only_user(self, value: Value) -> Node | None:
        """The node that alone reads the value; None if there are others, or if it is a result."""
        users = self._users.get(id(value), [])
        return users[0] if len(users) == 1 and all(v is not value for v in self.graph.results) else None

    def is_read(self, value: Value) -> bool:
        return id(value) in self._users or any(v is value for v in self.graph.results)


def trace_inference(model: Any, input_signature: Any = None) -> tuple[Traced, list[str], list[str]]:
    """The model's graph of inference, the names of its inputs, and of its outputs.

    Raises:
        ArgumentError: the input's shape is unknown, or the model changes variables as it runs.
    """
    inputs, structure = _signature(model, input_signature)
    names = _distinct([t.name for t in inputs])
    first: PynnError | None = None
    for symbols, shapes in _attempts(names, [t.shape for t in inputs]):
        try:
            (graph, outputs), (other, _) = (
                _trace(model, structure, names, [Spec(s[i], t.dtype) for s, t in zip(shapes, inputs, strict=True)])
                for i in (0, 1)
            )
        except PynnError as error:  # lengths that do not go together, such as those of two inputs to be added
            first = first or error
            continue
        return Traced(graph, other, symbols), names, outputs
    assert first is not None
    raise first


def _signature(model: Any, given: Any) -> tuple[list[KerasTensor], Any]:
    """The model's inputs, and the structure in which it takes them."""
    if given is None:
        if model._inputs is None:
            raise ArgumentError(
                f"model '{model.name}': export() needs the shape of its input; build or call the model first, or give "
                "input_signature=[InputSpec(shape=(None, ...))]"
            )
        return flatten(model._inputs), model._inputs
    structure = given[0] if isinstance(given, list | tuple) and len(given) == 1 else given
    specs = flatten(structure)
    known = flatten(model._inputs) if model._inputs is not None else [None] * len(specs)
    if len(specs) != len(known) or not all(getattr(s, "shape", None) is not None for s in specs):
        raise ArgumentError(
            f"model '{model.name}': input_signature must hold an InputSpec with a shape (or a KerasTensor) for each of "
            f"its {len(known)} inputs, received {given!r}"
        )

    def tensor(spec: Any, like: Any) -> KerasTensor:
        dtype = getattr(spec, "dtype", None) or (like.dtype if like is not None else "float32")
        name = getattr(spec, "name", None) or (like.name if like is not None else "input")
        return KerasTensor(spec.shape, str(dtype), name=name)

    tensors = [tensor(spec, like) for spec, like in zip(specs, known, strict=True)]
    rest = iter(tensors)
    return tensors, map_structure(lambda _: next(rest), model._inputs if model._inputs is not None else structure)


def _distinct(names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        n = 1
        chosen = name
        while chosen in found:
            chosen, n = f"{name}_{n}", n + 1
        found.append(chosen)
    return found


def _attempts(names: Sequence[str], shapes: Sequence[Any]) -> Iterator[tuple[dict[Dim, str], list[Any]]]:
    """Names of open axes and shapes to trace with, from all lengths of their own to all alike."""
    own = iter(range(10**6))
    numbering: list[dict[tuple[int, int], int]] = [{}, {}, {}]
    for i, shape in enumerate(shapes):
        for axis, n in enumerate(shape):
            if n is None and axis:
                numbering[0][i, axis] = next(own)
                numbering[1][i, axis] = axis - 1
                numbering[2][i, axis] = 0
    for lengths in (_LENGTHS, _EVEN_LENGTHS):
        for numbers in numbering:
            symbols = {BATCH: "batch"}
            dims: list[list[Dim]] = []
            for i, shape in enumerate(shapes):
                row: list[Dim] = []
                for axis, n in enumerate(shape):
                    dim = (n, n) if n is not None else lengths[numbers[i, axis] % len(lengths)] if axis else BATCH
                    if n is None and axis:
                        symbols.setdefault(dim, f"{names[i]}_{axis}")
                    row.append(dim)
                dims.append(row)
            yield symbols, [([d[0] for d in row], [d[1] for d in row]) for row in dims]
            if not numbering[0]:  # nothing but the batch is open
                return


def _trace(model: Any, structure: Any, names: Sequence[str], specs: Sequence[Spec]) -> tuple[Graph, list[str]]:
    with Trace() as trace:
        feeds = [trace.input(name, Spec(tuple(s.shape), s.dtype)) for name, s in zip(names, specs, strict=True)]
        rest = iter(feeds)
        returned = model(map_structure(lambda _: next(rest), structure), training=False)
        outputs = flatten(returned)
        if not outputs or not all(isinstance(v, Value) for v in outputs):
            raise ArgumentError(f"model '{model.name}': export() needs tensors for outputs, received {returned!r}")
        graph = trace.finish(outputs)
    kept = [variable for variable, _ in graph.updates if not _is_seed(variable)]
    if kept:
        raise ArgumentError(
            f"model '{model.name}': it changes the variable '{kept[0].path}' ({kept[0].spec}) whenever it runs, and an "
            "ONNX model keeps nothing between runs; export one without that (stateful=False)"
        )
    return Graph(graph.inputs, graph.outputs), _output_names(model, returned, len(outputs))


def _is_seed(variable: Variable) -> bool:
    return variable.spec == Spec((2,), "uint32")


def _output_names(model: Any, returned: Any, count: int) -> list[str]:
    if isinstance(returned, dict) and len(returned) == count:
        return _distinct([str(key) for key in flatten({key: key for key in returned})])  # in the order of flatten
    known = list(model.output_names) if model._outputs is not None else []
    return _distinct(known if len(known) == count else [f"output_{i}" for i in range(count)])


def same_constant(value: Value, twin: Value) -> bool:
    """Whether a leaf holds the same numbers in both graphs."""
    a, b = value.source, twin.source
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
    return a is b
