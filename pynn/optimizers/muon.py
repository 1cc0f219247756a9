"""Muon."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.optimizers.arguments import check_count, check_number
from pynn.optimizers.optimizer import Optimizer


class Muon(Optimizer):
    """Steps of matrices with all singular values near 1, by Newton and Schulz's iteration (Jordan et al., 2024).

    Weights that are no matrices, embeddings and ``exclude_layers`` follow AdamW.

    Args:
        learning_rate: a number from 0, or a schedule.
        adam_beta_1, adam_beta_2, adam_weight_decay, epsilon: of AdamW.
        weight_decay: of matrices; None for none.
        clipnorm ... name: arguments of all optimizers, see :class:`Optimizer`.
        exclude_layers: patterns; weights whose path matches one follow AdamW.
        exclude_embeddings: embeddings follow AdamW.
        muon_a, muon_b, muon_c: coefficients of the iteration.
        adam_lr_ratio: AdamW's learning rate, relative to ``learning_rate``.
        momentum: of matrices.
        ns_steps: steps of the iteration.
        nesterov: look ahead along the momentum.
        rms_rate: scales the step of an ``(m, n)`` matrix by ``rms_rate * sqrt(max(m, n))``; None does not.
        **kwargs: arguments of all optimizers, see :class:`Optimizer`.

    Example:
        >>> Muon(0.02).get_config()["ns_steps"]
        5
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ):
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        self.adam_beta_1 = check_number(self, "adam_beta_1", adam_beta_1, above=1)
        self.adam_beta_2 = check_number(self, "adam_beta_2", adam_beta_2, above=1)
        self.epsilon = check_number(self, "epsilon", epsilon)
        self.adam_lr_ratio = check_number(self, "adam_lr_ratio", adam_lr_ratio)
        self.momentum = check_number(self, "momentum", momentum)
        check_count(self, "ns_steps", ns_steps, 1)
        self.exclude_layers = list(exclude_layers or [])
        self.adam_weight_decay, self.exclude_embeddings = adam_weight_decay, bool(exclude_embeddings)
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.ns_steps, self.nesterov, self.rms_rate = ns_steps, bool(nesterov), rms_rate

    def _follows_adamw(self, variable: Variable) -> bool:
        return (
            len(variable.shape) != 2
            or (self.exclude_embeddings and "embedding" in variable.path.lower())
            or any(re.search(pattern, variable.path) for pattern in self.exclude_layers)
        )

    def make_slots(self, variables: Sequence[Variable]) -> None:
        self.momentums: list[Variable] = []
        self.adam_velocities: list[Variable | None] = []
        for v in variables:
            self.momentums.append(self.add_variable_from_reference(v, "momentum"))
            adam = self._follows_adamw(v)
            self.adam_velocities.append(self.add_variable_from_reference(v, "velocity") if adam else None)

    def update_step(self, gradient: Value, variable: Variable, learning_rate: Any) -> None:
        i = self._get_variable_index(variable)
        m, v = self.momentums[i], self.adam_velocities[i]
        if v is not None:
            self._adam_step(gradient, variable, learning_rate * self.adam_lr_ratio, m, v)
            return
        m.assign_add(gradient + m * (self.momentum - 1.0))
        update = self._orthogonal(gradient + self.momentum * m if self.nesterov else m.value)
        scale = 1.0 if self.rms_rate is None else math.sqrt(max(variable.shape)) * self.rms_rate
        variable.assign_sub(learning_rate * update * scale)

    def _adam_step(self, gradient: Value, variable: Variable, rate: Any, m: Variable, v: Variable) -> None:
        new = ops.adam_step(
            rate, self.iterations, [variable], [gradient], [m], [v], self.adam_beta_1, self.adam_beta_2, self.epsilon
        )
        for target, (value,) in zip((variable, m, v), new, strict=True):
            target.assign(value)

    def _orthogonal(self, x: Any) -> Any:
        """``x`` with singular values near 1."""
        tall = x.shape[0] > x.shape[1]
        if tall:
            x = ops.transpose(x)
        x = x / (ops.sqrt(ops.sum(ops.square(x))) + 1e-7)
        for _ in range(self.ns_steps):
            a = ops.matmul(x, ops.transpose(x))
            b = self.muon_b * a + self.muon_c * ops.matmul(a, a)
            x = self.muon_a * x + ops.matmul(b, x)
        return ops.transpose(x) if tall else x

    def _apply_weight_decay(self, variables: Sequence[Variable], rate: Any) -> None:
        for v in variables:
            decay = self.adam_weight_decay if self._follows_adamw(v) else self.weight_decay
            if decay is not None and self._use_weight_decay(v):
                v.assign(v - v * (decay * rate))

    def get_config(self) -> dict[str, Any]:
        names = (
            "adam_beta_1", "adam_beta_2", "epsilon", "exclude_layers", "muon_a", "muon_b", "muon_c", "adam_lr_ratio",
            "momentum", "ns_steps", "nesterov", "exclude_embeddings", "adam_weight_decay", "rms_rate",
        )  # fmt: skip
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
