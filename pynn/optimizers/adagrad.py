"""Adagrad and Adadelta."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import initializers, ops
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.optimizers.arguments import check_number
from pynn.optimizers.optimizer import Optimizer


class Adagrad(Optimizer):
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

    def update_step(self, gradient: Value, variable: Variable, learning_rate: Any) -> None:
        accumulator = self._accumulators[self._get_variable_index(variable)]
        accumulator.assign_add(ops.square(gradient))
        variable.assign_sub(learning_rate * gradient / ops.sqrt(accumulator + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        own = {"initial_accumulator_value": self.initial_accumulator_value, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


class Adadelta(Optimizer):
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

    def update_step(self, gradient: Value, variable: Variable, learning_rate: Any) -> None:
        i, rho = self._get_variable_index(variable), self.rho
        squares, moves = self._accumulated_grads[i], self._accumulated_delta_vars[i]
        squares.assign(rho * squares + (1.0 - rho) * ops.square(gradient))
        delta = -(ops.sqrt(moves + self.epsilon) * gradient / ops.sqrt(squares + self.epsilon))
        moves.assign(rho * moves + (1.0 - rho) * ops.square(delta))
        variable.assign_add(learning_rate * delta)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
