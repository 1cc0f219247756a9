"""Ops that cut arrays, put zeros around them and join them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.symbolic import with_plain
from pynn.graph.trace import as_value

MAX_RANK = 8  # of the kernel


@dataclass(frozen=True)
class Pad(Op):
    """``x`` with ``before`` and ``after`` zeros along each axis; where a number is negative, so many are cut off."""

    before: tuple[int, ...]
    after: tuple[int, ...]

    def infer(self, *specs: Spec) -> Spec:
        x = specs[0]
        self.require(0 < len(self.before) == len(self.after) == len(x.shape), f"{len(self.before)} axes, at least 1", x)
        shape = [n + b + a for n, b, a in zip(x.shape, self.before, self.after, strict=True)]
        self.require(min(shape, default=1) > 0, f"something left after padding by {self.before}, {self.after}", x)
        return x.with_shape(shape)

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (Pad(tuple(-n for n in self.before), tuple(-n for n in self.after))(g),)

    def params(self, node: Node) -> dict[str, Any]:
        merged: list[list[int]] = []  # [size in, size out, before], axes that are whole merged into the one before
        shapes = zip(node.inputs[0].shape, node.outputs[0].shape, self.before, strict=True)
        for n, m, before in shapes:
            if merged and n == m and before == 0:
                merged[-1] = [size * n for size in merged[-1]]
            else:
                merged.append([n, m, before])
        sizes, padded, starts = zip(*merged, strict=True)
        return {"rank": len(sizes), "sizes": list(sizes), "padded": list(padded), "before": list(starts)}

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("pad", self.params, declines=_declines),)


@dataclass(frozen=True)
class Concatenate(Op):
    """The inputs one after the other along ``axis``."""

    axis: int

    def infer(self, *specs: Spec) -> Spec:
        first = specs[0]
        self.require(0 <= self.axis < len(first.shape), f"arrays with an axis {self.axis}", *specs)
        others = {(*s.shape[: self.axis], *s.shape[self.axis + 1 :]) for s in specs}
        same = len(others) == 1 and len({(len(s.shape), s.dtype) for s in specs}) == 1
        self.require(same, f"arrays of one dtype that differ along axis {self.axis} at most", *specs)
        total = sum(s.shape[self.axis] for s in specs)
        return first.with_shape((*first.shape[: self.axis], total, *first.shape[self.axis + 1 :]))

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        parts, start = [], 0
        for x in inputs:
            size = x.shape[self.axis]
            before, after = [0] * g.ndim, [0] * g.ndim
            before[self.axis], after[self.axis] = -start, start + size - g.shape[self.axis]
            parts.append(Pad(tuple(before), tuple(after))(g))
            start += size
        return parts

    def params(self, node: Node) -> dict[str, Any]:
        return {"outer": math.prod(node.outputs[0].shape[: self.axis])}

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("concatenate", self.params, declines=_declines),)


def _declines(node: Node) -> str | None:
    if np.dtype(node.inputs[0].dtype).itemsize != 4:
        return "it moves 4-byte elements"
    if len(node.outputs[0].shape) > MAX_RANK:
        return f"it takes at most {MAX_RANK} axes"
    return None


# ---- functions -----------------------------------------------------------------------------------------------------


@with_plain("pad_width")
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: float | None = None) -> Value:
    """``x`` with a border, as ``keras.ops.pad``.

    Args:
        x: any array.
        pad_width: ``((before, after), ...)`` for each axis, one such pair for all axes, or one number for all sides.
        mode: ``"constant"``, or what NumPy calls ``"reflect"``, ``"symmetric"``, ``"edge"``, ``"wrap"``: the border
            repeats numbers of ``x``.
        constant_values: what a constant border holds, 0 by default.

    Raises:
        ArgumentError: widths that do not fit the array, another mode, or values for a border that is not constant.

    Example:
        >>> from pynn import ops
        >>> ops.pad([1, 2, 3], 1, mode="reflect")
        array([2, 1, 2, 3, 2], dtype=int32)
    """
    x = as_value(x)
    if mode not in ("constant", *_REPEATING) or (mode != "constant" and constant_values is not None):
        raise ArgumentError(
            f"pad: mode must be one of constant, {', '.join(_REPEATING)}, and constant_values go with 'constant' "
            f"alone; received mode={mode!r}, constant_values={constant_values!r}"
        )
    try:
        if np.asarray(pad_width).dtype.kind not in "iu":
            raise ValueError
        widths = np.broadcast_to(np.asarray(pad_width, int), (x.ndim, 2)).tolist()
    except ValueError:
        raise ArgumentError(f"pad: pad_width {pad_width!r} does not fit {x.spec}: give a pair per axis") from None
    if any(n < 0 for pair in widths for n in pair):
        raise ArgumentError(f"pad: pad_width must not be negative, received {pad_width!r}")
    if mode != "constant":
        return _bordered(x, widths, mode)
    if constant_values in (None, 0):
        return _padded(x, [b for b, _ in widths], [a for _, a in widths])
    for axis, (before, after) in enumerate(widths):
        border = [(*x.shape[:axis], n, *x.shape[axis + 1 :]) for n in (before, after)]
        left, right = ([_filled(x, constant_values, shape)] if shape[axis] else [] for shape in border)
        x = concatenate([*left, x, *right], axis)
    return x


_REPEATING = ("reflect", "symmetric", "edge", "wrap")


def _filled(x: Value, number: Any, shape: Sequence[int]) -> Value:
    from pynn.ops.shape import broadcast_to, cast

    return broadcast_to(cast(as_value(number), x.dtype), shape)


def _bordered(x: Value, widths: Sequence[Sequence[int]], mode: Any) -> Value:
    """Each axis is taken at the positions that NumPy's rule gives for its numbers 0, 1, 2, ..."""
    from pynn.ops.embedding import take

    for axis, (before, after) in enumerate(widths):
        if before or after:
            x = take(x, np.pad(np.arange(x.shape[axis]), (before, after), mode), axis=axis)
    return x


def slice(inputs: Any, start_indices: Sequence[int], shape: Sequence[int]) -> Value:
    """The part of ``shape`` that begins at ``start_indices``, as ``keras.ops.slice``.

    A start that the program computes is moved inside where the part would stick out.

    Raises:
        ShapeError: it does not lie inside the array.

    Example:
        >>> from pynn import ops
        >>> ops.slice([1, 2, 3, 4], [1], [2])
        array([2, 3], dtype=int32)
    """
    x = as_value(inputs)
    if isinstance(start_indices, Value) or any(isinstance(i, Value) for i in start_indices):
        from pynn.ops.gather import taken_block

        return taken_block(x, start_indices, shape)
    start, size = [int(i) for i in start_indices], [int(n) for n in shape]
    inside = len(start) == len(size) == x.ndim and all(
        i >= 0 and n > 0 and i + n <= d for i, n, d in zip(start, size, x.shape, strict=True)
    )
    if not inside:
        raise ShapeError(f"slice: the part of shape {tuple(size)} from {tuple(start)} on is not inside {x.spec}")
    return _padded(x, [-i for i in start], [i + n - d for i, n, d in zip(start, size, x.shape, strict=True)])


def _padded(x: Value, before: Sequence[int], after: Sequence[int]) -> Value:
    return Pad(tuple(before), tuple(after))(x) if any(before) or any(after) else x


def concatenate(xs: Sequence[Any], axis: int = 0) -> Value:
    """The arrays one after the other along ``axis``, which may count from the end.

    Raises:
        ArgumentError: nothing to join, or no such axis.
        ShapeError: shapes that differ along other axes.

    Example:
        >>> from pynn import ops
        >>> ops.concatenate([[1, 2], [3]])
        array([1, 2, 3], dtype=int32)
    """
    from pynn.ops.operands import common_dtype
    from pynn.ops.shape import cast

    if len(xs) == 0:
        raise ArgumentError("concatenate: expected at least one array, received none")
    dtype = common_dtype(*xs)
    values = [cast(x, dtype) for x in xs]
    rank = values[0].ndim
    if not -rank <= axis < rank:
        raise ArgumentError(f"concatenate: axis {axis} is outside of {values[0].spec}")
    return values[0] if len(values) == 1 else Concatenate(axis % rank)(*values)
