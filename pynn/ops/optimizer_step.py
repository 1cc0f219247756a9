"""Optimizer steps: one op updates all parameters of a model, so that their memory is passed over once.

Inputs are scalars (the learning rate first), then the weights, the gradients, and each slot of all weights; outputs are
the new weights, then each slot.  New values may be written over the old ones.  With ``weight_decay`` the weights lose
``lr * weight_decay`` of themselves first.  Steps have no gradient rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pynn.errors import ArgumentError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.trace import as_value


class Step(Op, abstract=True):
    """Base: ``scalars`` numbers, then ``count`` weights, as many gradients, and ``slots`` arrays beside each weight."""

    count: int
    #: Dtypes of the scalars; None is that of the weights.
    scalars: ClassVar[tuple[str | None, ...]] = (None,)
    _flops_each: ClassVar[int]

    @property
    def slots(self) -> int:
        """How many arrays are kept beside each weight."""
        return 1

    def flops(self, node: Node) -> int:
        return self._flops_each * sum(v.size for v in node.outputs[: self.count])

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        self.require(self.count >= 1, "at least one parameter", *specs)
        first, kinds = len(self.scalars), 2 + self.slots
        groups = [specs[first + i * self.count : first + (i + 1) * self.count] for i in range(kinds)]
        self.require(
            len(specs) == first + kinds * self.count and all(group == groups[0] for group in groups),
            f"{first} scalars and {kinds} groups of {self.count} arrays with the same shapes and dtypes",
            *specs,
        )
        self.require_float(*groups[0])
        expected = tuple(Spec((), dtype or groups[0][0].dtype) for dtype in self.scalars)
        names = ("a learning rate", "iterations", "a product")
        self.require(
            specs[:first] == expected,
            " and ".join(f"{name} {spec}" for name, spec in zip(names, expected, strict=False)) + " first",
            *specs[:first],
        )
        return groups[0] * (1 + self.slots)

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate(self.name, self.params, inplace=self._overwrites),)

    def _overwrites(self, node: Node) -> dict[int, int]:
        """Output groups lie on the inputs' groups: weights on weights, slots on slots (gradients are in between)."""
        n, first = self.count, len(self.scalars)
        return {kind * n + i: first + (kind + (kind > 0)) * n + i for kind in range(1 + self.slots) for i in range(n)}


@dataclass(frozen=True)
class SgdStep(Step):
    """Gradient descent, as in Keras: ``w - lr * g``; with momentum ``v' = momentum * v - lr * g`` and ``w + v'``, or
    ``w + momentum * v' - lr * g`` (Nesterov).  ``dampening`` leaves that part of the gradient out.

    Scalars: lr.  Slots: v, with momentum.
    """

    momentum: float
    nesterov: bool
    count: int
    weight_decay: float = 0.0
    dampening: float = 0.0
    _flops_each: ClassVar[int] = 4

    @property
    def slots(self) -> int:
        return int(self.momentum != 0)


@dataclass(frozen=True)
class AdamStep(Step):
    """Adam, as in Keras: with ``t = iterations + 1`` and ``alpha = lr * sqrt(1 - beta_2^t) / (1 - beta_1^t)``,
    ``m' = m + (g - m) * (1 - beta_1)``, ``v' = v + (g^2 - v) * (1 - beta_2)``,
    ``w' = w - m' * alpha / (sqrt(v') + epsilon)``; with ``amsgrad`` the largest ``v'`` so far takes the place of v'.

    Scalars: lr, iterations (int64, before this step).  Slots: m, v and, with amsgrad, the largest v.
    """

    beta_1: float
    beta_2: float
    epsilon: float
    count: int
    weight_decay: float = 0.0
    amsgrad: bool = False
    scalars: ClassVar[tuple[str | None, ...]] = (None, "int64")
    _flops_each: ClassVar[int] = 11

    @property
    def slots(self) -> int:
        return 2 + self.amsgrad


@dataclass(frozen=True)
class NadamStep(Step):
    """Nadam, as in Keras: with ``u(t) = beta_1 * (1 - 0.96^t / 2)`` and the product of all u so far,
    ``w' = w - lr * (u(t+1) / (1 - product * u(t+1)) * m' + (1 - u(t)) / (1 - product) * g) / (sqrt(v' / (1 - beta_2^t))
    + epsilon)``; m' and v' as in :class:`AdamStep`.

    Scalars: lr, iterations, the product up to u(t).  Slots: m, v.
    """

    beta_1: float
    beta_2: float
    epsilon: float
    count: int
    weight_decay: float = 0.0
    scalars: ClassVar[tuple[str | None, ...]] = (None, "int64", None)
    _flops_each: ClassVar[int] = 14

    @property
    def slots(self) -> int:
        return 2


@dataclass(frozen=True)
class AdamaxStep(Step):
    """Adamax: ``u' = max(beta_2 * u, |g|)`` and ``w' = w - lr / (1 - beta_1^t) * m' / (u' + epsilon)``.

    Scalars: lr, iterations.  Slots: m (as in :class:`AdamStep`), u.
    """

    beta_1: float
    beta_2: float
    epsilon: float
    count: int
    weight_decay: float = 0.0
    scalars: ClassVar[tuple[str | None, ...]] = (None, "int64")
    _flops_each: ClassVar[int] = 9

    @property
    def slots(self) -> int:
        return 2


@dataclass(frozen=True)
class RmspropStep(Step):
    """RMSprop: ``v' = rho * v + (1 - rho) * g^2``, ``w' = w - lr * g / sqrt(v' + epsilon)``.

    ``centered`` takes the square of the gradients' running mean from v'; with ``momentum`` it is
    ``m' = momentum * m + lr * g / sqrt(...)`` and ``w' = w - m'``.

    Scalars: lr.  Slots: v, the mean if centered, m with momentum.
    """

    rho: float
    momentum: float
    epsilon: float
    centered: bool
    count: int
    weight_decay: float = 0.0
    _flops_each: ClassVar[int] = 9

    @property
    def slots(self) -> int:
        return 1 + self.centered + (self.momentum != 0)


@dataclass(frozen=True)
class AdagradStep(Step):
    """Adagrad: ``a' = a + g^2`` and ``w' = w - lr * g / sqrt(a' + epsilon)``.

    Scalars: lr.  Slots: a.
    """

    epsilon: float
    count: int
    weight_decay: float = 0.0
    _flops_each: ClassVar[int] = 7


@dataclass(frozen=True)
class AdadeltaStep(Step):
    """Adadelta: ``a' = rho * a + (1 - rho) * g^2``, ``d = sqrt(u + epsilon) / sqrt(a' + epsilon) * g``,
    ``u' = rho * u + (1 - rho) * d^2`` and ``w' = w - lr * d``.

    Scalars: lr.  Slots: a, u.
    """

    rho: float
    epsilon: float
    count: int
    weight_decay: float = 0.0
    _flops_each: ClassVar[int] = 16

    @property
    def slots(self) -> int:
        return 2


@dataclass(frozen=True)
class LionStep(Step):
    """Lion: ``w' = w - lr * sign(beta_1 * m + (1 - beta_1) * g)`` and ``m' = beta_2 * m + (1 - beta_2) * g``.

    Scalars: lr.  Slots: m.
    """

    beta_1: float
    beta_2: float
    count: int
    weight_decay: float = 0.0
    _flops_each: ClassVar[int] = 9


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


def optimizer_step(op: Step, scalars: Slots, weights: Slots, grads: Slots, *slots: Slots) -> list[list[Value]]:
    """One step of any kind: the new weights, then each slot.

    Args:
        op: the kind, with its numbers, for as many weights as there are.
        scalars: the learning rate, and what else the op takes.
        weights: the parameters.
        grads: one gradient per parameter.
        *slots: each with one array per parameter.
    """
    counts = [len(group) for group in (weights, grads, *slots)]
    if not counts[0] or any(c != counts[0] for c in counts):
        raise ArgumentError(f"{op.name}: expected as many gradients and slots as weights, received {counts}")
    n = counts[0]
    numbers = [as_value(x, dtype) if dtype else as_value(x) for x, dtype in zip(scalars, op.scalars, strict=True)]
    new = op(*numbers, *(as_value(x) for group in (weights, grads, *slots) for x in group))
    return [list(new[i : i + n]) for i in range(0, len(new), n)]


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
    op = SgdStep(float(momentum), bool(nesterov), len(weights))
    new, *moved = optimizer_step(op, [lr], weights, grads, *([velocities] if momentum else []))
    return new, moved[0] if moved else []


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
    op = AdamStep(float(beta_1), float(beta_2), float(epsilon), len(weights))
    new_w, new_m, new_v = optimizer_step(op, [lr, iterations], weights, grads, m, v)
    return new_w, new_m, new_v


def increment(x: Any, by: int = 1) -> Value:
    """``x + by`` for an int64 scalar."""
    return Increment(int(by))(as_value(x, "int64"))
