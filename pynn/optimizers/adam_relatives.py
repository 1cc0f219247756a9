"""Adamax, Nadam, Lamb, Lion: relatives of Adam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.optimizers.arguments import check_number, is_number
from pynn.optimizers.optimizer import Optimizer


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

    def _means(self, gradient: Value, variable: Variable) -> tuple[Variable, Variable]:
        """The running means of the gradient and of its square, brought up to date."""
        i = self._get_variable_index(variable)
        m, v = self._first[i], self._second[i]
        m.assign_add((gradient - m) * (1.0 - self.beta_1))
        v.assign_add((ops.square(gradient) - v) * (1.0 - self.beta_2))
        return m, v

    def _step_number(self, variable: Variable) -> Any:
        return ops.cast(self.iterations + 1, variable.dtype)

    def get_config(self) -> dict[str, Any]:
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


class Adamax(_WithBetas):
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

    def update_step(self, gradient: Value, variable: Variable, learning_rate: Any) -> None:
        i = self._get_variable_index(variable)
        m, u = self._first[i], self._second[i]
        m.assign_add((gradient - m) * (1.0 - self.beta_1))
        u.assign(ops.maximum(self.beta_2 * u, ops.abs(gradient)))
        rate = learning_rate / (1.0 - self.beta_1 ** self._step_number(variable))
        variable.assign_sub(rate * m / (u + self.epsilon))


class Nadam(_WithBetas):
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

    def _u(self, step: Any) -> Any:
        return self.beta_1 * (1.0 - 0.5 * 0.96**step)

    def update_variables(self, grads: Sequence[Value], variables: Sequence[Variable], learning_rate: Any) -> None:
        self._u_product.assign(self._u_product * self._u(ops.cast(self.iterations + 1, "float32")))
        super().update_variables(grads, variables, learning_rate)

    def update_step(self, gradient: Value, variable: Variable, learning_rate: Any) -> None:
        t = self._step_number(variable)
        u, u_next = self._u(t), self._u(t + 1.0)
        product = self._u_product
        m, v = self._means(gradient, variable)
        m_hat = u_next / (1.0 - product * u_next) * m + (1.0 - u) / (1.0 - product) * gradient
        v_hat = v / (1.0 - self.beta_2**t)
        variable.assign_sub(m_hat * learning_rate / (ops.sqrt(v_hat) + self.epsilon))


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
        t = self._step_number(variable)
        m, v = self._means(gradient, variable)
        update = m / (1.0 - self.beta_1**t) / (ops.sqrt(v / (1.0 - self.beta_2**t)) + self.epsilon)
        weight, step = ops.sqrt(ops.sum(ops.square(variable))), ops.sqrt(ops.sum(ops.square(update)))
        both = ops.logical_and(ops.greater(weight, 0.0), ops.greater(step, 0.0))
        ratio = ops.where(both, weight / step, 1.0)
        variable.assign_sub(ratio * learning_rate * update)


class Lion(Optimizer):
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

    def update_step(self, gradient: Value, variable: Variable, learning_rate: Any) -> None:
        m = self._momentums[self._get_variable_index(variable)]
        variable.assign_sub(learning_rate * ops.sign(self.beta_1 * m + (1.0 - self.beta_1) * gradient))
        m.assign(self.beta_2 * m + (1.0 - self.beta_2) * gradient)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}
