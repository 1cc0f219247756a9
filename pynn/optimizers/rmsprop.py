"""RMSprop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn.graph.variable import Variable
from pynn.ops.optimizer_step import RmspropStep, Step
from pynn.optimizers.all_at_once import AllAtOnce
from pynn.optimizers.arguments import check_number


class RMSprop(AllAtOnce):
    """Gradients divided by the root of the running mean of their squares (Tieleman and Hinton, 2012).

    ``v = rho * v + (1 - rho) * g^2``; ``w = w - lr * g / sqrt(v + epsilon)``.

    Args:
        learning_rate: a number from 0, or a schedule.
        rho: how slowly ``v`` follows.
        momentum: if not 0, ``m = momentum * m + lr * g / sqrt(v + epsilon)`` and ``w = w - m``.
        epsilon: added below the root.
        centered: divide by an estimate of the variance: ``v`` less the square of the gradients' running mean.
        **kwargs: arguments of all optimizers, see :class:`Optimizer`.

    Example:
        >>> RMSprop(1e-3, momentum=0.9).get_config()["rho"]
        0.9
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.rho = check_number(self, "rho", rho)
        self.momentum = check_number(self, "momentum", momentum)
        self.epsilon = check_number(self, "epsilon", epsilon)
        self.centered = bool(centered)

    def make_slots(self, variables: Sequence[Variable]) -> None:
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        self._momentums = self.add_optimizer_variables(variables, "momentum") if self.momentum else []
        self._average_gradients = self.add_optimizer_variables(variables, "average_gradient") if self.centered else []

    def step_slots(self) -> list[list[Variable]]:
        return [group for group in (self._velocities, self._average_gradients, self._momentums) if group]

    def step_op(self, count: int, weight_decay: float) -> Step:
        return RmspropStep(
            float(self.rho), float(self.momentum), float(self.epsilon), self.centered, count, weight_decay
        )

    def get_config(self) -> dict[str, Any]:
        own = {"rho": self.rho, "momentum": self.momentum, "epsilon": self.epsilon, "centered": self.centered}
        return {**super().get_config(), **own}
