"""Pass: what follows from weights alone is computed when the weights have changed, not in every run.

In a ``predict`` program these are kernels with batch normalization folded in and weights packed for their kernels; in
a training program the same for layers that are frozen.  Such values become :class:`Prepared` variables of the graph,
with a small program of their own that fills them.
"""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from pynn.graph.ir import Graph, Node, Spec, Value, rewrite
from pynn.graph.passes.stable import StableValues
from pynn.graph.variable import Variable
from pynn.ops.shape import BroadcastTo


class Preparation:
    """Fills the prepared variables of one program from the weights they follow from."""

    def __init__(self, isa: str):
        self._isa = isa
        self._results: list[tuple[Prepared, Value]] = []
        self._sources: list[Variable] = []
        self._program: Any = None
        self._changes = -1
        self._versions: list[int] | None = None

    def add(self, prepared: Prepared, value: Value) -> None:
        self._results.append((prepared, value))

    def refresh(self) -> None:
        """Compute everything anew if a weight has changed since the last time."""
        if self._changes == Variable.changes:
            return
        from pynn.executor.locks import compile_lock

        with compile_lock():
            if self._program is None:
                self._compile()
            changes, versions = Variable.changes, [v.version for v in self._sources]
            if versions != self._versions:
                self._program([])
                self._versions = versions
            self._changes = changes

    def _compile(self) -> None:
        from pynn.executor.native import NativeProgram

        graph = Graph((), (), [(prepared, value) for prepared, value in self._results])
        self._sources = [v.source for v in graph.leaves() if isinstance(v.source, Variable)]
        self._program = NativeProgram(graph, self._isa, title="preparation of weights")


class Prepared(Variable):
    """A variable that follows from others."""

    def __init__(self, spec: Spec, path: str, preparation: Preparation):
        super().__init__(None, trainable=False, name=path, spec=spec)
        self.preparation = preparation

    def announce_change(self) -> None:
        """Nobody: it follows the others when they change back."""


#: Prepared variables by what they are computed from, so that programs for several batch sizes share them.
_shared: weakref.WeakValueDictionary[Hashable, Prepared] = weakref.WeakValueDictionary()


def prepare(graph: Graph, isa: str = "") -> Graph:
    """Replace every stable value that an unstable node reads by a prepared variable."""
    stable = StableValues(graph)
    wanted: dict[int, Value] = {}
    for node in graph.nodes:
        if all(v not in stable for v in node.outputs):
            for v in node.inputs:
                v = _behind_broadcasts(v)
                if v in stable and v.node is not None:
                    wanted[id(v)] = v
    if not wanted:
        return graph
    preparation = Preparation(isa)
    leaves = {key: _leaf(v, isa, preparation) for key, v in wanted.items()}

    def rule(node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
        if not any(id(v) in leaves for v in node.outputs):
            return None
        return [leaves.get(id(v), v) for v in node.outputs]

    return rewrite(graph, rule)


def preparations(graph: Graph) -> list[Preparation]:
    """What must be refreshed before a run of ``graph``."""
    found = [v.source.preparation for v in graph.leaves() if isinstance(v.source, Prepared)]
    return list(dict.fromkeys(found))


def _behind_broadcasts(v: Value) -> Value:
    """Broadcasts stay in the program: kernels read the small array again and again."""
    while v.node is not None and (v.node.op.is_view or isinstance(v.node.op, BroadcastTo)):
        v = v.node.inputs[0]
    return v


def _leaf(v: Value, isa: str, preparation: Preparation) -> Value:
    key = (isa, _key(v))
    prepared = _shared.get(key)
    if prepared is None:
        prepared = _shared[key] = Prepared(v.spec, _name(v), preparation)
        preparation.add(prepared, v)
    return Value(v.spec, source=prepared, name=prepared.path)


def _name(v: Value) -> str:
    """``conv2d/kernel'``: the largest variable behind it, and a mark."""
    sources = [leaf for leaf in Graph((), (v,)).leaves() if isinstance(leaf.source, Variable)]
    return max(sources, key=lambda leaf: leaf.size).name + "'" if sources else "constant'"


def _key(v: Value) -> Hashable:
    """Equal for values that are computed in the same way from the same variables.

    A variable's ``id`` is good as long as the prepared variable lives: its preparation holds the graph it came from.
    """
    if v.node is not None:
        return (v.node.op, v.index, *map(_key, v.node.inputs))
    if isinstance(v.source, np.ndarray):
        return (v.spec, v.source.tobytes() if v.size <= 4096 else id(v.source))
    return (v.spec, id(v.source))
