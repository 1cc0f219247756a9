"""Ops that run one by one, as they are recorded.

A :class:`EagerTrace` is a trace whose values have numbers: each op is computed as soon as layers, losses or gradient
rules call it, so everything written for traces runs in it unchanged, and can be printed, compared and stopped at.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import numpy as np

from pynn import config
from pynn.errors import GraphError
from pynn.executor.native import compile_graph
from pynn.graph.ir import Graph, Node, Op, Spec, Value
from pynn.graph.trace import Trace
from pynn.graph.variable import Variable

#: Programs of one op, kept by op and specs; the one used longest ago is dropped first.
_programs: OrderedDict[Any, Any] = OrderedDict()
_MOST_PROGRAMS = 2048


class EagerTrace(Trace):
    """A trace that computes.

    Variables are read as they are now; a write takes effect at once, and values read before keep their numbers.  When
    the trace ends, values keep their numbers and forget where they came from, unless a gradient tape needs it.

    Args:
        feeds: the numbers of the inputs, in the order in which :meth:`input` is called.

    Example:
        >>> from pynn import ops
        >>> with EagerTrace():
        ...     y = ops.exp(ops.multiply(0.5, 2.0))
        ...     print(f"{y:.3f}")
        2.718
    """

    computes = True

    def __init__(self, feeds: Iterable[np.ndarray] = ()):
        super().__init__()
        self._feeds = iter(feeds)
        self._nodes: list[Node] = []
        self._reads: dict[int, tuple[int, Value]] = {}

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        for node in self._nodes:
            self.release(node)
        for kept in (self._nodes, self._reads, self._constants, self.watched, self.looked_at):
            kept.clear()

    def input(self, name: str, spec: Spec) -> Value:
        value = super().input(name, spec)
        value.array = next(self._feeds)
        return value

    def constant(self, number: Any, dtype: str = "float32") -> Value:
        value = super().constant(number, dtype)
        assert isinstance(value.source, np.ndarray)
        value.array = value.source
        return value

    def adopt(self, value: Value) -> Value:
        return value

    def read(self, variable: Variable) -> Value:
        version, value = self._reads.get(id(variable), (None, None))
        if value is None or version != variable.version:
            value = Value(variable.spec, source=variable, name=variable.path)
            value.array = variable.numpy()  # a copy: the variable may change while somebody still needs this state
            self._reads[id(variable)] = (variable.version, value)
            self.looked_at[id(variable)] = variable
        self._tell_tapes(variable, value)
        return value

    def write(self, variable: Variable, value: Value) -> None:
        if value.spec != variable.spec:
            raise GraphError(f"Variable '{variable.path}': cannot assign {value.spec}, expected {variable.spec}")
        variable.announce_change()
        variable.array[...] = value.numpy()
        variable.mark_changed()
        if id(variable) in self.substituted:  # gradients go through the new state as through other results
            self._reads[id(variable)] = (variable.version, value)

    def substitute(self, variable: Variable, value: Value) -> None:
        self.write(variable, value)
        self._reads[id(variable)] = (variable.version, value)

    def before_run(self, hook: Callable[[], None]) -> None:
        hook()

    def record(self, node: Node) -> None:
        for value, array in zip(node.outputs, _run(node), strict=True):
            value.array = array
        self._nodes.append(node)
        self.hold(node)
        super().record(node)

    def hold(self, node: Node) -> None:
        node.holders += 1

    def release(self, node: Node) -> None:
        node.holders -= 1
        if node.holders == 0:  # no cycle of references is left, so the numbers go as soon as nobody has the value
            for value in node.outputs:
                value.node, value.source = None, value.array
            node.inputs = node.outputs = ()


class TrialTrace(EagerTrace):
    """One that computes with zeros, to find out shapes: what it assigns to variables is forgotten at its end."""

    def input(self, name: str, spec: Spec) -> Value:
        value = Trace.input(self, name, spec)
        value.array = np.zeros(spec.shape, spec.dtype)
        return value

    def read(self, variable: Variable) -> Value:
        known = self._state.get(id(variable))
        return super().read(variable) if known is None else known[1]

    def write(self, variable: Variable, value: Value) -> None:
        variable.announce_change()
        self._state[id(variable)] = (variable, value)

    def before_run(self, hook: Callable[[], None]) -> None:
        """Nothing runs."""


def _run(node: Node) -> list[np.ndarray]:
    """The outputs of a node whose inputs have numbers."""
    arrays = [v.numpy() for v in node.inputs]
    if node.op.is_view:
        return [arrays[0].reshape(node.outputs[0].shape)]
    key = (node.op, node.input_specs, config.executor(), config.conv_precision())
    program = _programs.get(key)
    if program is None:
        program = _programs[key] = _compile(node.op, node.input_specs)
        if len(_programs) > _MOST_PROGRAMS:
            _programs.popitem(last=False)
    else:
        with suppress(KeyError):  # another thread may just have dropped it
            _programs.move_to_end(key)
    return program(arrays)


def _compile(op: Op, specs: tuple[Spec, ...]) -> Any:
    inputs = [Value(spec, source="input", name=f"x{i}") for i, spec in enumerate(specs)]
    found = op.infer(*specs)
    node = Node(op, inputs, found if isinstance(found, tuple) else (found,))
    return compile_graph(Graph(inputs, node.outputs), title=f"{op.name} alone")
