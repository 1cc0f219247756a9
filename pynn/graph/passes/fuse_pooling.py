"""Pass: the gradient of a max-pooling is not spread out where what reads it can take it as it is.

``MaxPool2dGrad`` writes an array as large as the pooling's input, mostly zeros.  Its sum over the positions is the sum
of what went in, and the gradients of a small convolution below need one term for each window only.
"""

from __future__ import annotations

from collections.abc import Sequence

from pynn.graph.ir import Graph, Node, Value, rewrite
from pynn.ops.conv import Conv2dGradInput, Conv2dGradKernel, Convolution
from pynn.ops.pool import MaxPool2dGrad
from pynn.ops.pooled_conv import PooledConv2dGradInput, PooledConv2dGradKernel, profits
from pynn.ops.reduce import Sum


def fuse_pooling(graph: Graph) -> Graph:
    """Let sums and convolution gradients read the gradient before the pooling's."""
    if not any(isinstance(node.op, MaxPool2dGrad) for node in graph.nodes):
        return graph
    return rewrite(graph, _rule)


def _rule(node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
    op = node.op
    if isinstance(op, Sum) and (op.axis, op.count) == (0, 3) and isinstance(inputs[0].op, MaxPool2dGrad):
        assert inputs[0].node is not None
        return (op(inputs[0].node.inputs[0]),)
    if not isinstance(op, Conv2dGradInput | Conv2dGradKernel):
        return None
    kernel = isinstance(op, Conv2dGradKernel)
    spread = inputs[1] if kernel else inputs[0]
    shape = op.kernel_shape if isinstance(op, Conv2dGradKernel) else inputs[1].shape
    if not isinstance(spread.op, MaxPool2dGrad) or not _is_plain(op) or not profits(shape):
        return None
    assert spread.node is not None
    pooling = spread.op
    geometry = (op.padding, pooling.pool, pooling.strides, pooling.padding)
    if isinstance(op, Conv2dGradKernel):
        return (PooledConv2dGradKernel(*geometry, kernel_shape=shape)(inputs[0], *spread.node.inputs),)
    return (PooledConv2dGradInput(*geometry, input_shape=op.input_shape)(*spread.node.inputs, inputs[1]),)


def _is_plain(op: Convolution) -> bool:
    return op.strides == (1, 1) and op.dilation == (1, 1) and op.groups == 1
