"""Pass: element-wise ops over the same positions become one kernel that evaluates them tile by tile.

Nodes are taken in their order.  Each joins a chain of one of its inputs, if it can be run there without changing what
anybody reads: either the whole chain moves down to the new node (nobody outside has read from it yet), or the
new node moves up to the chain (all it reads is there already).  Either way the order of kernels stays a valid one.
Broadcasts disappear into the way a chain reads its inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

from pynn.graph.ir import Graph, Node, Value
from pynn.graph.passes.choose_kernels import choose
from pynn.graph.passes.plan_memory import root
from pynn.ops.elementwise import Elementwise
from pynn.ops.elementwise_chain import MAX_INPUTS, MAX_OUTPUTS, MAX_STEPS, Access, make_chain
from pynn.ops.shape import BroadcastTo


@dataclass
class _Group:
    """Nodes that will run as one kernel, at position ``at`` of the order."""

    nodes: list[Node]
    at: float
    size: int


def fuse_chains(graph: Graph) -> Graph:
    """Replace groups of two or more element-wise nodes, and single ones that read broadcasts, by chains."""
    grouping = _Grouping(graph)
    groups = grouping.groups
    if not groups:
        return graph
    return _rebuild(graph, groups, grouping.group_of)


class _Grouping:
    """Decides which nodes run together."""

    def __init__(self, graph: Graph):
        self.users = graph.users()
        self.results = {id(root(v)) for v in graph.results}
        self.position = {id(node): float(i) for i, node in enumerate(graph.nodes)}
        self.group_of: dict[int, _Group] = {}
        self.seen: set[int] = set()
        for node in graph.nodes:
            if _fusible(node):
                self._place(node)
            self.seen.add(id(node))
        self.groups = list({id(g): g for g in self.group_of.values()}.values())

    def _place(self, node: Node) -> None:
        size = node.outputs[0].size
        candidates = []
        for v in node.inputs:
            producer = root(v).node
            group = self.group_of.get(id(producer)) if producer is not None else None
            if group is not None and group.size == size and group not in candidates:
                candidates.append(group)
        # The latest chain first: the others' results are then read from memory or joined below.
        for group in sorted(candidates, key=lambda g: -g.at):
            if self._fits([*group.nodes, node]) and (self._sink(group, node) or self._hoist(group, node)):
                break
        else:
            self.group_of[id(node)] = group = _Group([node], self.position[id(node)], size)
        for other in candidates:
            if other is not group and self._may_move(other, group) and self._fits([*other.nodes, *group.nodes]):
                group.nodes = sorted([*other.nodes, *group.nodes], key=lambda n: self.position[id(n)])
                for n in other.nodes:
                    self.group_of[id(n)] = group

    def _join(self, group: _Group, node: Node) -> bool:
        group.nodes.append(node)
        self.group_of[id(node)] = group
        return True

    def _sink(self, group: _Group, node: Node) -> bool:
        """Move the chain down to ``node``: allowed if nothing before ``node`` reads from it outside the chain."""
        if any(self._read_outside(n, group, None) for n in group.nodes):
            return False
        group.at = self.position[id(node)]
        return self._join(group, node)

    def _hoist(self, group: _Group, node: Node) -> bool:
        """Move ``node`` up to the chain: allowed if all it reads exists there."""
        for v in node.inputs:
            if not self._ready(v, group):
                return False
        return self._join(group, node)

    def _ready(self, v: Value, group: _Group) -> bool:
        """Whether ``v`` exists where ``group`` runs (looking through views and broadcasts that vanish)."""
        source = _source(v)
        producer = source.node
        if producer is None:
            return True
        owner = self.group_of.get(id(producer))
        if owner is group:
            return True
        return (owner.at if owner else self.position[id(producer)]) < group.at

    def _may_move(self, other: _Group, group: _Group) -> bool:
        """Whether ``other`` may run as part of the later ``group``."""
        return other.at < group.at and not any(self._read_outside(n, other, group) for n in other.nodes)

    def _read_outside(self, node: Node, group: _Group, also: _Group | None) -> bool:
        """Whether a node already placed, outside of the chain(s), reads ``node``'s result."""
        pending = list(self.users.get(id(node.outputs[0]), ()))
        while pending:
            user = pending.pop()
            if id(user) not in self.seen:
                continue
            if user.op.is_view or (isinstance(user.op, BroadcastTo) and user.op.access(user) is not None):
                pending += self.users.get(id(user.outputs[0]), ())
                continue
            owner = self.group_of.get(id(user))
            if owner is None or (owner is not group and owner is not also):
                return True
        return False

    def _fits(self, nodes: list[Node]) -> bool:
        inside = {id(n) for n in nodes}
        reads = {id(_source(v)) for n in nodes for v in n.inputs if id(root(v).node) not in inside}
        outputs = sum(self._needed_outside(n, inside) for n in nodes)
        return len(nodes) <= MAX_STEPS and len(reads) <= MAX_INPUTS and outputs <= MAX_OUTPUTS

    def _needed_outside(self, node: Node, inside: set[int]) -> bool:
        return needed_outside(node, inside, self.users, self.results)


def needed_outside(node: Node, inside: set[int], users: dict[int, list[Node]], results: set[int]) -> bool:
    """Whether anything but the nodes ``inside`` reads ``node``'s result, directly or through views."""
    pending = [node.outputs[0]]
    while pending:
        v = pending.pop()
        if id(v) in results:
            return True
        for user in users.get(id(v), ()):
            if user.op.is_view:
                pending.append(user.outputs[0])
            elif id(user) not in inside:
                return True
    return False


def _fusible(node: Node) -> bool:
    choice = node.choice
    return isinstance(node.op, Elementwise) and choice is not None and choice.candidate is not None


def _source(v: Value) -> Value:
    """The array that ``v`` is read from once views and simple broadcasts are looked through."""
    base = root(v)
    node = base.node
    if node is not None and isinstance(node.op, BroadcastTo) and node.op.access(node) is not None:
        return root(node.inputs[0])
    return base


def _access(v: Value) -> tuple[Value, Access]:
    base = root(v)
    node = base.node
    if node is not None and isinstance(node.op, BroadcastTo):
        access = node.op.access(node)
        if access is not None:
            return node.inputs[0], Access(*access)
    return v, Access(1, v.size)


def _rebuild(graph: Graph, groups: list[_Group], group_of: dict[int, _Group]) -> Graph:
    """The graph with each group as one node, in the groups' order of execution."""
    users = graph.users()
    results = {id(v) for v in graph.results}
    new_of: dict[int, Value] = {}

    def new(v: Value) -> Value:
        return new_of.get(id(v), v)

    def emit(node: Node) -> None:
        copy = Node(node.op, [new(v) for v in node.inputs], node.output_specs, node.scope)
        copy.choice = node.choice
        new_of.update({id(a): b for a, b in zip(node.outputs, copy.outputs, strict=True)})

    def emit_group(group: _Group) -> None:
        inside = {id(n) for n in group.nodes}
        reads: dict[int, tuple[Value, Access]] = {}
        same_as: dict[int, Value] = {}
        for v in (v for node in group.nodes for v in node.inputs):
            if id(root(v).node) in inside:
                same_as[id(v)] = root(v)
            else:
                source, access = _access(v)
                reads[id(v)] = (new(source), access)
        if len(group.nodes) == 1 and all(access.period == group.size for _, access in reads.values()):
            emit(group.nodes[0])  # a chain of one that reads everything in place is the op itself
            return
        outputs = [n.outputs[0] for n in group.nodes if needed_outside(n, inside, users, results)]
        chain = make_chain(group.nodes, reads, same_as, outputs)
        chain.choice = choose(chain)
        new_of.update({id(a): b for a, b in zip(outputs, chain.outputs, strict=True)})

    # Views and broadcasts follow their input at once: nodes that moved up may read them.
    moving = [node for node in graph.nodes if node.op.is_view or isinstance(node.op, BroadcastTo)]
    emitted = {id(node) for node in moving}

    def emit_moving() -> None:
        for node in list(moving):
            if all(v.node is None or id(v) in new_of for v in node.inputs):
                emit(node)
                moving.remove(node)

    emit_moving()
    order: list[tuple[float, Node | _Group]] = [(g.at, g) for g in groups]
    order += [
        (float(i), node) for i, node in enumerate(graph.nodes) if id(node) not in group_of and id(node) not in emitted
    ]
    for _, item in sorted(order, key=lambda pair: pair[0]):
        if isinstance(item, _Group):
            emit_group(item)
        else:
            emit(item)
        emit_moving()
    return Graph(graph.inputs, [new(v) for v in graph.outputs], [(var, new(v)) for var, v in graph.updates])
