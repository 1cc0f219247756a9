"""Adam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.optimizers.optimizer import Optimizer


class Adam(Optimizer):
    """Gradient descent whose step adapts to each weight (Kingma and Ba, 2014).

    ``m`` and ``v`` are running means of the gradient and its square, corrected for having begun at 0;
    ``w = w - lr * m / (sqrt(v) + epsilon)``.

    Args:
        learning_rate: a number from 0, or a schedule: a function of the step number.
        beta_1, beta_2: how slowly ``m`` and ``v`` follow, each from 0 to 1.
        epsilon: added to the root, so that nothing is divided by 0.

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
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, name, **kwargs)
        for argument, value in (("beta_1", beta_1), ("beta_2", beta_2)):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
                raise ArgumentError(f"Adam: {argument} must be a number from 0 to below 1, received {value!r}")
        if isinstance(epsilon, bool) or not isinstance(epsilon, int | float) or epsilon < 0:
            raise ArgumentError(f"Adam: epsilon must be a number from 0, received {epsilon!r}")
        if amsgrad:
            raise ArgumentError("Adam: amsgrad=True is not supported yet; leave it out")
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self._means: list[Variable] = []
        self._squares: list[Variable] = []

    def make_slots(self, variables: Sequence[Variable]) -> None:
        for v in variables:
            self._means.append(self.add_slot(v, "momentum"))
            self._squares.append(self.add_slot(v, "velocity"))

    def step(self, grads: Sequence[Value], variables: Sequence[Variable]) -> None:
        means, squares = self.slots(self._means, variables), self.slots(self._squares, variables)
        new = ops.adam_step(
            self.learning_rate,
            self.iterations,
            variables,
            grads,
            means,
            squares,
            self.beta_1,
            self.beta_2,
            self.epsilon,
        )
        for group, values in zip((variables, means, squares), new, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": False,
        }
