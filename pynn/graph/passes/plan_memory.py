"""Pass: a place in memory for every value.

Leaves live where they are (a slot of the run, a variable's array, a constant).  Results go straight into the
output slots, and new states straight into their variables where nobody needs the old state any more.  All other
values share one arena: two values may overlap when they are never alive at the same time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pynn.graph.ir import Graph, Node, Value
from pynn.graph.variable import Variable
from pynn.ops.copying import Copy

_LINE = 64  # bytes: every buffer starts on a cache line


@dataclass(frozen=True)
class Place:
    """Where a value lives: ``kind`` is "arena" (byte offset), "slot" (index) or "fixed" (an array)."""

    kind: str
    where: int | np.ndarray


@dataclass
class MemoryPlan:
    """The place of each value (by ``id``), the arena's size, and the copies to do at the end."""

    places: dict[int, Place] = field(default_factory=dict)
    arena_bytes: int = 0
    final_copies: list[tuple[Value, Variable]] = field(default_factory=list)
    #: What liveness alone would need at its worst moment: a lower bound for ``arena_bytes``.
    peak_bytes: int = 0

    def place(self, v: Value) -> Place:
        return self.places[id(root(v))]


def root(v: Value) -> Value:
    """The value whose memory ``v`` is: views share their input's."""
    while v.node is not None and v.node.op.is_view:
        v = v.node.inputs[0]
    return v


def separate_results(graph: Graph) -> Graph:
    """Give each output memory of its own: copy outputs that are leaves, views of leaves, or one value twice.

    States that are to become another variable's old state are copied too, so that no order of the final writes
    can spoil them.
    """
    taken: set[int] = set()

    def own(v: Value) -> Value:
        base = root(v)
        if base.node is None or id(base) in taken:
            v = _copy(v)
            base = v
        taken.add(id(base))
        return v

    outputs = [own(v) for v in graph.outputs]
    updates = [(var, _copy(v) if root(v).node is None else v) for var, v in graph.updates]
    if all(a is b for a, b in zip([*outputs, *(v for _, v in updates)], graph.results, strict=True)):
        return graph
    return Graph(graph.inputs, outputs, updates)


def _copy(v: Value) -> Value:
    from pynn.graph.passes.choose_kernels import choose

    copy = Copy()(v)
    copy.node.choice = choose(copy.node)
    return copy


def plan_memory(graph: Graph) -> MemoryPlan:
    """Places for all values of a graph whose results were separated and whose kernels are chosen."""
    plan = MemoryPlan()
    order = {id(node): i for i, node in enumerate(graph.nodes)}
    last_read = _last_reads(graph, order)
    for i, v in enumerate(graph.inputs):
        plan.places[id(v)] = Place("slot", i)
    for v in graph.leaves():
        if isinstance(v.source, Variable):
            plan.places[id(v)] = Place("fixed", v.source.array)
        elif isinstance(v.source, np.ndarray):
            plan.places[id(v)] = Place("fixed", v.source)
    for j, v in enumerate(graph.outputs):
        plan.places[id(root(v))] = Place("slot", len(graph.inputs) + j)
    state_leaf = {id(v.source): v for v in graph.leaves() if isinstance(v.source, Variable)}
    for variable, v in graph.updates:
        if _may_write_in_place(variable, v, state_leaf.get(id(variable)), order, last_read, plan):
            plan.places[id(root(v))] = Place("fixed", variable.array)
        else:
            plan.final_copies.append((v, variable))
    _book_arena(graph, order, last_read, plan)
    return plan


def _last_reads(graph: Graph, order: dict[int, int]) -> dict[int, int]:
    """``id(root value)`` to the position of the last node that reads it; results are read at the very end."""
    last: dict[int, int] = {}
    for node in graph.nodes:
        if not node.op.is_view:
            for v in node.inputs:
                last[id(root(v))] = order[id(node)]
    for v in graph.results:
        last[id(root(v))] = len(graph.nodes)
    return last


def _inplace(node: Node) -> dict[int, tuple[int, ...]]:
    """Output -> inputs whose memory it may overwrite."""
    candidate = node.choice.candidate
    found = candidate.inplace(node) if candidate is not None else {}
    return {o: (i,) if isinstance(i, int) else i for o, i in found.items()}


def _may_write_in_place(
    variable: Variable,
    v: Value,
    leaf: Value | None,
    order: dict[int, int],
    last_read: dict[int, int],
    plan: MemoryPlan,
) -> bool:
    """Whether ``v`` may be computed right into ``variable``: nobody reads the old state afterwards."""
    base = root(v)
    if base.node is None or id(base) in plan.places:
        return False
    if leaf is None or id(leaf) not in last_read:
        return True
    made_at = order[id(base.node)]
    if last_read[id(leaf)] != made_at:
        return last_read[id(leaf)] < made_at
    reads = [i for i, x in enumerate(base.node.inputs) if root(x) is leaf]
    return len(reads) == 1 and reads[0] in _inplace(base.node).get(base.index, ())


def _book_arena(graph: Graph, order: dict[int, int], last_read: dict[int, int], plan: MemoryPlan) -> None:
    """Offsets, biggest value first, each at the lowest address that is free while it lives."""
    spans: dict[int, tuple[int, int, int]] = {}  # id -> (bytes, first node, last node)
    leader: dict[int, int] = {}  # a value that overwrites another's memory -> that other
    for node in graph.nodes:
        if node.op.is_view:
            continue
        at = order[id(node)]
        inplace = _inplace(node)
        taken: set[int] = set()
        for v in node.outputs:
            if id(v) in plan.places:
                continue
            nbytes = max(v.spec.nbytes, 1)
            end = last_read.get(id(v), at)
            for i in inplace.get(v.index, ()):
                source = root(node.inputs[i])
                owner = leader.get(id(source), id(source))
                if (
                    owner in spans
                    and owner not in taken
                    and last_read.get(id(source)) == at
                    and source.spec.nbytes == v.spec.nbytes
                    and sum(root(x) is source for x in node.inputs) == 1
                ):
                    leader[id(v)] = owner
                    taken.add(owner)
                    size, start, _ = spans[owner]
                    spans[owner] = (size, start, end)
                    break
            else:
                spans[id(v)] = ((nbytes + _LINE - 1) // _LINE * _LINE, at, end)
    placed: list[tuple[int, int, int, int]] = []  # (offset, bytes, first, last)
    for key, (nbytes, first, last) in sorted(spans.items(), key=lambda item: -item[1][0]):
        offset = 0
        for other, size, begin, end in sorted(placed):
            if first <= end and begin <= last and offset < other + size and other < offset + nbytes:
                offset = other + size
        placed.append((offset, nbytes, first, last))
        plan.places[key] = Place("arena", offset)
        plan.arena_bytes = max(plan.arena_bytes, offset + nbytes)
    for key, owner in leader.items():
        plan.places[key] = plan.places[owner]
    plan.peak_bytes = max(
        (sum(size for _, size, begin, end in placed if begin <= t <= end) for t in range(len(graph.nodes))), default=0
    )
