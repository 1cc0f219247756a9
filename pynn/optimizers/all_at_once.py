"""Optimizers that update all variables of a model in one op."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.optimizers.optimizer import Optimizer


class AllAtOnce(Optimizer):
    """Base: a subclass defines ``step(grads, variables, learning_rate)``.

    Users' subclasses may still replace ``update_step``; variables are then updated one after the other.
    """

    def step(self, grads: Sequence[Value], variables: Sequence[Variable], learning_rate: Any) -> None:
        """Record the update of all variables and of their slots."""
        raise NotImplementedError(f"optimizer {type(self).__name__} must define step(grads, variables, learning_rate)")

    def update_step(self, gradient: Value, variable: Variable, learning_rate: Any) -> None:
        self.step([gradient], [variable], learning_rate)

    def update_variables(self, grads: Sequence[Value], variables: Sequence[Variable], learning_rate: Any) -> None:
        if type(self).update_step is not AllAtOnce.update_step:
            super().update_variables(grads, variables, learning_rate)
        else:
            self.step(grads, variables, learning_rate)
