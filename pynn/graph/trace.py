"""Tracing: run Python code on symbolic values and keep the graph it records.

While a :class:`Trace` is active, layers, losses, metrics and optimizers call ops on values; variables are read and
written symbolically.  ``finish`` gives the :class:`~pynn.graph.ir.Graph`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from pynn.errors import DtypeError, GraphError
from pynn.graph import dtypes, ir
from pynn.graph.foreign import as_numpy
from pynn.graph.ir import Graph, Node, Spec, Value
from pynn.graph.variable import Variable


class _Active(threading.local):
    def __init__(self) -> None:
        self.traces: list[Trace] = []


_active = _Active()


class Recorder(Protocol):
    """What a trace tells a gradient tape."""

    def record(self, node: Node) -> None: ...
    def saw(self, variable: Variable, value: Value) -> None: ...


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

    #: Whether values have numbers as soon as they are recorded.
    computes = False
    #: The other processes that run the same step on their parts of the batch (``ops.collective.Replica``), if any.
    replica: Any = None

    def __init__(self) -> None:
        self.inputs: list[Value] = []
        self._state: dict[int, tuple[Variable, Value]] = {}
        self._leaf: dict[int, Value] = {}
        self._scopes: list[str] = []
        self._constants: dict[tuple[str, float | int], Value] = {}
        self._streams = 0
        self._collectives = 0
        #: ``(layer, value)`` of all ``Layer.add_loss`` so far.
        self.added_losses: list[tuple[Any, Value]] = []
        self._before_run: list[Callable[[], None]] = []
        #: Gradient tapes that are recording.
        self.tapes: list[Recorder] = []
        #: Arrays that a tape watches, by id, with the values that stand for them.
        self.watched: dict[int, tuple[Any, Value]] = {}
        #: Layers and variables whose ``trainable`` the traced code may have looked at.
        self.looked_at: dict[int, Any] = {}
        #: Variables that stand for results inside an open ``StatelessScope``, by id: gradients go on to what the
        #: results were computed from, and reading them is not reading the variable.
        self.substituted: set[int] = set()

    def __enter__(self) -> Trace:
        # Not append(): after a call an interrupt may be raised, and the block would never be left.
        _active.traces = [*_active.traces, self]
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
            self.looked_at[id(variable)] = variable
        value = self._state[id(variable)][1]
        self._tell_tapes(variable, value)
        return value

    def _tell_tapes(self, variable: Variable, value: Value) -> None:
        if id(variable) not in self.substituted:
            for tape in self.tapes:
                tape.saw(variable, value)

    def write(self, variable: Variable, value: Value) -> None:
        """From here on the variable's state is ``value``; it becomes an output of the graph."""
        if value.spec != variable.spec:
            raise GraphError(f"Variable '{variable.path}': cannot assign {value.spec}, expected {variable.spec}")
        variable.announce_change()
        self.read(variable)
        self._state[id(variable)] = (variable, value)

    def substitute(self, variable: Variable, value: Value) -> None:
        """From here on ``value`` is read in place of the variable, with its history."""
        self.write(variable, value)

    def constant(self, number: Any, dtype: str = "float32") -> Value:
        """A leaf with fixed numbers; equal scalars are one leaf."""
        array = np.asarray(number, dtype)
        if array.ndim:
            return Value(Spec(array.shape, dtype), source=np.require(array, requirements=["C", "A"]), name="const")
        key = (dtype, array.item())
        if key not in self._constants:
            self._constants[key] = Value(Spec((), dtype), source=array, name=f"{array.item():g}")
        return self._constants[key]

    def record(self, node: Node) -> None:
        """Called with each new node."""
        for tape in self.tapes:
            tape.record(node)

    def hold(self, node: Node) -> None:
        """A tape wants to keep this node; here all are kept as long as the graph."""

    def release(self, node: Node) -> None:
        """It does not any more."""

    def before_run(self, hook: Callable[[], None]) -> None:
        """Have ``hook()`` called on the host before each run of the program: for what no op computes, such as the
        learning rate of a schedule."""
        if hook not in self._before_run:
            self._before_run.append(hook)

    def adopt(self, value: Value) -> Value:
        """A value that has numbers, as a constant of this graph."""
        return self.constant(value.array, value.dtype)

    def watch(self, array: Any) -> Value:
        """The value that stands for this array from now on."""
        if id(array) not in self.watched:
            self.watched[id(array)] = (array, self.constant(array, dtypes.of_array(np.asarray(array))))
        return self.watched[id(array)][1]

    def next_stream(self) -> int:
        """A number that tells this trace's random ops apart."""
        self._streams += 1
        return self._streams - 1

    def next_collective(self) -> int:
        """The next number of what ranks compute together: it is the same on each of them."""
        self._collectives += 1
        return self._collectives - 1

    @property
    def scope(self) -> str:
        return "/".join(self._scopes)

    def changed_state(self) -> list[tuple[Variable, Value]]:
        return [(var, v) for key, (var, v) in self._state.items() if v is not self._leaf[key]]

    def finish(self, outputs: Sequence[Value]) -> Graph:
        """The graph of ``outputs`` and of all variables written so far."""
        return Graph(self.inputs, outputs, self.changed_state(), self._before_run)


def is_tracing() -> bool:
    return bool(_active.traces)


def is_compiling() -> bool:
    """Whether a trace is active whose values get their numbers later, when a program runs."""
    return bool(_active.traces) and not _active.traces[-1].computes


def watches() -> bool:
    """Whether a gradient tape watches arrays that Python code has."""
    return bool(_active.traces) and bool(_active.traces[-1].watched)


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


def _record(node: Node) -> None:
    if _active.traces:
        _active.traces[-1].record(node)


ir._scope_of_new_nodes = _scope
ir._record = _record


@contextmanager
def suspended() -> Iterator[None]:
    """No trace is active inside the block: for what is computed once, on the host, when a layer is built."""
    traces, _active.traces = _active.traces, []
    try:
        yield
    finally:
        _active.traces = traces


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
        return x if x.array is None else current().adopt(x)
    if isinstance(x, Variable):
        return current().read(x)
    watched = current().watched.get(id(x))
    if watched is not None:
        return watched[1]
    try:
        array = as_numpy(x)
    except (ValueError, OverflowError) as error:  # lists of unequal lengths, numbers beyond 64 bits
        raise DtypeError(f"expected numbers in rows of one length, received {x!r} ({error})") from error
    if array.dtype.kind not in "fiubc":
        raise DtypeError(f"expected numbers, a Variable or a traced value, received {type(x).__name__}: {x!r}")
    if dtype is None:
        dtype = dtypes.of_array(array)
        if dtype == "int64" and (array == array.astype("int32")).all():
            dtype = "int32"  # Python's own whole numbers, mostly
    return current().constant(array, dtype)
