"""The step of one rank becomes a part of the step of all: what depends on its rows alone is combined.

A step is traced for this rank's rows.  The optimizer has asked for the mean of all gradients while it was traced
(``trace.replica``).  What is left follows from one rule: *after a step every variable is the same on all ranks.*

- What metrics count is added up.
- Other state that depends on the rows (moving averages of a batch normalization with local statistics) is averaged.
- So are the numbers that a step returns for the logs.
- Seeds stay equal; what is drawn from one is drawn with the rank's own.

Gradients and all the small numbers then travel together, in few large buckets.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pynn.errors import ArgumentError
from pynn.graph.ir import Graph, Node, Value, rewrite
from pynn.graph.trace import Trace
from pynn.graph.variable import Variable
from pynn.ops.collective import BucketFinish, BucketStart, RankMean, RankSeed, RankSum, Replica
from pynn.ops.elementwise import Add, Negative, Subtract
from pynn.ops.random import STATE, NextSeed


def combine(graph: Graph, trace: Trace, metrics: Collection[Variable], returns_rows: bool, bucket_bytes: int) -> Graph:
    """The graph of a rank's part of a step, as ``trace`` has recorded it.

    Args:
        metrics: the variables that metrics count in.
        returns_rows: whether the outputs are one row for each of the input (``predict``): then they stay as they are.
        bucket_bytes: a bucket of gradients begins to travel when it has so many.
    """
    replica: Replica = trace.replica
    with trace:
        graph = _with_own_seeds(graph, replica)
        local = _local_values(graph)
        counts = {id(variable) for variable in metrics}
        updates = []
        for variable, value in graph.updates:
            if id(variable) in counts:
                value = _added_up(graph, variable, value, replica)
            elif id(value) in local:
                value = _averaged(variable, value, replica)
            updates.append((variable, value))
        outputs = list(graph.outputs)
        if not returns_rows:
            outputs = [replica.mean(v) if id(v) in local and v.spec.is_float else v for v in outputs]
        return in_buckets(Graph(graph.inputs, outputs, updates, graph.before_run), bucket_bytes)


def _with_own_seeds(graph: Graph, replica: Replica) -> Graph:
    """Each rank draws other numbers from equal states."""
    own: dict[int, Value] = {}

    def rule(node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
        if not _draws(node):
            return None
        mine = []
        for v in inputs:
            if v.spec == STATE and id(v) not in own:
                own[id(v)] = RankSeed(replica.rank)(v)
            mine.append(own[id(v)] if v.spec == STATE else v)
        return Node(node.op, mine, node.output_specs, node.scope).outputs

    return rewrite(graph, rule)


def _draws(node: Node) -> bool:
    return type(node.op).__module__ == "pynn.ops.random" and not isinstance(node.op, NextSeed)


def _local_values(graph: Graph) -> set[int]:
    """Ids of the values that depend on this rank's rows or on numbers drawn for them."""
    found = {id(v) for v in graph.inputs}
    for node in graph.nodes:
        if not node.op.collective and (_draws(node) or any(id(v) in found for v in node.inputs)):
            found.update(id(v) for v in node.outputs)
    return found


def _added_up(graph: Graph, variable: Variable, value: Value, replica: Replica) -> Value:
    """The state of a metric after all ranks' batches: what each adds to it is added up."""
    old = next((v for v in graph.leaves() if v.source is variable), None)
    if old is None:
        raise _cannot_add(variable)
    depends = {id(old)}
    for node in graph.nodes:
        if any(id(v) in depends for v in node.inputs):
            depends.update(id(v) for v in node.outputs)
    added = _increment(variable, value, depends)
    return value if added is None else Add()(old, replica.sum(added))


def _increment(variable: Variable, value: Value, depends: set[int]) -> Value | None:
    """What is added to the old state to give ``value``; None if nothing is."""
    if value.source is variable:
        return None
    node = value.node
    if node is None or not isinstance(node.op, Add | Subtract):
        raise _cannot_add(variable)
    a, b = node.inputs
    if isinstance(node.op, Add) and id(b) in depends:
        a, b = b, a
    if id(a) not in depends or id(b) in depends:
        raise _cannot_add(variable)
    before = _increment(variable, a, depends)
    if isinstance(node.op, Add):
        return b if before is None else Add()(before, b)
    return Negative()(b) if before is None else Subtract()(before, b)


def _cannot_add(variable: Variable) -> ArgumentError:
    return ArgumentError(
        f"metric variable '{variable.path}': several processes can combine only what is added to it "
        "(variable.assign_add(...)), since each of them sees its part of the batch; this metric computes its new state "
        "in another way. Let it count sums, and work out the rest in result()"
    )


def _averaged(variable: Variable, value: Value, replica: Replica) -> Value:
    if not value.spec.is_float:
        raise ArgumentError(
            f"variable '{variable.path}': its new state, {value.spec}, depends on the rows of the batch, and several "
            "processes, which see a part of it each, can average floating-point numbers only; keep such state in "
            "float32, or count in a metric"
        )
    return replica.mean(value)


def in_buckets(graph: Graph, bucket_bytes: int) -> Graph:
    """Let all reductions that no other one needs travel in buckets.

    Gradients are numbered from the first layer to the last, so the highest numbers are there first.
    """
    needed: set[int] = set()  # nodes that come before some reduction
    for node in reversed(graph.nodes):
        reduces = isinstance(node.op, RankMean | RankSum)
        if reduces or id(node) in needed:
            needed.update(id(v.node) for v in node.inputs if v.node is not None)
    last = [node for node in graph.nodes if isinstance(node.op, RankMean | RankSum) and id(node) not in needed]
    last.sort(key=lambda node: -node.op.index)  # type: ignore[attr-defined]
    replaced: dict[int, Value] = {}
    number = 0
    for dtype in sorted({node.outputs[0].dtype for node in last}):
        for group in _groups([node for node in last if node.outputs[0].dtype == dtype], bucket_bytes):
            weights = tuple(node.op.weight for node in group)  # type: ignore[attr-defined]
            flat = BucketStart(weights, number)(*(node.inputs[0] for node in group))
            sums = BucketFinish(tuple(node.outputs[0].shape for node in group))(flat)
            replaced.update({id(node): v for node, v in zip(group, sums, strict=True)})
            number += 1
    return rewrite(graph, lambda node, inputs: (replaced[id(node)],) if id(node) in replaced else None)


def _groups(nodes: Sequence[Node], bucket_bytes: int) -> list[list[Node]]:
    groups: list[list[Node]] = []
    room = 0
    for node in nodes:
        if room <= 0:
            groups.append([])
            room = bucket_bytes
        groups[-1].append(node)
        room -= node.outputs[0].spec.nbytes
    return groups
