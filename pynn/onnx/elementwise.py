"""Translations of ops that work by element."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn.graph.ir import Node
from pynn.onnx.arrays import Array, Arrays
from pynn.onnx.registry import translates

#: Ops that have one of ONNX's by another name.
_SAME = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "negative": "Neg", "maximum": "Max",
    "minimum": "Min", "power": "Pow", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "abs": "Abs", "sign": "Sign",
    "floor": "Floor", "sin": "Sin", "cos": "Cos", "tan": "Tan", "arcsin": "Asin", "arccos": "Acos", "arctan": "Atan",
    "sinh": "Sinh", "cosh": "Cosh", "arcsinh": "Asinh", "arccosh": "Acosh", "arctanh": "Atanh", "rint": "Round",
    "sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu", "softplus": "Softplus", "erf": "Erf",
}  # fmt: skip
#: Comparisons, which give bool in ONNX.
_COMPARISONS = {
    "equal": "Equal",
    "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
    "less": "Less",
    "less_equal": "LessOrEqual",
    "not_equal": "Equal",
}


@translates(*_SAME)
def same(arrays: Arrays, node: Node) -> None:
    op = _SAME[node.op.name]
    _simple(arrays, node, lambda names: str(arrays.writer.node(op, names)))


def _simple(arrays: Arrays, node: Node, write: Callable[[list[str]], str]) -> Array:
    out = arrays.by_element(_inputs(arrays, node), arrays.traced.dims(node.outputs[0]), node.outputs[0].dtype, write)
    arrays.put(node.outputs[0], out)
    return out


def _inputs(arrays: Arrays, node: Node) -> list[Array]:
    return [arrays.of(v) for v in node.inputs]


def _number(arrays: Arrays, number: float, dtype: str = "float32") -> str:
    return arrays.writer.initializer(np.array(number, dtype))


def _chain(arrays: Arrays, node: Node, *steps: tuple[str, Any]) -> None:
    """Ops of one input one after the other, each with a number for its second input, or None."""

    def write(names: list[str]) -> str:
        name = names[0]
        for op, number in steps:
            name = arrays.writer.node(op, [name] if number is None else [name, _number(arrays, number)])
        return name

    _simple(arrays, node, write)


@translates("relu6")
def relu6(arrays: Arrays, node: Node) -> None:
    _simple(arrays, node, lambda n: str(arrays.writer.node("Clip", [n[0], _number(arrays, 0.0), _number(arrays, 6.0)])))


@translates("leaky_relu")
def leaky_relu(arrays: Arrays, node: Node) -> None:
    slope = node.op.attributes()["negative_slope"]
    _simple(arrays, node, lambda n: str(arrays.writer.node("LeakyRelu", n, alpha=float(slope))))


@translates("elu")
def elu(arrays: Arrays, node: Node) -> None:
    alpha = node.op.attributes()["alpha"]
    _simple(arrays, node, lambda n: str(arrays.writer.node("Elu", n, alpha=float(alpha))))


@translates("rsqrt")
def rsqrt(arrays: Arrays, node: Node) -> None:
    _chain(arrays, node, ("Sqrt", None), ("Reciprocal", None))


@translates("square")
def square(arrays: Arrays, node: Node) -> None:
    _simple(arrays, node, lambda n: str(arrays.writer.node("Mul", [n[0], n[0]])))


@translates("log1p")
def log1p(arrays: Arrays, node: Node) -> None:
    _chain(arrays, node, ("Add", 1.0), ("Log", None))


@translates("expm1")
def expm1(arrays: Arrays, node: Node) -> None:
    _chain(arrays, node, ("Exp", None), ("Sub", 1.0))


@translates("log2")
def log2(arrays: Arrays, node: Node) -> None:
    _chain(arrays, node, ("Log", None), ("Mul", 1 / np.log(2.0)))


@translates("log10")
def log10(arrays: Arrays, node: Node) -> None:
    _chain(arrays, node, ("Log", None), ("Mul", 1 / np.log(10.0)))


@translates("exp2")
def exp2(arrays: Arrays, node: Node) -> None:
    _chain(arrays, node, ("Mul", np.log(2.0)), ("Exp", None))


@translates("fmod")
def fmod(arrays: Arrays, node: Node) -> None:
    _simple(arrays, node, lambda n: str(arrays.writer.node("Mod", n, fmod=1)))


@translates("mod", "floor_divide")
def floored(arrays: Arrays, node: Node) -> None:
    """ONNX's division cuts off, Python's goes down; of whole numbers ONNX's Mod has the sign of Python's."""
    add, whole, wanted = arrays.writer.node, node.outputs[0].dtype.startswith("int"), node.op.name

    def write(n: list[str]) -> str:
        if whole:
            rest = add("Mod", n)
            return str(rest if wanted == "mod" else add("Div", [add("Sub", [n[0], rest]), n[1]]))
        down = add("Floor", [add("Div", n)])
        return str(down if wanted == "floor_divide" else add("Sub", [n[0], add("Mul", [down, n[1]])]))

    _simple(arrays, node, write)


@translates("arctan2")
def arctan2(arrays: Arrays, node: Node) -> None:
    """``atan(y / x)``, half a turn further to where ``x`` is negative; ``sign(y) pi / 2`` at ``x = 0``."""
    add = arrays.writer.node

    def write(n: list[str]) -> str:
        y, x = n
        zero, turn = _number(arrays, 0.0), _number(arrays, np.pi)
        side = add("Where", [add("Less", [y, zero]), _number(arrays, -np.pi), turn])
        behind = add("Where", [add("Less", [x, zero]), side, zero])
        slope = add("Add", [add("Atan", [add("Div", [y, x])]), behind])
        up = add("Mul", [add("Sign", [y]), _number(arrays, np.pi / 2)])
        return str(add("Where", [add("Equal", [x, zero]), up, slope]))

    _simple(arrays, node, write)


@translates("step")
def step(arrays: Arrays, node: Node) -> None:
    _truth(arrays, node, lambda n: str(arrays.writer.node("Greater", [n[0], _number(arrays, 0, node.inputs[0].dtype)])))


@translates("is_nan")
def is_nan(arrays: Arrays, node: Node) -> None:
    _truth(arrays, node, lambda n: str(arrays.writer.node("IsNaN", n)))


@translates(*_COMPARISONS)
def comparison(arrays: Arrays, node: Node) -> None:
    def write(names: list[str]) -> str:
        name = arrays.writer.node(_COMPARISONS[node.op.name], names)
        return str(arrays.writer.node("Not", [name]) if node.op.name == "not_equal" else name)

    _truth(arrays, node, write)


def _truth(arrays: Arrays, node: Node, write: Callable[[list[str]], str]) -> None:
    """A comparison: truth values, and what ``pynn`` makes of them, numbers 0 and 1."""
    out = node.outputs[0]
    truth = arrays.by_element(_inputs(arrays, node), arrays.traced.dims(out), "bool", write)
    numbers = cast_to(arrays, truth, out.dtype)
    numbers.truth = truth
    arrays.put(out, numbers)


def cast_to(arrays: Arrays, array: Array, dtype: str) -> Array:
    """The array as another dtype, in whichever form it is there."""
    if array.dtype == dtype:
        return array
    if array.constant is not None and array.other is None:
        return arrays.constant(array.constant.astype(dtype), array.label)
    to = arrays.writer.type_of(dtype)
    if array.spread is not None and not array.forms:
        out = Array(array.shape, dtype)
        out.spread = cast_to(arrays, array.spread, dtype)
        return out
    return arrays.by_element([array], array.shape, dtype, lambda n: str(arrays.writer.node("Cast", n, to=to)))


def as_truth(arrays: Arrays, array: Array) -> Array:
    """The array as bool."""
    if array.truth is not None:
        return array.truth
    if array.spread is not None and array.spread.truth is not None:
        out = Array(array.shape, "bool")
        out.spread = array.spread.truth
        return out
    return cast_to(arrays, array, "bool")


@translates("cast")
def cast(arrays: Arrays, node: Node) -> None:
    x, dtype = arrays.of(node.inputs[0]), node.outputs[0].dtype
    out = as_truth(arrays, x) if dtype == "bool" else cast_to(arrays, x, dtype)
    if x.dtype == "bool" and out is not x:
        out.truth = x
    arrays.put(node.outputs[0], out)


@translates("select")
def select(arrays: Arrays, node: Node) -> None:
    condition, a, b = _inputs(arrays, node)
    operands: Sequence[Array] = (as_truth(arrays, condition), a, b)
    out = node.outputs[0]
    arrays.put(
        out,
        arrays.by_element(operands, arrays.traced.dims(out), out.dtype, lambda n: str(arrays.writer.node("Where", n))),
    )
