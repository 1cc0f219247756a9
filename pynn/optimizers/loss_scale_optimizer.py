"""An optimizer around another one, which scales the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.optimizers.arguments import SHARED, check_count, check_number
from pynn.optimizers.optimizer import Optimizer
from pynn.optimizers.updates import keep_where

_LARGEST = float(np.finfo("float32").max)


class LossScaleOptimizer(Optimizer):
    """Scales the loss up and gradients down, so that small gradients do not vanish in numbers of few bits.

    The scale is doubled after ``dynamic_growth_steps`` steps with finite gradients.  A step whose gradients are not all
    finite changes no weight, and halves it.

    Args:
        inner_optimizer: makes the steps.
        initial_scale: where the scale begins.
        dynamic_growth_steps: see above.
        **kwargs: only ``name``; all else belongs to the inner optimizer.

    Example:
        >>> from pynn.optimizers.sgd import SGD
        >>> w, optimizer = Variable([1.0], name="w"), LossScaleOptimizer(SGD(0.1), initial_scale=4.0)
        >>> optimizer.apply([np.array([8.0])], [w])  # of the scaled loss
        >>> w.numpy()
        array([0.8], dtype=float32)
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        **kwargs: Any,
    ):
        if not kwargs.pop("dynamic", True):
            raise ArgumentError(
                "LossScaleOptimizer: dynamic=False is not supported; set loss_scale_factor on the inner optimizer"
            )
        for name in SHARED:
            if (value := kwargs.pop(name, SHARED[name])) != SHARED[name]:
                raise ArgumentError(f"LossScaleOptimizer: set {name}={value!r} on the inner optimizer instead")
        if not isinstance(inner_optimizer, Optimizer):
            raise ArgumentError(
                f"LossScaleOptimizer: inner_optimizer must be an Optimizer object, received {inner_optimizer!r}"
            )
        self._inner: Optimizer | None = None
        super().__init__(0.0, **kwargs)
        check_count(self, "dynamic_growth_steps", dynamic_growth_steps, 1)
        self.initial_scale = check_number(self, "initial_scale", initial_scale)
        self.dynamic_growth_steps = dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None
        self.inner_optimizer = self._inner = inner_optimizer

    def build(self, variables: Sequence[Variable]) -> None:
        if not self.built:
            self.step_counter = self._own(np.zeros((), np.int64), "step_counter")
            self.dynamic_scale = self._own(np.asarray(self.initial_scale, "float32"), "dynamic_scale")
            self.inner_optimizer.ensure_built(variables)
        super().build(variables)

    @property
    def variables(self) -> list[Variable]:
        """Its own, then those of the inner optimizer."""
        return self._variables + (self._inner.variables if self._inner is not None else [])

    @property
    def iterations(self) -> Any:
        """How many updates the inner optimizer has made."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """That of the inner optimizer."""
        return self._learning_rate if self._inner is None else self._inner.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if self._inner is not None:
            self._inner.learning_rate = value

    def _rate(self, stateless: bool = False) -> Any:
        return self.inner_optimizer._rate(stateless)

    def prepare_step(self) -> None:
        self.inner_optimizer.prepare_step()

    def _record_step(self, grads: list[Any], variables: list[Variable], rate: Any) -> None:
        inner, current = self.inner_optimizer, trace.current()
        finite: Any = None
        for g in grads:
            small = ops.all(ops.less_equal(ops.abs(g), _LARGEST))  # false for NaN
            finite = small if finite is None else ops.logical_and(finite, small)
        scale: Value = current.read(self.dynamic_scale)
        unscaled = [g / scale for g in grads]
        keep_where(finite, [*variables, *inner.variables], lambda: inner._record_step(unscaled, variables, rate))
        full = ops.equal(self.step_counter, self.dynamic_growth_steps - 1)
        self.dynamic_scale.assign(ops.where(finite, ops.where(full, scale * 2.0, scale), scale * 0.5))
        again = ops.logical_or(ops.logical_not(finite), full)
        self.step_counter.assign(ops.where(again, ops.cast(0, "int64"), ops.increment(self.step_counter)))

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the scale."""
        return loss * (self.dynamic_scale if self.built else self.initial_scale)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    def swap_ema_values(self) -> None:
        self.inner_optimizer.swap_ema_values()

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """That of the inner optimizer."""
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def get_config(self) -> dict[str, Any]:
        from pynn.saving.serialization import serialize_keras_object

        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        from pynn.saving.serialization import deserialize_keras_object

        inner = config["inner_optimizer"]
        if isinstance(inner, dict):
            inner = deserialize_keras_object(inner, custom_objects)
        return cls(**{**config, "inner_optimizer": inner})
