"""Pass: zeros around an image become padding of the convolution that reads it.

Kernels treat what lies outside of an image as zeros anyway, so a ``ZeroPadding2D`` before a convolution needs no array
of its own, and neither do its gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pynn.graph.ir import Graph, Node, Value, rewrite
from pynn.ops.conv import Conv2d, Conv2dGradInput, Conv2dGradKernel, Padding
from pynn.ops.pad import Pad


def fold_padding(graph: Graph) -> Graph:
    """Let convolutions and their kernels' gradients read the image before ``Pad``, and the input's gradient give what
    is cut out of it."""
    return rewrite(graph, _rule) if any(isinstance(node.op, Pad) for node in graph.nodes) else graph


def _rule(node: Node, inputs: tuple[Value, ...]) -> Sequence[Value] | None:
    op, before = node.op, inputs[0].node if inputs else None
    if before is None:
        return None
    if isinstance(op, Conv2d | Conv2dGradKernel) and isinstance(before.op, Pad):
        zeros = _border(before.op, 1)
        if zeros is not None:
            return (replace(op, padding=_together(op.padding, zeros))(before.inputs[0], *inputs[1:]),)
    if isinstance(op, Pad) and isinstance(before.op, Conv2dGradInput):
        cut = _border(op, -1)
        if cut is not None:
            inner = replace(before.op, padding=_together(before.op.padding, cut), input_shape=node.outputs[0].shape)
            return (inner(*before.inputs),)
    return None


def _border(pad: Pad, sign: int) -> Padding | None:
    """Rows and columns that it adds (``sign`` 1) or cuts off (-1) around images; None if it does anything else."""
    if len(pad.before) != 4 or any((pad.before[0], pad.before[3], pad.after[0], pad.after[3])):
        return None
    rows, columns = ((sign * pad.before[d], sign * pad.after[d]) for d in (1, 2))
    return (rows, columns) if min(*rows, *columns) >= 0 else None


def _together(a: Padding, b: Padding) -> Padding:
    (top, bottom), (left, right) = b
    return (a[0][0] + top, a[0][1] + bottom), (a[1][0] + left, a[1][1] + right)
