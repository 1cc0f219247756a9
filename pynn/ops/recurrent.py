"""Recurrent layers over whole sequences: LSTM and GRU as one op each, and the parts that others are unrolled with.

The input's part of all gates, for all steps at once, is a plain matrix product that the caller records; the ops here do
the rest, what one step needs of the step before.  ``z`` is ``[n, steps, gates * units]``, a recurrent kernel
``[units, gates * units]``, a state ``[n, units]``.

``go_backwards`` reads the sequence from its end.  What an op keeps for its gradient lies at the position of the
sequence it belongs to; ``sequence``, its result, is in the order of the steps, as in Keras.

With ``masked`` there is one more input behind the states, ``mask [n, steps]``, which gets no gradient: where it is 0
the states stay as they are, and the sequence repeats the output of the step before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pynn.errors import GraphError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.trace import as_value
from pynn.ops.matmul import Matmul
from pynn.ops.reduce import sum as reduce_sum
from pynn.ops.shape import reshape, zeros_like


@dataclass(frozen=True)
class _Recurrence(Op, abstract=True):
    """Base: sizes and checks."""

    go_backwards: bool = False

    gates: ClassVar[int] = 0

    def _sizes(self, z: Spec, recurrent: Spec, *states: Spec) -> tuple[int, int, int]:
        """``(n, steps, units)``, checked."""
        specs = z, recurrent, *states
        self.require_float(*specs)
        self.require(len(z.shape) == 3 and min(z.shape) > 0, "z of shape (n, steps, gates * units)", *specs)
        n, steps, width = z.shape
        units = width // self.gates
        self.require(recurrent.shape == (units, self.gates * units), f"a {self.gates}-gate recurrent kernel", *specs)
        self.require(all(s.shape == (n, units) for s in states), f"states of shape ({n}, {units})", *specs)
        return n, steps, units

    def _params(self, before: Value, arriving: Sequence[bool] = (False, False, False)) -> dict[str, Any]:
        """The kernel's fields; ``before`` is any ``[n, steps, units]``."""
        n, steps, units = before.shape
        return {
            "n": n,
            "steps": steps,
            "units": units,
            "backwards": self.go_backwards,
            "masked": False,
            **dict(zip(("g_sequence", "g_last_h", "g_last_c"), arriving, strict=True)),
        }

    def flops(self, node: Node) -> int:
        """The recurrent product of all steps; the gradient's, with the transposed kernel, is as large."""
        s = self.params(node)
        return 2 * s["n"] * s["steps"] * s["units"] * self.gates * s["units"]


@dataclass(frozen=True)
class _MaskedRecurrence(_Recurrence, abstract=True):
    """Base of those that may take a mask behind the states."""

    masked: bool = False

    def _split_mask(self, specs: Sequence[Spec], at: int) -> tuple[Spec, ...]:
        """``specs`` without the mask, which is number ``at``, checked."""
        self.require(len(specs) > at or not self.masked, "a mask", *specs)
        if not self.masked:
            return tuple(specs)
        mask, z = specs[at], specs[0]
        self.require(mask.is_float and mask.shape == z.shape[:2], "a float mask of shape (n, steps)", *specs)
        return (*specs[:at], *specs[at + 1 :])

    def _params(self, before: Value, arriving: Sequence[bool] = (False, False, False)) -> dict[str, Any]:
        return {**super()._params(before, arriving), "masked": self.masked}


def _recurrent_kernel_gradient(before: Value, d: Value) -> Value:
    """The sum over rows and steps of the state before times the gates' gradients."""
    rows = before.shape[0] * before.shape[1]
    return Matmul(transpose_a=True)(reshape(before, (rows, before.shape[2])), reshape(d, (rows, d.shape[2])))


def _only_results(name: str, g: Sequence[Value | None], results: int) -> list[Value]:
    """Those gradients that arrived; an error if one arrived at what is kept for the gradient."""
    if any(x is not None for x in g[results:]):
        raise GraphError(f"{name}: gradients flow through its first {results} outputs only; use stop_gradient")
    return [x for x in g[:results] if x is not None]


class Lstm(_MaskedRecurrence):
    """``(sequence, last_h, last_c, before, cells, gates)`` from z, the recurrent kernel R, h0 and c0.

    With z in four parts ``i f g o``, in each step: ``i, f, o = sigmoid(z + h R)``, ``g = tanh(z + h R)``,
    ``c = f * c + i * g``, ``h = o * tanh(c)`` (Hochreiter and Schmidhuber, 1997; Gers et al., 2000).
    ``sequence``, ``before`` (the state before each step) and ``cells`` are ``[n, steps, units]``.  The gates of a
    masked step are 0 1 0 0, from which its gradient's formula gives zeros for ``z``.
    """

    gates: ClassVar[int] = 4
    differentiable_outputs: ClassVar[tuple[int, ...]] = (0, 1, 2)

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        z, recurrent, h0, c0 = self._split_mask(specs, 4)
        n, steps, units = self._sizes(z, recurrent, h0, c0)
        sequence = z.with_shape((n, steps, units))
        return sequence, h0, c0, sequence, sequence, z

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        _, recurrent, _, c0, *mask = inputs
        arriving = _only_results(self.name, g, 3)
        op = LstmGrad(self.go_backwards, self.masked, g[0] is not None, g[1] is not None, g[2] is not None)
        dz, dh0, dc0 = op(y[5], y[4], c0, recurrent, *mask, *arriving)
        return dz, _recurrent_kernel_gradient(y[3], dz), dh0, dc0, *(None for _ in mask)

    def params(self, node: Node) -> dict[str, Any]:
        return self._params(node.outputs[3])

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("lstm", self.params, inplace=lambda node: {5: 0}),)


@dataclass(frozen=True)
class LstmGrad(_MaskedRecurrence):
    """Gradients ``(dz, dh0, dc0)`` of :class:`Lstm` from its gates and cells, c0, R, and the gradients that arrive.

    ``g_sequence``, ``g_last_h``, ``g_last_c`` say which of them are inputs, in this order.
    """

    g_sequence: bool = True
    g_last_h: bool = False
    g_last_c: bool = False

    gates: ClassVar[int] = 4

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        gates, cells, c0, recurrent, *g = self._split_mask(specs, 4)
        states = g[1:] if self.g_sequence else g
        self._sizes(gates, recurrent, c0, *states)
        self.require(not self.g_sequence or g[0] == cells, f"a gradient {cells} of the sequence", *specs)
        return gates, c0, c0

    def params(self, node: Node) -> dict[str, Any]:
        return self._params(node.inputs[1], (self.g_sequence, self.g_last_h, self.g_last_c))

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("lstm_grad", self.params, inplace=lambda node: {0: 0}),)


class Gru(_MaskedRecurrence):
    """``(sequence, last, before, gates, inner)`` from z, the recurrent kernel R, its bias b ``[3 * units]`` and h0.

    With z in three parts ``z r c``, in each step: ``z, r = sigmoid(z + h R + b)``, ``inner = h R_c + b_c``,
    ``c = tanh(z_c + r * inner)``, ``h = z * h + (1 - z) * c`` (Cho et al., 2014; the reset gate is after the product).
    The gates of a masked step are 1 0 0 and inner is 0, from which the gradient's formula gives zeros for ``z`` and
    hands on the state's gradient as it is: the gradient op needs no mask.
    """

    gates: ClassVar[int] = 3
    differentiable_outputs: ClassVar[tuple[int, ...]] = (0, 1)

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        z, recurrent, bias, h0 = self._split_mask(specs, 4)
        n, steps, units = self._sizes(z, recurrent, h0)
        self.require(bias.shape == (3 * units,), f"a bias of shape ({3 * units},)", *specs)
        sequence = z.with_shape((n, steps, units))
        return sequence, h0, sequence, z, sequence

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        arriving = _only_results(self.name, g, 2)
        op = GruGrad(self.go_backwards, g[0] is not None, g[1] is not None)
        dz, d_product, dh0 = op(y[3], y[4], y[2], inputs[1], *arriving)
        grads = dz, _recurrent_kernel_gradient(y[2], d_product), reduce_sum(d_product, axis=(0, 1)), dh0
        return *grads, *(None for _ in inputs[4:])

    def params(self, node: Node) -> dict[str, Any]:
        return self._params(node.outputs[2])

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("gru", self.params, inplace=lambda node: {3: 0}),)


@dataclass(frozen=True)
class GruGrad(_Recurrence):
    """Gradients ``(dz, d_product, dh0)`` of :class:`Gru` from gates, inner, before, R, and the gradients that arrive.

    ``d_product`` is the gradient of ``h R + b``; it differs from ``dz`` in its last third.
    """

    g_sequence: bool = True
    g_last_h: bool = False

    gates: ClassVar[int] = 3

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        gates, inner, before, recurrent, *g = specs
        states = g[1:] if self.g_sequence else g
        n, _, units = self._sizes(gates, recurrent, *states)
        self.require(inner == before, "inner and before of one shape", *specs)
        self.require(not self.g_sequence or g[0] == before, f"a gradient {before} of the sequence", *specs)
        return gates, gates, gates.with_shape((n, units))

    def params(self, node: Node) -> dict[str, Any]:
        return self._params(node.inputs[2], (self.g_sequence, self.g_last_h, False))

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("gru_grad", self.params, inplace=lambda node: {0: 0}),)


# ---- parts of unrolled recurrences -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class SplitSteps(Op):
    """``x`` in as many outputs as it is long along ``axis``, without that axis."""

    axis: int

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        (x,) = specs
        self.require_float(x)
        self.require(0 <= self.axis < len(x.shape), f"an array with an axis {self.axis}", x)
        part = x.with_shape((*x.shape[: self.axis], *x.shape[self.axis + 1 :]))
        return (part,) * x.shape[self.axis]

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        gs, ys = (g, y) if isinstance(g, tuple) else ((g,), (y,))  # one step is one value, not a tuple of one
        return (JoinSteps(self.axis)(*(zeros_like(v) if d is None else d for d, v in zip(gs, ys, strict=True))),)

    def params(self, node: Node) -> dict[str, Any]:
        return _parts(node.inputs[0].shape, self.axis)

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("split_steps", self.params),)


@dataclass(frozen=True)
class JoinSteps(Op):
    """Arrays of one shape as one, along a new axis ``axis``."""

    axis: int

    def infer(self, *specs: Spec) -> Spec:
        self.require_float(*specs)
        self.require(len(specs) > 0, "at least one array")
        first = specs[0]
        self.require(all(s == first for s in specs), "arrays of one shape", *specs)
        self.require(0 <= self.axis <= len(first.shape), f"arrays with at least {self.axis} axes", *specs)
        return first.with_shape((*first.shape[: self.axis], len(specs), *first.shape[self.axis :]))

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return _several(SplitSteps(self.axis)(g))

    def params(self, node: Node) -> dict[str, Any]:
        return _parts(node.outputs[0].shape, self.axis)

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("join_steps", self.params),)


def _parts(whole: tuple[int, ...], axis: int) -> dict[str, Any]:
    return {"outer": math.prod(whole[:axis]), "count": whole[axis], "inner": math.prod(whole[axis + 1 :])}


def _several(outputs: Any) -> tuple[Value, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)


# ---- functions -------------------------------------------------------------------------------------------------------


def lstm(
    z: Any, recurrent_kernel: Any, h0: Any, c0: Any, go_backwards: bool = False, mask: Any = None
) -> tuple[Value, Value, Value]:
    """``(sequence, last h, last c)`` of an LSTM with tanh and sigmoid, whose input part of the gates is ``z``.

    ``mask``: float ``(batch, steps)``, 0 where the states stay as they are.
    """
    operands = [as_value(x) for x in (z, recurrent_kernel, h0, c0)]
    y = Lstm(go_backwards, mask is not None)(*operands, *([] if mask is None else [as_value(mask)]))
    return y[0], y[1], y[2]


def gru(
    z: Any, recurrent_kernel: Any, bias: Any, h0: Any, go_backwards: bool = False, mask: Any = None
) -> tuple[Value, Value]:
    """``(sequence, last h)`` of a GRU with tanh and sigmoid, whose input part of the gates is ``z``.

    ``mask``: float ``(batch, steps)``, 0 where the state stays as it is.
    """
    operands = [as_value(x) for x in (z, recurrent_kernel, bias, h0)]
    y = Gru(go_backwards, mask is not None)(*operands, *([] if mask is None else [as_value(mask)]))
    return y[0], y[1]


def split_steps(x: Any, axis: int) -> tuple[Value, ...]:
    """``x[..., i, ...]`` for all i along ``axis``."""
    return _several(SplitSteps(axis)(as_value(x)))


def join_steps(xs: Sequence[Any], axis: int) -> Value:
    """Arrays of one shape as one, along a new axis."""
    return JoinSteps(axis)(*(as_value(x) for x in xs))
