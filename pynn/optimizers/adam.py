"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn.errors import ArgumentError
from pynn.graph.variable import Variable
from pynn.ops.optimizer_step import AdamStep, Step
from pynn.optimizers.all_at_once import AllAtOnce
from pynn.optimizers.arguments import check_number


class Adam(AllAtOnce):
    """Gradient descent whose step adapts to each weight (Kingma and Ba, 2014).

    ``m`` and ``v`` are running means of the gradient and its square, corrected for having begun at 0;
    ``w = w - lr * m / (sqrt(v) + epsilon)``.

    Args:
        learning_rate: a number from 0, or a schedule.
        beta_1, beta_2: how slowly ``m`` and ``v`` follow, each from 0 to below 1.
        epsilon: added to the root, so that nothing is divided by 0.
        amsgrad: divide by the largest ``v`` so far (Reddi et al., 2018).
        **kwargs: arguments of all optimizers, see :class:`Optimizer`.

    Example:
        >>> optimizer = Adam(learning_rate=3e-4)
        >>> optimizer.learning_rate = 1e-4  # takes effect at the next step; nothing is compiled again
        >>> round(float(optimizer.learning_rate), 6)
        0.0001
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = check_number(self, "beta_1", beta_1, above=1)
        self.beta_2 = check_number(self, "beta_2", beta_2, above=1)
        self.epsilon = check_number(self, "epsilon", epsilon)
        self.amsgrad = bool(amsgrad)

    def make_slots(self, variables: Sequence[Variable]) -> None:
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        self._velocity_hats = self.add_optimizer_variables(variables, "velocity_hat") if self.amsgrad else []

    def step_slots(self) -> list[list[Variable]]:
        slots = [self._momentums, self._velocities]
        return [*slots, self._velocity_hats] if self.amsgrad else slots

    def step_scalars(self, dtype: str) -> list[Any]:
        return [self.iterations]

    def step_op(self, count: int, weight_decay: float) -> Step:
        return AdamStep(float(self.beta_1), float(self.beta_2), float(self.epsilon), count, weight_decay, self.amsgrad)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }


class AdamW(Adam):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter, 2017).

    ``w = w - lr * weight_decay * w`` before each step of :class:`Adam`.

    Example:
        >>> optimizer = AdamW(1e-3, weight_decay=0.01)
        >>> optimizer.exclude_from_weight_decay(var_names=["bias"])
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ):
        if weight_decay is None:
            raise ArgumentError("AdamW: weight_decay must be a number, received None; Adam is AdamW without it")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs)
