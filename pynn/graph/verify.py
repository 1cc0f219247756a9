"""Checks of a graph's invariants, run between passes when ``PYNN_CHECK=1``."""

from __future__ import annotations

from typing import NoReturn

from pynn.errors import GraphError, PynnError
from pynn.graph.ir import Graph, Value
from pynn.graph.variable import Variable


def verify(graph: Graph, after: str) -> None:
    """Raise a GraphError that names the pass (``after``) and the node when an invariant does not hold.

    Held are: every node reads leaves or values made before it, shapes and dtypes are what the op's rule says,
    every feed is declared, no variable is written twice, and an update fits its variable.
    """

    def fail(what: str) -> NoReturn:
        raise GraphError(f"after pass '{after}': {what}")

    declared = {id(v) for v in graph.inputs}
    known: set[int] = set(declared)

    def check_leaf(v: Value) -> None:
        if v.node is not None:
            fail(f"{v!r} is read before it is computed")
        if v.source is None:
            fail(f"{v!r} has no source")
        if isinstance(v.source, str) and v.source == "input" and id(v) not in declared:
            fail(f"{v!r} is fed in but not among the graph's inputs")
        if isinstance(v.source, Variable) and v.source.spec != v.spec:
            fail(f"{v!r} stands for variable {v.source.path} but has another shape or dtype")

    for node in graph.nodes:
        for v in node.inputs:
            if id(v) not in known:
                check_leaf(v)
        try:
            specs = node.op.infer(*node.input_specs)
        except PynnError as error:
            fail(f"{node!r} reads what it cannot take: {error}")
        expected = specs if isinstance(specs, tuple) else (specs,)
        if expected != node.output_specs:
            fail(f"{node!r} has outputs {node.output_specs}, its shape rule says {expected}")
        known.update(id(v) for v in node.outputs)
    for v in graph.results:
        if id(v) not in known:
            check_leaf(v)
    written: set[int] = set()
    for variable, v in graph.updates:
        if id(variable) in written:
            fail(f"variable {variable.path} is written twice")
        written.add(id(variable))
        if v.spec != variable.spec:
            fail(f"variable {variable.path} would be given {v!r}")
