"""Reverse-mode differentiation: new nodes that compute gradients, from each op's own rule."""

from __future__ import annotations

from collections.abc import Collection, Sequence

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
    found = backward(toposort([y]), [(y, g)], wrt)
    return [ops.zeros_like(x) if gx is None else gx for x, gx in zip(wrt, found, strict=True)]


def backward(
    nodes: Sequence[Node],
    targets: Sequence[tuple[Value, Value]],
    wrt: Sequence[Value],
    barrier: Collection[int] = frozenset(),
) -> list[Value | None]:
    """The sum of all targets' gradients with respect to each of ``wrt``; None where no path leads through ``nodes``.

    Args:
        nodes: those to go through, each after the nodes it reads.
        targets: each value to differentiate with the gradient that arrives there.
        wrt: values the targets may depend on.
        barrier: ids of values whose gradient is not passed on to what they were computed from.
    """
    from pynn import ops

    depends = _depends_on(nodes, wrt, barrier)
    grads: dict[int, Value] = {}
    for y, g in targets:
        grads[id(y)] = ops.add(grads[id(y)], g) if id(y) in grads else g
    for node in reversed(nodes):
        if id(node) not in depends:
            continue
        outs = node.outputs
        incoming = tuple(None if id(v) in barrier else grads.get(id(v)) for v in outs)
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
    return [grads.get(id(x)) for x in wrt]


def _depends_on(nodes: Sequence[Node], wrt: Sequence[Value], barrier: Collection[int]) -> set[int]:
    """Ids of the nodes that depend on ``wrt``: only they need their gradient rule."""
    reached = {id(v) for v in wrt}
    found: set[int] = set()
    for node in nodes:
        if any(id(v) in reached for v in node.inputs):
            found.add(id(node))
            reached.update(id(v) for v in node.outputs if id(v) not in barrier)
    return found
