"""Optimizers that update all variables of a model in one op."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.ops.optimizer_step import Step, optimizer_step
from pynn.optimizers.optimizer import Optimizer


class AllAtOnce(Optimizer):
    """Base: a subclass defines ``step_op(count, weight_decay)``, and the slots that this op wants.

    Weight decay is part of the op.  Users' subclasses may still replace ``update_step``; variables are then updated one
    after the other.
    """

    def step_op(self, count: int, weight_decay: float) -> Step:
        """The op that updates so many variables."""
        raise NotImplementedError(f"optimizer {type(self).__name__} must define step_op(count, weight_decay)")

    def step_slots(self) -> list[list[Variable]]:
        """The op's slots, each with one variable for each of :meth:`build`."""
        return []

    def step_scalars(self, dtype: str) -> list[Any]:
        """The op's numbers behind the learning rate."""
        return []

    def update_step(self, gradient: Value, variable: Variable, learning_rate: Any) -> None:
        self._step([gradient], [variable], learning_rate, 0.0)

    def update_variables(self, grads: Sequence[Value], variables: Sequence[Variable], learning_rate: Any) -> None:
        if self._one_by_one():
            super().update_variables(grads, variables, learning_rate)
            return
        groups: dict[tuple[float, str], list[tuple[Value, Variable]]] = {}
        for gradient, variable in zip(grads, variables, strict=True):
            decay = self.weight_decay if self.weight_decay and self._use_weight_decay(variable) else 0.0
            groups.setdefault((decay, variable.dtype), []).append((gradient, variable))
        for (decay, _), pairs in groups.items():
            self._step([g for g, _ in pairs], [v for _, v in pairs], learning_rate, decay)

    def _step(self, grads: Sequence[Value], variables: Sequence[Variable], rate: Any, decay: float) -> None:
        dtype = variables[0].dtype
        slots = [self.slots(group, variables) for group in self.step_slots()]
        scalars = [ops.cast(rate, dtype), *self.step_scalars(dtype)]
        gradients = [ops.cast(g, dtype) for g in grads]
        new = optimizer_step(self.step_op(len(variables), float(decay)), scalars, variables, gradients, *slots)
        for group, values in zip([variables, *slots], new, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)

    def _apply_weight_decay(self, variables: Sequence[Variable], rate: Any) -> None:
        if self._one_by_one():
            super()._apply_weight_decay(variables, rate)

    def _one_by_one(self) -> bool:
        return type(self).update_step is not AllAtOnce.update_step
