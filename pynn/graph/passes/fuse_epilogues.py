"""Pass: products and convolutions take the bias and the activation that follow them into their own last step.

The kernel then adds the bias and applies the activation while its result is still in registers or the L1 cache,
instead of writing the result to memory and two more kernels reading and writing it again.
"""

from __future__ import annotations

from dataclasses import replace

from pynn.graph.ir import Graph, Node, Value, rewrite
from pynn.graph.passes.choose_kernels import choose
from pynn.graph.passes.plan_memory import root
from pynn.ops.elementwise import Add
from pynn.ops.shape import BroadcastTo, Reshape


def fuse_epilogues(graph: Graph) -> Graph:
    """Fold ``product -> + bias -> activation`` into the product where nothing else reads the values in between."""
    users = graph.users()
    results = {id(v) for v in graph.results}
    #: A node to be replaced -> (the product it belongs to, its bias, its activation).
    fused: dict[int, tuple[Node, Value | None, str]] = {}

    def only_user(v: Value) -> Node | None:
        """The one node that reads ``v``, looking through reshapes (a product of 3-D inputs is a 2-D one, reshaped)."""
        found = users.get(id(v), [])
        if len(found) != 1 or id(v) in results:
            return None
        return only_user(found[0].outputs[0]) if isinstance(found[0].op, Reshape) else found[0]

    for node in graph.nodes:
        candidate = node.choice.candidate if node.choice else None
        if candidate is None or not candidate.epilogue or getattr(node.op, "activation", None) != "linear":
            continue
        last, bias, activation = node, None, "linear"
        if "bias" in candidate.epilogue and len(node.inputs) == 2:
            follower = only_user(last.outputs[0])
            if follower is not None and isinstance(follower.op, Add):
                bias = _bias(follower, node.outputs[0])
                last = follower if bias is not None else last
        follower = only_user(last.outputs[0])
        if follower is not None and follower.op.name in candidate.epilogue and len(follower.inputs) == 1:
            last, activation = follower, follower.op.name
        if last is not node:
            fused[id(last)] = (node, bias, activation)
    if not fused:
        return graph

    products = {id(product) for product, _, _ in fused.values()}
    new_inputs: dict[int, tuple[Value, ...]] = {}

    def rule(node: Node, inputs: tuple[Value, ...]) -> tuple[Value, ...] | None:
        if id(node) in products:
            new_inputs[id(node)] = inputs  # they may have been rewritten: the fused product reads these
        if id(node) not in fused:
            return None
        product, bias, activation = fused[id(node)]
        operands = new_inputs[id(product)]
        if bias is not None:
            operands = (*operands, bias if bias.ndim == 1 else Reshape((bias.size,))(bias))
        op = replace(product.op, activation=activation)  # type: ignore[call-arg]
        new = Node(op, operands, product.output_specs, product.scope)
        new.choice = choose(new)
        y, shape = new.outputs[0], node.outputs[0].shape
        return (y if y.shape == shape else Reshape(shape)(y),)

    return rewrite(graph, rule)


def _bias(add: Node, product: Value) -> Value | None:
    """The weights that ``add`` adds to the last axis of ``product``, or None if it adds something else."""
    for other in add.inputs:
        if root(other) is product or other.node is None or not isinstance(other.node.op, BroadcastTo):
            continue
        weights = other.node.inputs[0]
        # Only leaves: a computed bias might not be ready where the product stands.  A bias of several axes lies, flat,
        # along the product's last axis, which a reshape may have split since.
        if weights.node is None and other.node.op.access(other.node) == (1, product.shape[-1]):
            return weights
    return None
