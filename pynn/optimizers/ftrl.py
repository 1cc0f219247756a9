"""Follow the regularized leader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import initializers, ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.optimizers.arguments import check_number, is_number
from pynn.optimizers.optimizer import Optimizer


class Ftrl(Optimizer):
    """For shallow models with many sparse features (McMahan et al., 2013): L1 makes weights exactly 0.

    Args:
        learning_rate: a number above 0, or a schedule.
        learning_rate_power: how the rate falls with the sum of squared gradients, at most 0; 0 keeps it.
        initial_accumulator_value: where that sum begins.
        l1_regularization_strength, l2_regularization_strength: penalties on the weights.
        l2_shrinkage_regularization_strength: an L2 penalty that goes into the gradient.
        beta: the paper's; adds ``beta / (2 * lr)`` to the L2 penalty.
        **kwargs: arguments of all optimizers, see :class:`Optimizer`.

    Example:
        >>> Ftrl(0.1, l1_regularization_strength=0.01).get_config()["learning_rate_power"]
        -0.5
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        if not is_number(learning_rate_power) or learning_rate_power > 0:
            raise ArgumentError(f"Ftrl: learning_rate_power must be a number up to 0, received {learning_rate_power!r}")
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = check_number(self, "initial_accumulator_value", initial_accumulator_value)
        self.l1_regularization_strength = check_number(self, "l1_regularization_strength", l1_regularization_strength)
        self.l2_regularization_strength = check_number(self, "l2_regularization_strength", l2_regularization_strength)
        self.l2_shrinkage_regularization_strength = check_number(
            self, "l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength
        )
        self.beta = check_number(self, "beta", beta)

    def make_slots(self, variables: Sequence[Variable]) -> None:
        starts = [initializers.Constant(self.initial_accumulator_value), "zeros"]
        self._accumulators, self._linears = self.add_optimizer_variables(variables, ["accumulator", "linear"], starts)

    def update_step(self, gradient: Value, variable: Variable, learning_rate: Any) -> None:
        i = self._get_variable_index(variable)
        accumulator, linear = self._accumulators[i], self._linears[i]
        power, l1 = -self.learning_rate_power, self.l1_regularization_strength
        l2 = self.l2_regularization_strength + self.beta / (2.0 * learning_rate)
        total = accumulator + ops.square(gradient)
        shrunk = gradient + 2.0 * self.l2_shrinkage_regularization_strength * variable
        raised, before = (ops.sqrt(x) if power == 0.5 else ops.power(x, power) for x in (total, accumulator.value))
        linear.assign_add(shrunk - (raised - before) / learning_rate * variable)
        variable.assign((ops.clip(linear, -l1, l1) - linear) / (raised / learning_rate + 2.0 * l2))
        accumulator.assign(total)

    def get_config(self) -> dict[str, Any]:
        names = (
            "learning_rate_power", "initial_accumulator_value", "l1_regularization_strength",
            "l2_regularization_strength", "l2_shrinkage_regularization_strength", "beta",
        )  # fmt: skip
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
