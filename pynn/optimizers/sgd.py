"""Gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if wanted.

    ``w = w - lr * g``; with momentum ``v = momentum * v - lr * g`` and ``w = w + v``, or, with ``nesterov``,
    ``w = w + momentum * v - lr * g``.

    Args:
        learning_rate: a number from 0, or a schedule: a function of the step number.
        momentum: how much of the last step is kept, from 0 to 1.
        nesterov: looks ahead along the momentum (Nesterov, 1983).

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
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, name, **kwargs)
        if isinstance(momentum, bool) or not isinstance(momentum, int | float) or not 0 <= momentum <= 1:
            raise ArgumentError(f"SGD: momentum must be a number from 0 to 1, received {momentum!r}")
        self.momentum, self.nesterov = momentum, bool(nesterov)
        self._velocities: list[Variable] = []

    def make_slots(self, variables: Sequence[Variable]) -> None:
        if self.momentum:
            self._velocities = [self.add_slot(v, "momentum") for v in variables]

    def step(self, grads: Sequence[Value], variables: Sequence[Variable]) -> None:
        velocities = self.slots(self._velocities, variables) if self.momentum else []
        new, moved = ops.sgd_step(self.learning_rate, variables, grads, velocities, self.momentum, self.nesterov)
        for variable, value in zip([*variables, *velocities], [*new, *moved], strict=True):
            variable.assign(value)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
