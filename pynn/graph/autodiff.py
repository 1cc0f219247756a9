"""Reverse-mode differentiation: new nodes that compute gradients, from each op's own rule."""

from __future__ import annotations

from collections.abc import Sequence

from pynn.errors import GraphError
from pynn.graph import trace
from pynn.graph.ir import Node, Value, toposort


def gradients(y: Value, wrt: Sequence[Value], g: Value | None = None) -> list[Value]:
    """Gradients of ``y`` with respect to each of ``wrt`` (leaves or intermediate values).

    Args:
        y: the value to differentiate; a scalar unless ``g`` is given.
        wrt: values ``y`` may depend on; zeros come back for one it does not depend on.
        g: the gradient that arrives at ``y``, of ``y``'s shape; 1 by default.
    """
    from pynn import ops

    if g is None:
        if y.shape != ():
            raise GraphError(f"gradients: y must be a scalar, received {y.spec}; give g or reduce it first")
        g = trace.current().constant(1.0, y.dtype)
    depends = _depends_on(y, wrt)
    grads: dict[int, Value] = {id(y): g}
    for node in reversed(toposort([y])):
        if id(node) not in depends:
            continue
        outs = node.outputs
        incoming = tuple(grads.get(id(v)) for v in outs)
        if all(gv is None for gv in incoming):
            continue
        # The backward ops belong to the layer whose forward op they differentiate.
        with trace.scope(f"grad({node.scope})" if node.scope else "grad"):
            single = len(outs) == 1
            found = node.op.vjp(incoming[0] if single else incoming, outs[0] if single else outs, *node.inputs)
            if len(found) != len(node.inputs):
                raise GraphError(f"op '{node.op.name}': vjp gave {len(found)} gradients for {len(node.inputs)} inputs")
            for x, gx in zip(node.inputs, found, strict=True):
                if gx is None:
                    continue
                if gx.shape != x.shape:
                    raise GraphError(
                        f"op '{node.op.name}': vjp gave a gradient of shape {gx.shape} for an input of {x.spec}"
                    )
                grads[id(x)] = ops.add(grads[id(x)], gx) if id(x) in grads else gx
    return [grads[id(x)] if id(x) in grads else ops.zeros_like(x) for x in wrt]


def _depends_on(y: Value, wrt: Sequence[Value]) -> set[int]:
    """Ids of the nodes between ``wrt`` and ``y``: only they need their gradient rule."""
    targets = {id(v) for v in wrt}
    nodes: set[int] = set()

    def reaches(node: Node) -> bool:
        return any(id(v) in targets or (v.node is not None and id(v.node) in nodes) for v in node.inputs)

    for node in toposort([y]):
        if reaches(node):
            nodes.add(id(node))
    return nodes
