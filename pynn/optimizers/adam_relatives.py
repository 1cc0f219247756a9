"""Adamax, Nadam, Lamb, Lion: relatives of Adam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.ops.optimizer_step import AdamaxStep, LionStep, NadamStep, Step
from pynn.optimizers.all_at_once import AllAtOnce
from pynn.optimizers.arguments import check_number, is_number
from pynn.optimizers.optimizer import Optimizer
from pynn.optimizers.updates import mean_weight


class _WithBetas(Optimizer):
    """Base: running means ``m`` of the gradients and, with ``beta_2``, of something else."""

    _names = ("momentum", "velocity")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = check_number(self, "beta_1", beta_1, above=1)
        self.beta_2 = check_number(self, "beta_2", beta_2, above=1)
        self.epsilon = check_number(self, "epsilon", epsilon)

    def make_slots(self, variables: Sequence[Variable]) -> None:
        self._first, self._second = self.add_optimizer_variables(variables, self._names)

    def step_slots(self) -> list[list[Variable]]:
        return [self._first, self._second]

    def step_scalars(self, dtype: str) -> list[Any]:
        return [self.iterations]

    def get_config(self) -> dict[str, Any]:
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


class Adamax(_WithBetas, AllAtOnce):
    """Adam with the largest recent gradient in place of the root of the mean square (Kingma and Ba, 2014, section 7).

    ``u = max(beta_2 * u, |g|)``; ``w = w - lr / (1 - beta_1^t) * m / (u + epsilon)``.

    Args:
        learning_rate: a number from 0, or a schedule.
        beta_1, beta_2: how slowly ``m`` and ``u`` follow.
        epsilon: added to the divisor.
        **kwargs: arguments of all optimizers, see :class:`Optimizer`.

    Example:
        >>> Adamax(2e-3).get_config()["beta_2"]
        0.999
    """

    _names = ("momentum", "norm")

    def step_op(self, count: int, weight_decay: float) -> Step:
        return AdamaxStep(float(self.beta_1), float(self.beta_2), float(self.epsilon), count, weight_decay)


class Nadam(_WithBetas, AllAtOnce):
    """Adam that looks ahead along its momentum (Dozat, 2015), with the paper's schedule of ``beta_1``.

    Args:
        learning_rate: a number from 0, or a schedule.
        beta_1, beta_2: how slowly the means of the gradient and of its square follow.
        epsilon: added to the root.
        **kwargs: arguments of all optimizers, see :class:`Optimizer`.

    Example:
        >>> Nadam(2e-3).get_config()["beta_1"]
        0.9
    """

    def make_slots(self, variables: Sequence[Variable]) -> None:
        super().make_slots(variables)
        self._u_product = self._own(np.ones((), "float32"), "u_product")

    def update_variables(self, grads: Sequence[Value], variables: Sequence[Variable], learning_rate: Any) -> None:
        t = ops.cast(self.iterations + 1, "float32")
        self._u_product.assign(self._u_product * (self.beta_1 * (1.0 - 0.5 * 0.96**t)))
        super().update_variables(grads, variables, learning_rate)

    def step_scalars(self, dtype: str) -> list[Any]:
        return [self.iterations, ops.cast(self._u_product, dtype)]

    def step_op(self, count: int, weight_decay: float) -> Step:
        return NadamStep(float(self.beta_1), float(self.beta_2), float(self.epsilon), count, weight_decay)


class Lamb(_WithBetas):
    """Adam whose step is as long, relative to the learning rate, as the weight itself (You et al., 2019): for very
    large batches.

    Args:
        learning_rate: a number from 0, or a schedule.
        beta_1, beta_2: how slowly the means of the gradient and of its square follow.
        epsilon: added to the root.
        **kwargs: arguments of all optimizers, see :class:`Optimizer`.

    Example:
        >>> Lamb(2e-3).get_config()["epsilon"]
        1e-07
    """

    def update_step(self, gradient: Value, variable: Variable, learning_rate: Any) -> None:
        i, t = self._get_variable_index(variable), ops.cast(self.iterations + 1, variable.dtype)
        m, v = self._first[i], self._second[i]
        m.assign_add((gradient - m) * (1.0 - self.beta_1))
        v.assign_add((ops.square(gradient) - v) * (1.0 - self.beta_2))
        update = m / mean_weight(self.beta_1, t) / (ops.sqrt(v / mean_weight(self.beta_2, t)) + self.epsilon)
        weight, step = ops.sqrt(ops.sum(ops.square(variable))), ops.sqrt(ops.sum(ops.square(update)))
        both = ops.logical_and(ops.greater(weight, 0.0), ops.greater(step, 0.0))
        ratio = ops.where(both, weight / step, 1.0)
        variable.assign_sub(ratio * learning_rate * update)


class Lion(AllAtOnce):
    """Steps of one size, in the direction of the momentum's sign (Chen et al., 2023).

    ``w = w - lr * sign(beta_1 * m + (1 - beta_1) * g)``; ``m = beta_2 * m + (1 - beta_2) * g``.  Good rates are 3 to 10
    times smaller than Adam's.

    Args:
        learning_rate: a number from 0, or a schedule.
        beta_1: how much of the momentum the step keeps, above 0, up to 1.
        beta_2: how slowly the momentum follows.
        **kwargs: arguments of all optimizers, see :class:`Optimizer`.

    Example:
        >>> Lion(1e-4).get_config()["beta_2"]
        0.99
    """

    def __init__(self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, **kwargs: Any):
        super().__init__(learning_rate, **kwargs)
        if not is_number(beta_1) or not 0 < beta_1 <= 1:
            raise ArgumentError(f"Lion: beta_1 must be a number above 0, up to 1, received {beta_1!r}")
        self.beta_1, self.beta_2 = beta_1, check_number(self, "beta_2", beta_2)

    def make_slots(self, variables: Sequence[Variable]) -> None:
        self._momentums = self.add_optimizer_variables(variables, "momentum")

    def step_slots(self) -> list[list[Variable]]:
        return [self._momentums]

    def step_op(self, count: int, weight_decay: float) -> Step:
        return LionStep(float(self.beta_1), float(self.beta_2), count, weight_decay)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}
