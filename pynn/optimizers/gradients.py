"""What happens to gradients before a step: they are checked, clipped, and gathered over several runs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.variable import Variable
from pynn.optimizers.own_variables import HasVariables
from pynn.optimizers.updates import clip_by_global_norm, clip_by_norm, keep_where
from pynn.utils.callers import users_line


class TreatsGradients(HasVariables):
    """Clipping and accumulation."""

    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    _accumulated_gradients: list[Variable]

    def _update(self, grads: list[Any], variables: list[Variable], rate: Any) -> None:
        raise NotImplementedError

    def _check_gradients(self, grads: Sequence[Any], variables: Sequence[Variable]) -> None:
        who = type(self).__name__
        if len(grads) != len(variables):
            raise ShapeError(f"{who}.apply: received {len(grads)} gradients for {len(variables)} variables")
        for g, v in zip(grads, variables, strict=True):
            shape = v.shape if g is None else tuple(g.shape if hasattr(g, "shape") else np.shape(g))
            if shape != v.shape:
                raise ShapeError(f"{who}.apply: the gradient of '{v.path}' has shape {shape}, expected {v.shape}")
        missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
        if missing and len(missing) == len(grads):
            raise ArgumentError(f"{who}.apply: no gradients provided for any variable ({', '.join(missing)})")
        if missing:
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the loss: the loss does not depend "
                "on them",
                stacklevel=users_line(),
            )

    def _clipped(self, grads: list[Any]) -> list[Any]:
        if self.clipnorm:
            return [clip_by_norm(g, self.clipnorm) for g in grads]
        if self.global_clipnorm:
            return clip_by_global_norm(grads, self.global_clipnorm)
        if self.clipvalue:
            return [ops.clip(g, -self.clipvalue, self.clipvalue) for g in grads]
        return grads

    def _accumulate(self, grads: list[Any], variables: list[Variable], rate: Any) -> None:
        """Update in every n-th run only, with the mean of the gradients since the last one."""
        steps = self.gradient_accumulation_steps
        now = ops.equal((self._iterations + 1) % steps, 0)
        sums = self.slots(self._accumulated_gradients, variables)
        totals = [total + g for total, g in zip(sums, grads, strict=True)]
        state = [*variables, *(v for v in self._variables if v is not self._iterations)]
        keep_where(now, state, lambda: self._update([total / steps for total in totals], variables, rate))
        for variable, total in zip(sums, totals, strict=True):
            variable.assign(ops.where(now, 0.0, total))
