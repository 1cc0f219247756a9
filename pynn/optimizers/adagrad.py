"""Adagrad and Adadelta."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import initializers
from pynn.graph.variable import Variable
from pynn.ops.optimizer_step import AdadeltaStep, AdagradStep, Step
from pynn.optimizers.all_at_once import AllAtOnce
from pynn.optimizers.arguments import check_number


class Adagrad(AllAtOnce):
    """Smaller steps for weights that have already been moved much (Duchi et al., 2011): good for sparse features.

    ``a = a + g^2``; ``w = w - lr * g / sqrt(a + epsilon)``.

    Args:
        learning_rate: a number from 0, or a schedule.
        initial_accumulator_value: where ``a`` begins.
        epsilon: added below the root.
        **kwargs: arguments of all optimizers, see :class:`Optimizer`.

    Example:
        >>> Adagrad(0.1).get_config()["initial_accumulator_value"]
        0.1
    """

    def __init__(
        self, learning_rate: Any = 0.001, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7, **kwargs: Any
    ):
        super().__init__(learning_rate, **kwargs)
        self.initial_accumulator_value = check_number(self, "initial_accumulator_value", initial_accumulator_value)
        self.epsilon = check_number(self, "epsilon", epsilon)

    def make_slots(self, variables: Sequence[Variable]) -> None:
        start = initializers.Constant(self.initial_accumulator_value)
        self._accumulators = self.add_optimizer_variables(variables, "accumulator", start)

    def step_slots(self) -> list[list[Variable]]:
        return [self._accumulators]

    def step_op(self, count: int, weight_decay: float) -> Step:
        return AdagradStep(float(self.epsilon), count, weight_decay)

    def get_config(self) -> dict[str, Any]:
        own = {"initial_accumulator_value": self.initial_accumulator_value, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


class Adadelta(AllAtOnce):
    """Adagrad with running means in place of sums, in the weight's own units (Zeiler, 2012).

    ``a = rho * a + (1 - rho) * g^2``; ``d = -sqrt(u + epsilon) / sqrt(a + epsilon) * g``;
    ``u = rho * u + (1 - rho) * d^2``; ``w = w + lr * d``.

    Args:
        learning_rate: a number from 0, or a schedule; 1 as in the paper.
        rho: how slowly the means follow.
        epsilon: added below the roots.
        **kwargs: arguments of all optimizers, see :class:`Optimizer`.

    Example:
        >>> Adadelta(1.0).get_config()["rho"]
        0.95
    """

    def __init__(self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7, **kwargs: Any):
        super().__init__(learning_rate, **kwargs)
        self.rho = check_number(self, "rho", rho)
        self.epsilon = check_number(self, "epsilon", epsilon)

    def make_slots(self, variables: Sequence[Variable]) -> None:
        names = ["accumulated_grad", "accumulated_delta_var"]
        self._accumulated_grads, self._accumulated_delta_vars = self.add_optimizer_variables(variables, names)

    def step_slots(self) -> list[list[Variable]]:
        return [self._accumulated_grads, self._accumulated_delta_vars]

    def step_op(self, count: int, weight_decay: float) -> Step:
        return AdadeltaStep(float(self.rho), float(self.epsilon), count, weight_decay)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
