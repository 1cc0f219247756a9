"""Pass: batch normalization in training takes the residual and the activation that follow it into its second pass.

``BatchNorm -> [+ r] -> ReLU`` becomes one op, which saves reading and writing the array once or twice.  The gradients
then go through the ReLU and the normalization in one op too; where there is a residual, that op also gives the masked
gradient, which is the residual's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pynn.graph.ir import Graph, Node, Value
from pynn.ops.elementwise import Add
from pynn.ops.normalization import ACTIVATIONS, BatchNorm, BatchNormGrad


@dataclass
class _Chain:
    """``norm -> [+ residual] -> last`` and, if they can be one op too, ``mask -> grad`` on the way back."""

    norm: Node
    residual: Value | None
    last: Node
    mask: Node | None = None
    grad: Node | None = None


def fuse_normalization(graph: Graph) -> Graph:
    """Fold ``BatchNorm -> [Add] -> activation`` and its gradients where nothing else reads the values in between."""
    chains = _find(graph)
    if not chains:
        return graph
    by_last = {id(chain.last): chain for chain in chains}
    by_mask = {id(chain.mask): chain for chain in chains if chain.mask is not None}
    gone = {id(node) for chain in chains for node in (chain.norm, chain.grad)}
    new_of: dict[int, Value] = {}

    def new(v: Value) -> Value:
        return new_of.get(id(v), v)

    def stands_for(old: Value, replacement: Value) -> None:
        replacement.name = replacement.name or old.name
        new_of[id(old)] = replacement

    for node in graph.nodes:
        if id(node) in gone:
            continue
        if id(node) in by_last:
            chain = by_last[id(node)]
            fused = _forward(chain, new)
            for old, replacement in zip((node.outputs[0], *chain.norm.outputs[1:]), fused.outputs, strict=True):
                stands_for(old, replacement)
        elif id(node) in by_mask:
            chain = by_mask[id(node)]
            assert chain.grad is not None
            fused = _backward(chain, chain.grad, new)
            # The masked gradient comes last, and is there where somebody else reads it: with a residual.
            for old, replacement in zip((*chain.grad.outputs, node.outputs[0]), fused.outputs, strict=False):
                stands_for(old, replacement)
        elif any(id(v) in new_of for v in node.inputs):
            copy = Node(node.op, [new(v) for v in node.inputs], node.output_specs, node.scope)
            for old, replacement in zip(node.outputs, copy.outputs, strict=True):
                stands_for(old, replacement)
    return Graph(graph.inputs, [new(v) for v in graph.outputs], [(var, new(v)) for var, v in graph.updates])


def _forward(chain: _Chain, new: Callable[[Value], Value]) -> Node:
    inputs = [*chain.norm.inputs, *([chain.residual] if chain.residual is not None else [])]
    op = BatchNorm(_norm(chain).epsilon, chain.last.op.name, chain.residual is not None)
    return Node(op, [new(v) for v in inputs], chain.norm.output_specs, chain.norm.scope)


def _backward(chain: _Chain, grad: Node, new: Callable[[Value], Value]) -> Node:
    assert chain.mask is not None
    residual = chain.residual is not None
    masked_by = chain.last.outputs[0] if residual else chain.norm.inputs[2]
    inputs = (chain.mask.inputs[0], *grad.inputs[1:], masked_by)
    specs = (*grad.output_specs, *(chain.mask.output_specs if residual else ()))
    op = BatchNormGrad(_norm(chain).epsilon, chain.last.op.name, residual)
    return Node(op, [new(v) for v in inputs], specs, grad.scope)


def _norm(chain: _Chain) -> BatchNorm:
    assert isinstance(chain.norm.op, BatchNorm)
    return chain.norm.op


def _find(graph: Graph) -> list[_Chain]:
    users = graph.users()
    results = {id(v) for v in graph.results}
    position = {id(node): i for i, node in enumerate(graph.nodes)}
    found: dict[int, _Chain] = {}  # by activation: of two normalizations that are added, one takes the other in

    def readers(v: Value) -> list[Node]:
        return users.get(id(v), [])

    def only_reader(v: Value) -> Node | None:
        return readers(v)[0] if len(readers(v)) == 1 and id(v) not in results else None

    for norm in graph.nodes:
        if not isinstance(norm.op, BatchNorm) or norm.op.activation != "linear" or norm.op.residual:
            continue
        y, mean, variance = norm.outputs
        last, residual = only_reader(y), None
        if last is not None and isinstance(last.op, Add):
            residual = last.inputs[1] if last.inputs[0] is y else last.inputs[0]
            last = only_reader(last.outputs[0])
        if last is None or last.op.name not in ACTIVATIONS or len(last.inputs) != 1:
            continue
        # The op stands where the activation was: by then nobody may have read the statistics.
        if any(position[id(n)] < position[id(last)] for v in (mean, variance) for n in readers(v)):
            continue
        found[id(last)] = _Chain(norm, residual, last)

    for chain in found.values():
        activated = chain.last.outputs[0]
        masks = [
            n for n in readers(activated) if n.op.name == f"{chain.last.op.name}_grad" and n.inputs[1] is activated
        ]
        grads = [n for n in readers(chain.norm.outputs[1]) if isinstance(n.op, BatchNormGrad)]
        if len(masks) != 1 or len(grads) != 1 or grads[0].inputs[0] is not masks[0].outputs[0]:
            continue
        if chain.residual is not None or only_reader(masks[0].outputs[0]) is grads[0]:
            chain.mask, chain.grad = masks[0], grads[0]
    return list(found.values())
