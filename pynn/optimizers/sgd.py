"""Gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn.errors import ArgumentError
from pynn.graph.variable import Variable
from pynn.ops.optimizer_step import SgdStep, Step
from pynn.optimizers.all_at_once import AllAtOnce
from pynn.optimizers.arguments import is_number


class SGD(AllAtOnce):
    """Stochastic gradient descent, with momentum if wanted.

    ``w = w - lr * g``; with momentum ``v = momentum * v - lr * (1 - dampening) * g`` and ``w = w + v``, or, with
    ``nesterov``, ``w = w + momentum * v - lr * g``.

    Args:
        learning_rate: a number from 0, or a schedule.
        momentum: how much of the last step is kept, from 0 to 1.
        nesterov: looks ahead along the momentum (Nesterov, 1983).
        dampening: how much of the gradient is left out of the momentum, from 0 to 1; not in Keras.  With the same
            number as ``momentum`` the step is a mean of gradients, ``m = momentum * m + (1 - momentum) * g``.
        **kwargs: arguments of all optimizers, see :class:`Optimizer`.

    Example:
        >>> import numpy as np, pynn
        >>> model = pynn.Sequential([pynn.Input((1,)), pynn.layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(SGD(0.1), "mse")
        >>> x = np.array([[1.0], [2.0], [3.0]])
        >>> _ = model.fit(x, 2 * x + 1, epochs=300, verbose=0)
        >>> [round(float(w.value.item()), 1) for w in model.weights]
        [2.0, 1.0]
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        *,
        dampening: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        for name, value in (("momentum", momentum), ("dampening", dampening)):
            if not is_number(value) or not 0 <= value <= 1:
                raise ArgumentError(f"SGD: {name} must be a number from 0 to 1, received {value!r}")
        if dampening and (nesterov or not momentum):
            raise ArgumentError(
                f"SGD: dampening={dampening!r} needs momentum and no nesterov, received momentum={momentum!r} and "
                f"nesterov={nesterov!r}"
            )
        self.momentum, self.nesterov, self.dampening = momentum, bool(nesterov), dampening
        self.momentums: list[Variable] = []

    def make_slots(self, variables: Sequence[Variable]) -> None:
        if self.momentum:
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    def step_slots(self) -> list[list[Variable]]:
        return [self.momentums] if self.momentum else []

    def step_op(self, count: int, weight_decay: float) -> Step:
        return SgdStep(float(self.momentum), self.nesterov, count, weight_decay, float(self.dampening))

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
        # Only where it is used, so that Keras reads all other configs.
        return {**config, "dampening": self.dampening} if self.dampening else config
