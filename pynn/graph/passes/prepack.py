"""Pass: weights that stay the same from run to run are packed once, in the layout that their kernel wants.

A candidate that can read packed weights says with which op to pack them, and with which op to compute then
(:class:`~pynn.graph.ir.Candidate`, ``prepack``).  ``prepare`` moves the packing out of the program.
"""

from __future__ import annotations

from collections.abc import Sequence

from pynn.graph.ir import Graph, Node, Value, rewrite
from pynn.graph.passes.choose_kernels import choose
from pynn.graph.passes.stable import StableValues

#: Smaller kernels are packed in the time that keeping track of a packed copy takes.
_SMALLEST = 1024


def prepack(graph: Graph) -> Graph:
    """Replace ``product(x, w)`` by ``packed_product(x, pack(w))`` where ``w`` is stable and the kernel profits."""
    stable = StableValues(graph)

    def rule(node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
        candidate = node.choice.candidate if node.choice else None
        if candidate is None or len(inputs) < 2:
            return None
        if node.inputs[1] not in stable or node.inputs[0] in stable or inputs[1].size < _SMALLEST:
            return None
        ops = candidate.prepack(node)
        if ops is None:
            return None
        pack, compute = ops
        packed = pack(inputs[1])
        new = Node(compute, (inputs[0], packed, *inputs[2:]), node.output_specs, node.scope)
        for n in (packed.node, new):
            n.scope = node.scope
            n.choice = choose(n)
        return new.outputs

    return rewrite(graph, rule)
