"""Optimizer steps: one op updates all parameters of a model, so that their memory is passed over once.

Inputs are grouped by kind: all parameters, then all gradients, then the slots.  New values may be written over the old
ones.  Steps have no gradient rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pynn.errors import ArgumentError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.trace import as_value


class _Step(Op, abstract=True):
    """Base: ``scalars`` first, then ``kinds`` groups of arrays of the same shapes."""

    _flops_each: ClassVar[int]

    def flops(self, node: Node) -> int:
        return self._flops_each * sum(v.size for v in node.outputs[: self.attributes()["count"]])

    def _infer_groups(self, specs: Sequence[Spec], scalars: int, kinds: int, count: int) -> list[tuple[Spec, ...]]:
        self.require(count >= 1, "at least one parameter", *specs)
        groups = [tuple(specs[scalars + i * count : scalars + (i + 1) * count]) for i in range(kinds)]
        self.require(
            len(specs) == scalars + kinds * count and all(group == groups[0] for group in groups),
            f"{scalars} scalars and {kinds} groups of {count} arrays with the same shapes and dtypes",
            *specs,
        )
        self.require_float(*groups[0])
        return groups


def _overwrites(outputs: int, scalars: int, count: int) -> dict[int, int]:
    """Output groups lie on the inputs' groups: parameters on parameters, slots on slots (gradients are in between)."""
    return {
        kind * count + i: scalars + (kind + (kind > 0)) * count + i for kind in range(outputs) for i in range(count)
    }


@dataclass(frozen=True)
class SgdStep(_Step):
    """Gradient descent, as in Keras: ``w - lr * g``; with momentum ``v' = momentum * v - lr * g`` and ``w + v'``, or
    ``w + momentum * v' - lr * g`` (Nesterov).

    Inputs: lr, w_1..w_n, g_1..g_n and, with momentum, v_1..v_n.  Outputs: the new w_1..w_n, then v_1..v_n.
    """

    momentum: float
    nesterov: bool
    count: int
    _flops_each: ClassVar[int] = 4

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        w, *rest = self._infer_groups(specs, 1, 3 if self.momentum else 2, self.count)
        self.require(specs[0] == Spec((), w[0].dtype), f"a learning rate {Spec((), w[0].dtype)} first", specs[0])
        return (*w, *(rest[1] if self.momentum else ()))

    def candidates(self) -> Sequence[Candidate]:
        outputs = 2 if self.momentum else 1
        return (Candidate("sgd_step", self.params, inplace=lambda node: _overwrites(outputs, 1, self.count)),)


@dataclass(frozen=True)
class AdamStep(_Step):
    """Adam, as in Keras: with ``t = iterations + 1`` and ``alpha = lr * sqrt(1 - beta_2^t) / (1 - beta_1^t)``,
    ``m' = m + (g - m) * (1 - beta_1)``, ``v' = v + (g^2 - v) * (1 - beta_2)``,
    ``w' = w - m' * alpha / (sqrt(v') + epsilon)``.

    Inputs: lr, iterations (int64, before this step), w_1..w_n, g_1..g_n, m_1..m_n, v_1..v_n.
    Outputs: the new w_1..w_n, m_1..m_n, v_1..v_n.
    """

    beta_1: float
    beta_2: float
    epsilon: float
    count: int
    _flops_each: ClassVar[int] = 11

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        w, _, m, v = self._infer_groups(specs, 2, 4, self.count)
        expected = (Spec((), w[0].dtype), Spec((), "int64"))
        self.require(specs[:2] == expected, f"a learning rate {expected[0]} and iterations {expected[1]}", *specs[:2])
        return (*w, *m, *v)

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("adam_step", self.params, inplace=lambda node: _overwrites(3, 2, self.count)),)


@dataclass(frozen=True)
class Increment(Op):
    """``x + by`` for an int64 scalar: a step counter."""

    by: int = 1

    def infer(self, *specs: Spec) -> Spec:
        self.require(specs == (Spec((), "int64"),), "an int64 scalar", *specs)
        return specs[0]

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("increment", self.params, inplace=lambda node: {0: 0}),)


Slots = Sequence[Any]


def sgd_step(
    lr: Any, weights: Slots, grads: Slots, velocities: Slots = (), momentum: float = 0.0, nesterov: bool = False
) -> tuple[list[Value], list[Value]]:
    """One step of gradient descent: ``(new weights, new velocities)``; see :class:`SgdStep`.

    Args:
        lr: learning rate, a scalar.
        weights: the parameters.
        grads: one gradient per parameter.
        velocities: one per parameter if ``momentum`` is not 0.
        momentum: how much of the last step to keep.
        nesterov: look ahead along the velocity.
    """
    n = _same_count("sgd_step", weights, grads, *([velocities] if momentum else []))
    op = SgdStep(float(momentum), bool(nesterov), n)
    slots = velocities if momentum else ()
    new = op(*(as_value(x) for x in (lr, *weights, *grads, *slots)))
    return list(new[:n]), list(new[n:])


def adam_step(
    lr: Any,
    iterations: Any,
    weights: Slots,
    grads: Slots,
    m: Slots,
    v: Slots,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
) -> tuple[list[Value], list[Value], list[Value]]:
    """One Adam step: ``(new weights, new m, new v)``; see :class:`AdamStep`.

    Args:
        lr: learning rate, a scalar.
        iterations: how many steps were made before this one, an int64 scalar.
        weights: the parameters.
        grads, m, v: gradient, mean and mean square of the gradient, one of each per parameter.
        beta_1, beta_2: decay of m and v.
        epsilon: added to the divisor.
    """
    n = _same_count("adam_step", weights, grads, m, v)
    op = AdamStep(float(beta_1), float(beta_2), float(epsilon), n)
    new = op(as_value(lr), as_value(iterations, "int64"), *(as_value(x) for x in (*weights, *grads, *m, *v)))
    return list(new[:n]), list(new[n : 2 * n]), list(new[2 * n :])


def increment(x: Any, by: int = 1) -> Value:
    """``x + by`` for an int64 scalar."""
    return Increment(int(by))(as_value(x, "int64"))


def _same_count(function: str, *groups: Slots) -> int:
    counts = [len(group) for group in groups]
    if not counts[0] or any(c != counts[0] for c in counts):
        raise ArgumentError(f"{function}: expected as many gradients and slots as weights, received {counts}")
    return counts[0]
