"""Tracing: run Python code on symbolic values and keep the graph it records.

While a :class:`Trace` is active, layers, losses, metrics and optimizers call ops on values; variables are read and
written symbolically.  ``finish`` gives the :class:`~pynn.graph.ir.Graph`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from pynn.errors import DtypeError, GraphError
from pynn.graph import dtypes, ir
from pynn.graph.ir import Graph, Spec, Value
from pynn.graph.variable import Variable


class _Active(threading.local):
    def __init__(self) -> None:
        self.traces: list[Trace] = []


_active = _Active()


class Trace:
    """Records one graph.  Use as a context manager; traces nest (the innermost records).

    Example:
        >>> from pynn import ops
        >>> with Trace() as trace:
        ...     x = trace.input("x", Spec((2, 3)))
        ...     graph = trace.finish([ops.relu(x)])
        >>> len(graph.nodes)
        1
    """

    def __init__(self) -> None:
        self.inputs: list[Value] = []
        self._state: dict[int, tuple[Variable, Value]] = {}
        self._leaf: dict[int, Value] = {}
        self._scopes: list[str] = []
        self._constants: dict[tuple[str, float | int], Value] = {}
        self._streams = 0

    def __enter__(self) -> Trace:
        _active.traces.append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        _active.traces.remove(self)

    def input(self, name: str, spec: Spec) -> Value:
        """A leaf whose numbers are given at each run."""
        value = Value(spec, source="input", name=name)
        self.inputs.append(value)
        return value

    def read(self, variable: Variable) -> Value:
        """The variable's state at this point of the traced code."""
        if id(variable) not in self._state:
            leaf = Value(variable.spec, source=variable, name=variable.path)
            self._leaf[id(variable)] = leaf
            self._state[id(variable)] = (variable, leaf)
        return self._state[id(variable)][1]

    def write(self, variable: Variable, value: Value) -> None:
        """From here on the variable's state is ``value``; it becomes an output of the graph."""
        if value.spec != variable.spec:
            raise GraphError(f"Variable '{variable.path}': cannot assign {value.spec}, expected {variable.spec}")
        self.read(variable)
        self._state[id(variable)] = (variable, value)

    def constant(self, number: Any, dtype: str = "float32") -> Value:
        """A leaf with fixed numbers; equal scalars are one leaf."""
        array = np.asarray(number, dtype)
        if array.ndim:
            return Value(Spec(array.shape, dtype), source=np.ascontiguousarray(array), name="const")
        key = (dtype, array.item())
        if key not in self._constants:
            self._constants[key] = Value(Spec((), dtype), source=array, name=f"{array.item():g}")
        return self._constants[key]

    def next_stream(self) -> int:
        """A number that tells this trace's random ops apart."""
        self._streams += 1
        return self._streams - 1

    @property
    def scope(self) -> str:
        return "/".join(self._scopes)

    def changed_state(self) -> list[tuple[Variable, Value]]:
        return [(var, v) for key, (var, v) in self._state.items() if v is not self._leaf[key]]

    def finish(self, outputs: Sequence[Value]) -> Graph:
        """The graph of ``outputs`` and of all variables written so far."""
        return Graph(self.inputs, outputs, self.changed_state())


def is_tracing() -> bool:
    return bool(_active.traces)


def current() -> Trace:
    """The innermost active trace.

    Raises:
        GraphError: none is active, so there is nothing to record into.
    """
    if not _active.traces:
        raise GraphError("no trace is active: symbolic values exist only while a layer, loss or step is traced")
    return _active.traces[-1]


def _scope() -> str:
    return _active.traces[-1].scope if _active.traces else ""


ir._scope_of_new_nodes = _scope


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Name the layer that records the ops inside the block: it shows up in printed graphs and errors."""
    if not _active.traces:
        yield
        return
    scopes = _active.traces[-1]._scopes
    scopes.append(name)
    try:
        yield
    finally:
        scopes.pop()


def as_value(x: Any, dtype: str | None = None) -> Value:
    """A Value for anything an op accepts: a Value, a Variable, a number or an array."""
    if isinstance(x, Value):
        return x
    if isinstance(x, Variable):
        return current().read(x)
    array = np.asarray(x)
    if array.dtype.kind not in "fiubc":
        raise DtypeError(f"expected numbers, a Variable or a traced value, received {type(x).__name__}: {x!r}")
    if dtype is None:
        dtype = dtypes.of_array(array)
        if dtype == "int64" and (array == array.astype("int32")).all():
            dtype = "int32"  # Python's own whole numbers, mostly
    return current().constant(array, dtype)
