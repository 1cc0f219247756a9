"""Pass: batch normalization with given statistics goes into the kernel and the bias of the product before it.

``gamma * (x w + b - mean) / sqrt(variance + epsilon) + beta`` is ``x (w * scale) + ((b - mean) * scale + beta)`` with
``scale = gamma / sqrt(variance + epsilon)`` for each channel.  Where no product comes before, what is left is one
multiplication and one addition that join the element-wise ops around them.  Only for statistics that stay the same
from run to run; the new kernel is then computed once (see ``prepare``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pynn.graph.ir import Graph, Node, Value, rewrite
from pynn.graph.passes.stable import StableValues
from pynn.graph.trace import Trace
from pynn.ops.elementwise import Add, Sqrt
from pynn.ops.normalization import BatchNormInference
from pynn.ops.shape import BroadcastTo, Reshape


def fold_batch_norm(graph: Graph) -> Graph:
    """Fold every ``product -> [+ bias] -> BatchNormInference`` whose weights and statistics are stable."""
    if not any(isinstance(node.op, BatchNormInference) for node in graph.nodes):
        return graph
    stable, users = StableValues(graph), graph.users()
    results = {id(v) for v in graph.results}

    def read_once(v: Value) -> bool:
        return len(users.get(id(v), [])) == 1 and id(v) not in results

    def rule(node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
        if not isinstance(node.op, BatchNormInference) or not all(v in stable for v in node.inputs[1:]):
            return None
        x, gamma, beta, mean, variance = inputs
        scale = gamma / Sqrt()(variance + node.op.epsilon)
        product, bias = _product_before(node.inputs[0], read_once)
        if product is None or product.inputs[1] not in stable or (bias is not None and bias not in stable):
            y = x * _rows(scale, x) + _rows(beta - mean * scale, x)
        else:
            # Nothing else reads the product, so its inputs are those of the copy that `x` comes from.
            copy = x.node if bias is None else _other(x.node, bias).node
            assert copy is not None
            data, kernel = copy.inputs
            shift = beta - mean * scale if bias is None else (bias - mean) * scale + beta
            shape = copy.op.channel_shape(kernel.spec)
            assert shape is not None
            folded = copy.op(data, kernel * BroadcastTo(kernel.shape)(Reshape(shape)(scale)))
            assert folded.node is not None
            folded.node.scope = copy.scope
            y = folded + _rows(shift, folded)
        assert y.node is not None
        y.node.scope = node.scope
        return (y,)

    with Trace():  # the arithmetic on values needs one for its constants
        return rewrite(graph, rule)


def _product_before(x: Value, read_once: Callable[[Value], bool]) -> tuple[Node | None, Value | None]:
    """The product that ``x`` is the only use of, and the bias vector added in between, if any."""
    bias = None
    node = x.node
    if node is not None and isinstance(node.op, Add) and read_once(x):
        for v in node.inputs:
            if isinstance(v.op, BroadcastTo) and v.node is not None and v.node.inputs[0].shape == x.shape[-1:]:
                bias = v.node.inputs[0]
                x = node.inputs[1] if v is node.inputs[0] else node.inputs[0]
                node = x.node
                break
    if node is None or not read_once(x) or len(node.inputs) != 2:
        return None, None
    if node.op.channel_shape(node.inputs[1].spec) is None or getattr(node.op, "activation", "linear") != "linear":
        return None, None
    return node, bias


def _other(add: Node | None, bias: Value) -> Value:
    """What ``add`` adds the broadcast of ``bias`` to."""
    assert add is not None
    a, b = add.inputs
    return a if b.node is not None and isinstance(b.op, BroadcastTo) and b.node.inputs[0] is bias else b


def _rows(vector: Value, like: Value) -> Value:
    return BroadcastTo(like.shape)(vector)
