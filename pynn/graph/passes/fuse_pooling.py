"""Pass: the gradient of a max-pooling is not spread out where what reads it can take it as it is.

``MaxPool2dGrad`` writes an array as large as the pooling's input, mostly zeros.  Its sum over the positions is the sum
of what went in, and the gradients of a small convolution below need one term for each window only.  Where a convolution
of one channel can be pooled while its results are in registers, the pooling's input is not written either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pynn.graph.ir import Graph, Node, Value, rewrite
from pynn.graph.passes.fuse_epilogues import bias_of
from pynn.ops.activations import Relu
from pynn.ops.conv import Conv2d, Conv2dGradInput, Conv2dGradKernel, Convolution
from pynn.ops.elementwise import Add
from pynn.ops.pool import MaxPool2d, MaxPool2dGrad
from pynn.ops.pooled_conv import (
    PooledConv2d,
    PooledConv2dGradInput,
    PooledConv2dGradKernel,
    PooledConv2dGradKernelOfWinners,
    pools_in_registers,
    profits,
)
from pynn.ops.reduce import Sum


def fuse_pooling(graph: Graph) -> Graph:
    """Let sums and convolution gradients read the gradient before the pooling's, and pool in registers."""
    if not any(isinstance(node.op, MaxPool2d) for node in graph.nodes):
        return graph
    return _pool_in_registers(rewrite(graph, _rule))


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


@dataclass
class _Pooled:
    """``convolution -> [+ bias] -> [ReLU] -> pooling``, and the kernel's gradients above it."""

    conv: Node
    bias: Value | None
    activation: str
    gradients: list[Node]
    operands: tuple[Value, ...] = ()  # the image and the kernel, as the pass has made them
    winners: Value | None = None


def _pool_in_registers(graph: Graph) -> Graph:
    users = graph.users()
    results = {id(v) for v in graph.results}
    pooled = {id(node): found for node in graph.nodes if (found := _match(node, users, results))}
    if not pooled:
        return graph
    of_conv = {id(found.conv): found for found in pooled.values()}
    of_gradient = {id(node): found for found in pooled.values() for node in found.gradients}

    def rule(node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
        if found := of_conv.get(id(node)):
            found.operands = inputs
        if found := pooled.get(id(node)):
            pooling, conv = node.op, found.conv.op
            assert isinstance(pooling, MaxPool2d)
            assert isinstance(conv, Conv2d)
            geometry = (conv.padding, pooling.pool, pooling.strides, pooling.padding)
            bias = () if found.bias is None else (found.bias,)
            y, found.winners = PooledConv2d(*geometry, found.activation)(*found.operands, *bias)
            return (y,)
        if found := of_gradient.get(id(node)):
            gradient, op = inputs[1].node, node.op
            assert gradient is not None
            assert found.winners is not None
            assert isinstance(op, Conv2dGradKernel)
            pooling = gradient.op
            assert isinstance(pooling, MaxPool2dGrad)
            geometry = (op.padding, pooling.pool, pooling.strides, pooling.padding)
            new = PooledConv2dGradKernelOfWinners(*geometry, kernel_shape=op.kernel_shape)
            return (new(inputs[0], gradient.inputs[0], found.winners),)
        return None

    return rewrite(graph, rule)


def _match(pooling: Node, users: dict[int, list[Node]], results: set[int]) -> _Pooled | None:
    """What ``pooling`` pools, if all of it can be one op: nothing else may read the values in between, and of the
    pooling's input only the kernel's gradient may know."""
    if not isinstance(pooling.op, MaxPool2d):
        return None
    y = pooling.inputs[0]
    chain, bias, activation = [y], None, "linear"
    if isinstance(y.op, Relu):
        assert y.node is not None
        activation = "relu"
        chain.append(y.node.inputs[0])
    if isinstance(chain[-1].op, Add):
        add = chain[-1].node
        assert add is not None
        product = next((v for v in add.inputs if isinstance(v.op, Conv2d)), None)
        bias = bias_of(add, product) if product is not None else None
        if product is None or bias is None:
            return None
        chain.append(product)
    conv = chain[-1].node
    if conv is None or not isinstance(conv.op, Conv2d) or not _is_plain(conv.op) or len(conv.inputs) != 2:
        return None
    x, w = conv.inputs
    if not pools_in_registers(w.shape, pooling.op):
        return None
    if any(id(v) in results for v in chain) or any(len(users[id(v)]) > 1 for v in chain[1:]):
        return None
    gradients: list[Node] = []
    for node in users[id(y)]:
        if node is pooling:
            continue
        if not isinstance(node.op, MaxPool2dGrad) or node.inputs[1:] != (y, pooling.outputs[0]):
            return None
        gradients += users.get(id(node.outputs[0]), [])
        if id(node.outputs[0]) in results:
            return None
    for node in gradients:
        op = node.op
        if not isinstance(op, Conv2dGradKernel) or node.inputs[0] is not x or op.padding != conv.op.padding:
            return None
    return _Pooled(conv, bias, activation, gradients)
