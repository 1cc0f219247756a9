"""The order of a graph's nodes, where ranks compute some of them together.

All ranks must come to these nodes in the same order, whatever else differs in their graphs.  And what is slow should
begin early and be waited for late: each bucket of gradients is sent off as soon as they are there, while the
gradients of earlier layers are still to be computed.
"""

from __future__ import annotations

from pynn.graph.ir import Graph, Node, toposort
from pynn.ops.collective import BucketFinish, BucketStart, RankMean, RankSum


def in_collective_order(graph: Graph) -> Graph:
    """Sort ``graph.nodes``; those of a process that is alone stay as they are."""
    if not any(node.op.collective for node in graph.nodes):
        return graph
    waiting = _that_wait(graph)
    results = sorted(graph.results, key=lambda v: id(v.node) in waiting)  # stable: first what waits for nobody
    graph.nodes = toposort([*(node.outputs[0] for node in _in_order(graph)), *results])
    return graph


def _in_order(graph: Graph) -> list[Node]:
    """Single reductions by their numbers, and the start of each bucket behind the last reduction that it needs."""
    latest: dict[int, int] = {}  # of each node: the highest number among the reductions it needs
    found: list[tuple[tuple[int, int], Node]] = []
    for node in graph.nodes:
        number = max((latest[id(v.node)] for v in node.inputs if v.node is not None), default=-1)
        if isinstance(node.op, RankMean | RankSum):
            number = node.op.index
            found.append(((number, -1), node))
        elif isinstance(node.op, BucketStart):
            found.append(((number, node.op.number), node))
        latest[id(node)] = number
    return [node for _, node in sorted(found, key=lambda entry: entry[0])]


def _that_wait(graph: Graph) -> set[int]:
    """Ids of the nodes that need what a bucket brings."""
    found: set[int] = set()
    for node in graph.nodes:
        if isinstance(node.op, BucketFinish) or any(v.node is not None and id(v.node) in found for v in node.inputs):
            found.add(id(node))
    return found
