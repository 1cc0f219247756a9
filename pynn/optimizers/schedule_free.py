"""AdamW that needs no schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.optimizers.arguments import check_number, is_number
from pynn.optimizers.optimizer import Optimizer
from pynn.optimizers.updates import mean_weight


class ScheduleFreeAdamW(Optimizer):
    """Averages its own path in place of a falling learning rate (Defazio et al., 2024).

    Args:
        learning_rate: a number from 0, or a schedule.
        beta_1: how far the weights lie on the side of the average, above 0, below 1.
        beta_2: how slowly the mean of squared gradients follows.
        epsilon: added to the root.
        warmup_steps: the rate rises to ``learning_rate`` within so many steps.
        **kwargs: arguments of all optimizers, see :class:`Optimizer`.

    Example:
        >>> ScheduleFreeAdamW().get_config()["beta_1"]
        0.9
    """

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        if not is_number(beta_1) or not 0 < beta_1 < 1:
            raise ArgumentError(f"ScheduleFreeAdamW: beta_1 must be a number above 0, below 1, received {beta_1!r}")
        self.beta_1, self.beta_2 = beta_1, check_number(self, "beta_2", beta_2, above=1)
        self.epsilon = check_number(self, "epsilon", epsilon)
        self.warmup_steps = check_number(self, "warmup_steps", warmup_steps)

    def make_slots(self, variables: Sequence[Variable]) -> None:
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        for z, v in zip(self._momentums, variables, strict=True):
            z.assign(v.numpy())

    def update_step(self, gradient: Value, variable: Variable, learning_rate: Any) -> None:
        i = self._get_variable_index(variable)
        z, v, beta_1 = self._momentums[i], self._velocities[i], self.beta_1
        t = ops.cast(self.iterations + 1, variable.dtype)
        if self.warmup_steps:
            learning_rate = learning_rate * ops.minimum(t / float(self.warmup_steps), 1.0)
        average = (variable - (1.0 - beta_1) * z) / beta_1
        v.assign_add((ops.square(gradient) - v) * (1.0 - self.beta_2))
        z.assign_sub(learning_rate * gradient / (ops.sqrt(v / mean_weight(self.beta_2, t)) + self.epsilon))
        average = (1.0 - 1.0 / t) * average + 1.0 / t * z
        variable.assign((1.0 - beta_1) * z + beta_1 * average)

    def get_config(self) -> dict[str, Any]:
        names = ("beta_1", "beta_2", "epsilon", "warmup_steps")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
