"""Translations of LSTM and GRU.

``pynn`` multiplies the inputs of all steps by the kernel at once and hands the products to the op; ONNX's LSTM and GRU
do that themselves.  So the product that the op reads is looked for in the graph, and left out; where there is none of
that form, the kernel is the identity.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pynn.errors import ArgumentError
from pynn.graph.ir import Node, Value
from pynn.onnx.arrays import Array, Arrays, Perm
from pynn.onnx.elementwise import as_truth, cast_to
from pynn.onnx.products import _whole
from pynn.onnx.registry import translates

#: ONNX has the steps first.
_STEPS_FIRST: Perm = (1, 0, 2)
_END = np.iinfo("int64").min


@translates("lstm")
def lstm(arrays: Arrays, node: Node) -> None:
    op = node.op.attributes()
    z, recurrent, h0, c0, *mask = node.inputs
    bias = np.zeros(recurrent.shape[1], "float32")
    _run(arrays, node, "LSTM", "iofc", "ifco", (z, recurrent, bias), (h0, c0), mask, op["go_backwards"])


@translates("gru")
def gru(arrays: Arrays, node: Node) -> None:
    op = node.op.attributes()
    z, recurrent, bias, h0, *mask = node.inputs
    known = arrays.of(bias).source.constant
    if known is None:
        raise ArgumentError(f"export: layer '{node.scope}': the GRU's recurrent bias must be a weight or constant")
    full = np.broadcast_to(known, bias.shape).astype("float32")
    _run(arrays, node, "GRU", "zrh", "zrh", (z, recurrent, full), (h0,), mask, op["go_backwards"])


def _run(
    arrays: Arrays,
    node: Node,
    kind: str,
    order: str,
    own: str,
    products: tuple[Value, Value, np.ndarray],
    initial: Sequence[Value],
    mask: Sequence[Value],
    backwards: bool,
) -> None:
    """Adds the node.  ``own`` are the gates in pynn's order, ``order`` in ONNX's."""
    states = len(initial)
    if any(arrays.traced.is_read(v) for v in node.outputs[1 + states :]):
        raise ArgumentError(
            f"export: layer '{node.scope}' reads what op '{node.op.name}' keeps for its gradient, which ONNX has not; "
            "leave gradients out of the model's call"
        )
    write, numbers = arrays.writer.node, arrays.writer.numbers
    z, recurrent, recurrent_bias = products
    units = recurrent.shape[0]
    places = [own.index(gate) for gate in order]

    def by_gate(array: np.ndarray) -> np.ndarray:
        """The gates, last axis, in ONNX's order."""
        parts = np.split(array, len(own), axis=-1)
        return np.concatenate([parts[i] for i in places], axis=-1)

    x, kernel, bias, label = _product(arrays, z)
    recurrent_array = arrays.of(recurrent)
    if recurrent_array.constant is None:
        raise ArgumentError(f"export: layer '{node.scope}': the recurrent kernel must be a weight or constant")
    w = arrays.writer.initializer(by_gate(kernel).T[None], label)
    r = arrays.writer.initializer(by_gate(recurrent_array.constant).T[None], recurrent_array.label)
    b = arrays.writer.initializer(
        np.concatenate([by_gate(bias), by_gate(recurrent_bias)])[None], f"{label.rpartition('/')[0] or node.scope}/bias"
    )
    started = [_initial(arrays, v) for v in initial]
    source = arrays.get(x, _STEPS_FIRST)  # [steps, n, features]
    lengths = order_of_steps = ""
    turned = backwards and bool(mask)
    if mask:
        if turned:
            source = _reversed(arrays, source, 0)
        source, lengths, order_of_steps = _compacted(arrays, source, arrays.of(mask[0]), turned)
    direction = "reverse" if backwards and not mask else "forward"
    outputs = write(
        kind, [source, w, r, b, lengths, *started], 1 + states, hidden_size=units, direction=direction,
        **({"linear_before_reset": 1} if kind == "GRU" else {}),
    )  # fmt: skip
    sequence, *last = (
        write("Squeeze", [name, numbers([axis])]) for name, axis in zip(outputs, (1, 0, 0), strict=False)
    )
    if direction == "reverse":
        sequence = _reversed(arrays, sequence, 0)
    if mask:
        begin = started[0] or arrays.writer.initializer(np.zeros((1, 1, 1), "float32"))
        sequence = _spread_again(arrays, sequence, order_of_steps, begin)
        none = write("Equal", [_at_least_one(arrays, order_of_steps), arrays.writer.initializer(np.array(0, "int64"))])
        zero = arrays.writer.initializer(np.array(0, "float32"))
        last = [
            write("Where", [none, write("Squeeze", [s, numbers([0])]) if s else zero, name])
            for name, s in zip(last, started, strict=True)
        ]
    arrays.new(node.outputs[0], sequence, _STEPS_FIRST)
    for value, name in zip(node.outputs[1:], last, strict=False):
        arrays.new(value, name)


def _product(arrays: Arrays, z: Value) -> tuple[Array, np.ndarray, np.ndarray, str]:
    """``x, kernel, bias`` of which ``z = x kernel + bias``, and the kernel's name."""
    bias = np.zeros(z.shape[2], "float32")
    node = z.node
    while node is not None and node.op.name == "reshape":
        node = node.inputs[0].node
    if node is not None and node.op.name == "add":
        known = arrays.of(node.inputs[1]).source.constant
        inner = node.inputs[0].node
        while inner is not None and inner.op.name == "reshape":
            inner = inner.inputs[0].node
        if known is not None and known.size in (1, z.shape[2]):
            bias, node = np.broadcast_to(known.reshape(-1), bias.shape).astype("float32"), inner
    if (
        node is not None
        and node.op.name == "matmul"
        and not any(node.op.attributes()[t] for t in ("transpose_a", "transpose_b"))
    ):
        a, w = (arrays.of(v) for v in node.inputs)
        rows = a.rows
        if rows is not None and rows.shape[:2] == arrays.traced.dims(z)[:2] and w.constant is not None:
            return rows, w.constant, bias, w.label
    width = z.shape[2]
    scope = arrays.writer.scope
    return arrays.of(z), np.eye(width, dtype="float32"), np.zeros(width, "float32"), f"{scope}/identity"


def _initial(arrays: Arrays, value: Value) -> str:
    """An initial state ``[1, n, units]``; nothing where it is zero."""
    array = arrays.of(value)
    if array.source.constant is not None and not array.source.constant.any():
        return ""
    return str(arrays.writer.node("Unsqueeze", [arrays.get(_whole(arrays, array)), arrays.writer.numbers([0])]))


def _reversed(arrays: Arrays, name: str, axis: int) -> str:
    return str(arrays.writer.node("Slice", [name, *(arrays.writer.numbers([n]) for n in (-1, _END, axis, -1))]))


def _compacted(arrays: Arrays, source: str, mask: Array, turned: bool) -> tuple[str, str, str]:
    """ONNX's recurrences know lengths, no masks: the steps that count are moved to the front, in their order.

    Gives the sequence ``[steps, n, features]``, the lengths ``int32[n]``, and how many steps count up to each
    ``int64[steps, n]``.
    """
    write, numbers = arrays.writer.node, arrays.writer.numbers
    wide = cast_to(arrays, as_truth(arrays, mask), "int64")
    counts = arrays.get(wide, (1, 0))
    if turned:
        counts = _reversed(arrays, counts, 0)
    zero = arrays.writer.initializer(np.array(0, "int64"))
    total = write("ReduceSum", [counts, numbers([0])], keepdims=0)
    lengths = write(
        "Cast",
        [write("Max", [total, arrays.writer.initializer(np.array(1, "int64"))])],
        to=arrays.writer.type_of("int32"),
    )
    # Of equal numbers TopK takes the earlier first.
    _, first = write(
        "TopK",
        [write("Cast", [counts], to=arrays.writer.type_of("float32")), arrays.lengths(mask.shape[1:])],
        2,
        axis=0,
        largest=1,
        sorted=1,
    )
    places = write("Expand", [write("Unsqueeze", [first, numbers([2])]), write("Shape", [source])])
    moved = write("GatherElements", [source, places], axis=0)
    return moved, lengths, str(write("CumSum", [counts, zero]))


def _spread_again(arrays: Arrays, sequence: str, upto: str, begin: str) -> str:
    """The outputs back at their steps; a step that does not count repeats the one before, the first ones ``begin``."""
    write, numbers = arrays.writer.node, arrays.writer.numbers
    zero, one = (arrays.writer.initializer(np.array(n, "int64")) for n in (0, 1))
    places = write("Unsqueeze", [write("Max", [write("Sub", [upto, one]), zero]), numbers([2])])
    taken = write("GatherElements", [sequence, write("Expand", [places, write("Shape", [sequence])])], axis=0)
    before = write("Unsqueeze", [write("Equal", [upto, zero]), numbers([2])])
    return str(write("Where", [before, begin, taken]))


def _at_least_one(arrays: Arrays, upto: str) -> str:
    """How many steps of each row count, ``[n, 1]``."""
    end = arrays.writer.numbers([-1])
    last = arrays.writer.node("Gather", [upto, end], axis=0)  # [1, n]
    return str(arrays.writer.node("Transpose", [last], perm=[1, 0]))
