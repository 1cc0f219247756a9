"""Rows of a table by their numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynn.errors import ArgumentError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.trace import as_value
from pynn.ops.shape import cast, reshape, transpose


class TakeRows(Op):
    """``y[i] = x[numbers[i]]``: x ``[rows, ...]``, numbers int32 of any shape; y ``[*numbers.shape, ...]``.

    A number below zero counts from the end.  Where a number is outside of ``-rows .. rows - 1`` the result is NaN; of
    whole numbers the smallest, of those without a sign the largest, of truth values True: what JAX fills in.
    """

    def infer(self, *specs: Spec) -> Spec:
        x, numbers = specs
        self.require(len(x.shape) >= 1 and x.shape[0] > 0, "a table with at least one row", *specs)
        self.require(numbers.dtype == "int32", "int32 row numbers", *specs)
        return x.with_shape((*numbers.shape, *x.shape[1:]))

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        x, numbers = inputs
        return AddRows(x.shape[0])(g, numbers), None

    def params(self, node: Node) -> dict[str, Any]:
        return _table(node.inputs[0].shape)

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("take_rows", self.params, declines=_declines),)


@dataclass(frozen=True)
class AddRows(Op):
    """A table of ``rows`` zero rows to which row ``numbers[i]`` has ``g[i]`` added, for all i in their order.

    g ``[*numbers.shape, ...]``; the result is ``[rows, ...]``.  It is the gradient of :class:`TakeRows`: a number
    below zero counts from the end, one that is outside of the table is left out.
    """

    rows: int

    def infer(self, *specs: Spec) -> Spec:
        g, numbers = specs
        rank = len(numbers.shape)
        self.require(numbers.dtype == "int32", "int32 row numbers", *specs)
        self.require(g.shape[:rank] == numbers.shape, "one row for each number", *specs)
        return g.with_shape((self.rows, *g.shape[rank:]))

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        # A row that was left out has no influence on the table, so its gradient is 0, not TakeRows's NaN; that
        # case needs numbers from outside the table, whose results are NaN anyway.
        return TakeRows()(g, inputs[1]), None

    def params(self, node: Node) -> dict[str, Any]:
        return _table(node.outputs[0].shape)

    def flops(self, node: Node) -> int:
        return node.inputs[0].size

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("add_rows", self.params, declines=_declines),)


def _declines(node: Node) -> str | None:
    return None if node.inputs[0].dtype == "float32" else "it takes rows of float32"


def _table(shape: tuple[int, ...]) -> dict[str, Any]:
    return {"rows": shape[0], "inner": math.prod(shape[1:])}


def take(x: Any, indices: Any, axis: int | None = None) -> Value:
    """Elements of ``x`` along ``axis`` at ``indices``, as :func:`numpy.take`; of the flat ``x`` if there is no axis.

    Args:
        x: any array.
        indices: whole numbers of any shape and dtype; those below zero count from the end.  Where one is out of
            range the result is NaN (as in Keras on JAX), and no gradient flows there.
        axis: the axis that ``indices`` counts along; the first is fastest, for others ``x`` is transposed.

    Returns:
        ``x.shape`` with ``indices.shape`` in the place of ``axis``.

    Raises:
        ArgumentError: ``x`` has no such axis.

    Example:
        >>> from pynn import ops
        >>> ops.take([10, 20, 30], [2, 0])
        array([30, 10], dtype=int32)
    """
    x, numbers = as_value(x), cast(as_value(indices), "int32")
    if axis is None:
        return TakeRows()(reshape(x, (x.size,)), numbers)
    if isinstance(axis, bool) or not isinstance(axis, int) or not -x.ndim <= axis < x.ndim:
        raise ArgumentError(f"take: axis must be an integer from {-x.ndim} to {x.ndim - 1} for {x.spec}, not {axis!r}")
    axis %= x.ndim
    if axis == 0:
        return TakeRows()(x, numbers)
    others = [i for i in range(x.ndim) if i != axis]
    y = TakeRows()(transpose(x, [axis, *others]), numbers)  # (*indices, *others)
    rank = numbers.ndim
    before = [rank + i for i in range(axis)]
    return transpose(y, [*before, *range(rank), *range(rank + axis, y.ndim)])
