"""Pass: products and convolutions take the bias, the residual and the activation behind them into their own last step.

The kernel then adds the bias and another branch's result and applies the activation while its own result is still in
registers or the L1 cache, instead of writing it to memory and more kernels reading and writing it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pynn.graph.ir import Graph, Node, Value, rewrite
from pynn.graph.passes.choose_kernels import choose
from pynn.graph.passes.plan_memory import root
from pynn.ops.elementwise import Add
from pynn.ops.shape import BroadcastTo, Reshape


def fuse_epilogues(graph: Graph) -> Graph:
    """Fold ``product -> [+ bias] -> [+ residual] -> [activation]`` into the product where nothing else reads the values
    in between."""
    users = graph.users()
    results = {id(v) for v in graph.results}
    position = {id(node): i for i, node in enumerate(graph.nodes)}
    #: A node to be replaced -> what it is a part of.
    fused: dict[int, _Epilogue] = {}

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
        last, epilogue = node, _Epilogue(node)
        if "bias" in candidate.epilogue and len(node.inputs) == 2:
            follower = only_user(last.outputs[0])
            if follower is not None and isinstance(follower.op, Add):
                epilogue.bias = bias_of(follower, node.outputs[0])
                last = follower if epilogue.bias is not None else last
        if "residual" in candidate.epilogue and len(node.inputs) == 2:
            follower = only_user(last.outputs[0])
            if follower is not None and isinstance(follower.op, Add):
                index = _residual(follower, last, position)
                if index is not None:
                    epilogue.add, epilogue.residual_index, last = follower, index, follower
        follower = only_user(last.outputs[0])
        if follower is not None and follower.op.name in candidate.epilogue and len(follower.inputs) == 1:
            last, epilogue.activation = follower, follower.op.name
        if last is not node:
            fused[id(last)] = epilogue
    if not fused:
        return graph

    products = {id(e.product): e for e in fused.values()}
    adds = {id(e.add): e for e in fused.values() if e.add is not None}

    def rule(node: Node, inputs: tuple[Value, ...]) -> tuple[Value, ...] | None:
        # What a part reads may have been rewritten: the fused product reads these.
        if id(node) in products:
            products[id(node)].operands = inputs
        if id(node) in adds:
            adds[id(node)].residual = inputs[adds[id(node)].residual_index]
        return (fused[id(node)].build(node.outputs[0].shape),) if id(node) in fused else None

    return rewrite(graph, rule)


@dataclass
class _Epilogue:
    """A product and what follows it."""

    product: Node
    bias: Value | None = None
    activation: str = "linear"
    #: The addition of another branch's result, and which of its inputs that is.
    add: Node | None = None
    residual_index: int = 0
    residual: Value | None = None
    operands: tuple[Value, ...] = ()

    def build(self, shape: tuple[int, ...]) -> Value:
        """The result of all of it, in the ``shape`` that the last of its nodes has."""
        operands, spec = self.operands, self.product.outputs[0].spec
        if self.bias is not None:
            operands = (*operands, self.bias if self.bias.ndim == 1 else Reshape((self.bias.size,))(self.bias))
        if self.residual is not None:
            same = self.residual.shape == spec.shape
            operands = (*operands, self.residual if same else Reshape(spec.shape)(self.residual))
        op = replace(self.product.op, activation=self.activation)  # type: ignore[call-arg]
        new = Node(op, operands, (spec,), self.product.scope)
        new.choice = choose(new)
        return new.outputs[0] if spec.shape == shape else Reshape(shape)(new.outputs[0])


def _residual(add: Node, last: Node, position: dict[int, int]) -> int | None:
    """Which input of ``add`` is another branch's result of full size that is ready before ``last``; None if none is."""
    for index, other in enumerate(add.inputs):
        base = root(other)
        if base is root(last.outputs[0]) or isinstance(base.op, BroadcastTo):
            continue
        # Of two products that are added the later one takes the other's result.
        if base.node is None or position[id(base.node)] < position[id(last)]:
            return index
    return None


def bias_of(add: Node, product: Value) -> Value | None:
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
