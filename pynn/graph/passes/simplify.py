"""Pass: the same results with fewer nodes.

Folds constants, computes equal things once, and removes what does nothing (reshape to the same shape, adding zero,
multiplying by one, a transpose undone).  Nodes that nothing needs any more vanish by themselves: a graph holds only
what its results reach.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pynn.executor.reference import evaluate_node
from pynn.graph.ir import Graph, Node, Spec, Value, rewrite
from pynn.ops.activations import ReluGrad, SigmoidGrad, TanhGrad
from pynn.ops.comparison import is_truth
from pynn.ops.custom_gradient import CustomGradient
from pynn.ops.elementwise import Add, Divide, Multiply, Negative, Subtract
from pynn.ops.pool import MaxPool2dGrad
from pynn.ops.shape import BroadcastTo, Cast, Reshape, StopGradient, Transpose
from pynn.ops.softmax import Softmax, SoftmaxCrossentropy, SparseSoftmaxCrossentropy

#: Constants larger than this are not made at compile time: they would only take memory.
_FOLD_UP_TO = 4096


def simplify(graph: Graph) -> Graph:
    """Apply all rules until nothing changes."""
    while True:
        made: dict[tuple[object, ...], tuple[Value, ...]] = {}

        def rule(
            node: Node, inputs: tuple[Value, ...], made: dict[tuple[object, ...], tuple[Value, ...]] = made
        ) -> Sequence[Value] | None:
            simpler = _fold(node, inputs) or _simpler(node, inputs)
            if simpler is not None:
                return simpler
            key = (node.op, *(id(v) for v in inputs))
            if key in made:
                return made[key]
            # Register what this node's copy will be: unchanged inputs keep the node itself.
            same = all(a is b for a, b in zip(inputs, node.inputs, strict=True))
            kept = node if same else Node(node.op, inputs, node.output_specs, node.scope)
            made[key] = kept.outputs
            if isinstance(node.op, (SoftmaxCrossentropy, SparseSoftmaxCrossentropy)):
                # It has the probabilities of its logits at hand: nobody needs to compute them again.
                made[Softmax(), id(inputs[0])] = (kept.outputs[1],)
            return None if same else kept.outputs

        new = rewrite(graph, rule)
        if len(new.nodes) == len(graph.nodes):
            return new
        graph = new


def _fold(node: Node, inputs: tuple[Value, ...]) -> tuple[Value, ...] | None:
    """Constants, for a node that reads nothing else."""
    if not inputs or isinstance(node.op, BroadcastTo) or node.op.collective:
        return None
    if any(v.size > _FOLD_UP_TO for v in node.outputs):
        return None
    # Broadcasts of constants count beside a constant; broadcasts alone stay what they are, a number to repeat.
    if not any(isinstance(v.source, np.ndarray) for v in inputs):
        return None
    arrays = [a for a in map(_constant_array, inputs) if a is not None]
    if len(arrays) < len(inputs):
        return None
    results = evaluate_node(node, arrays)
    return tuple(
        Value(Spec(v.shape, v.dtype), source=np.ascontiguousarray(r, v.dtype).reshape(v.shape), name=_constant_name(r))
        for v, r in zip(node.outputs, results, strict=True)
    )


def _constant_array(v: Value) -> np.ndarray | None:
    """The numbers of a constant or of the broadcast of one."""
    base = v.node.inputs[0] if v.node is not None and isinstance(v.node.op, BroadcastTo) else v
    return np.broadcast_to(base.source, v.shape) if isinstance(base.source, np.ndarray) else None


def _constant_name(array: np.ndarray) -> str:
    return f"{array.item():g}" if array.size == 1 else "const"


def constant_value(v: Value) -> float | None:
    """The number that ``v`` holds everywhere, if it is a constant or a broadcast one."""
    while v.node is not None and isinstance(v.node.op, (BroadcastTo, Reshape)):
        v = v.node.inputs[0]
    if isinstance(v.source, np.ndarray) and v.source.size == 1 and v.source.dtype.kind != "c":
        return float(v.source.reshape(()))
    return None


def _simpler(node: Node, inputs: tuple[Value, ...]) -> tuple[Value, ...] | None:
    op = node.op
    x = inputs[0] if inputs else None
    if isinstance(op, StopGradient | CustomGradient):  # all gradients are there by now
        return (inputs[0],)
    if isinstance(op, (Reshape, BroadcastTo)) and x is not None and x.shape == node.outputs[0].shape:
        return (x,)
    if isinstance(op, Reshape) and x is not None and isinstance(x.op, Reshape):
        assert x.node is not None
        return (op(x.node.inputs[0]),)
    if isinstance(op, BroadcastTo) and x is not None and isinstance(x.op, BroadcastTo):
        assert x.node is not None
        return (op(x.node.inputs[0]),)
    if isinstance(op, Reshape) and x is not None and isinstance(x.op, BroadcastTo):
        assert x.node is not None
        if x.node.inputs[0].shape == ():
            return (BroadcastTo(op.shape)(x.node.inputs[0]) if op.shape else x.node.inputs[0],)
    if isinstance(op, Transpose) and x is not None:
        if tuple(op.perm) == tuple(range(len(op.perm))):
            return (x,)
        if isinstance(x.op, Transpose):
            assert x.node is not None
            combined = tuple(x.op.perm[i] for i in op.perm)
            return (Transpose(combined)(x.node.inputs[0]),)
    if isinstance(op, Negative) and isinstance(inputs[0].op, Negative):
        assert inputs[0].node is not None
        return (inputs[0].node.inputs[0],)
    if isinstance(op, ReluGrad | TanhGrad | SigmoidGrad) and isinstance(inputs[0].op, MaxPool2dGrad):
        # The gradient of a maximum goes to where the maximum is, so the activation's slope there can be multiplied in
        # before it is spread out, on the smaller array: the position gets something only if x equals y there, and the
        # slope is a function of x.
        assert inputs[0].node is not None
        g, x_pooled, y = inputs[0].node.inputs
        if x_pooled is inputs[1]:
            return (inputs[0].op(op(g, y), x_pooled, y),)
    if isinstance(op, Cast) and x is not None and x.dtype == "bool":
        numbers = _numbers_behind(x, op.dtype)
        return None if numbers is None else (numbers,)
    if isinstance(op, (Add, Subtract, Multiply, Divide)):
        return _simpler_arithmetic(node, *inputs)
    return None


def _numbers_behind(v: Value, dtype: str) -> Value | None:
    """The zeros and ones that the truth values ``v`` were made of, if they have this dtype: no need to go there and
    back.  Looks through changes of shape."""
    if v.node is None:
        return None
    x = v.node.inputs[0]
    if isinstance(v.op, Cast):
        return x if x.dtype == dtype and is_truth(x) else None
    if isinstance(v.op, (Reshape, BroadcastTo, Transpose)):
        numbers = _numbers_behind(x, dtype)
        return None if numbers is None else v.op(numbers)
    return None


def _simpler_arithmetic(node: Node, a: Value, b: Value) -> tuple[Value, ...] | None:
    left, right = constant_value(a), constant_value(b)
    if isinstance(node.op, (Add, Subtract)) and right == 0:
        return (a,)
    if isinstance(node.op, Add) and left == 0:
        return (b,)
    if isinstance(node.op, (Multiply, Divide)) and right == 1:
        return (a,)
    if isinstance(node.op, Multiply) and left == 1:
        return (b,)
    # Two constants: one broadcast of their result.  (0 * x stays: it is NaN where x is.)
    if left is not None and right is not None:
        spec = node.outputs[0].spec
        scalar = Value(Spec((), spec.dtype), source=np.asarray(left, spec.dtype), name=f"{left:g}")
        other = Value(Spec((), spec.dtype), source=np.asarray(right, spec.dtype), name=f"{right:g}")
        folded = _fold(*_scalar_node(node, scalar, other))
        assert folded is not None
        return (BroadcastTo(spec.shape)(folded[0]),) if spec.shape else folded
    return None


def _scalar_node(node: Node, a: Value, b: Value) -> tuple[Node, tuple[Value, ...]]:
    inputs = (a, b)
    return Node(node.op, inputs, (Spec((), node.outputs[0].dtype),), node.scope), inputs
