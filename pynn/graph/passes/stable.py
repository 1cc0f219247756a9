"""Which values of a graph stay the same from run to run: constants, weights that it does not write, and what follows
from these alone."""

from __future__ import annotations

from pynn.graph.ir import Graph, Value
from pynn.graph.variable import Variable


class StableValues:
    """``v in stable``: the value depends on constants and on variables that the graph leaves as they are.

    Scalars do not count (a learning rate, a step counter): they change from outside between any two runs, and nothing
    that is worth keeping follows from one.
    """

    def __init__(self, graph: Graph):
        written = {id(variable) for variable, _ in graph.updates}
        self._stable = {id(v) for v in graph.leaves() if _is_stable_leaf(v, written)}
        for node in graph.nodes:
            if node.inputs and not node.op.collective and all(id(v) in self._stable for v in node.inputs):
                self._stable.update(id(v) for v in node.outputs)

    def __contains__(self, v: Value) -> bool:
        return id(v) in self._stable


def _is_stable_leaf(v: Value, written: set[int]) -> bool:
    if isinstance(v.source, Variable):
        return id(v.source) not in written and bool(v.shape)
    return v.source is not None and not isinstance(v.source, str)
