"""Schedules along a cosine (Loshchilov and Hutter, 2016)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.optimizers.schedules.schedule import Decay


class CosineDecay(Decay):
    """Half a cosine from ``initial_learning_rate`` down to ``alpha`` times it within ``decay_steps``.

    With ``warmup_target`` the rate first goes in a straight line from ``initial_learning_rate`` to ``warmup_target``
    within ``warmup_steps``, and then along the cosine from there.

    Example:
        >>> schedule = CosineDecay(0.5, decay_steps=100, warmup_target=1.0, warmup_steps=10)
        >>> [round(float(schedule(step)), 4) for step in (0, 5, 10, 60, 110)]
        [0.5, 0.75, 1.0, 0.5, 0.0]
    """

    _arguments = ("initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ):
        self.initial_learning_rate, self.decay_steps, self.alpha, self.name = (
            initial_learning_rate, decay_steps, alpha, name,
        )  # fmt: skip
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps
        self._check_positive("decay_steps")
        if isinstance(warmup_steps, bool) or not isinstance(warmup_steps, int | np.integer) or warmup_steps < 0:
            raise ArgumentError(f"CosineDecay: warmup_steps must be a whole number from 0, received {warmup_steps!r}")

    def rate(self, step: Any, xp: Any) -> Any:
        if self.warmup_target is None or not self.warmup_steps:
            top = self.initial_learning_rate if self.warmup_target is None else self.warmup_target
            return top * self._cosine(xp.minimum(step, float(self.decay_steps)), xp)
        step = xp.minimum(step, float(self.decay_steps + self.warmup_steps))
        rise = self.warmup_target - self.initial_learning_rate
        return xp.where(
            xp.less(step, float(self.warmup_steps)),
            rise * (step / self.warmup_steps) + self.initial_learning_rate,
            self.warmup_target * self._cosine(step - self.warmup_steps, xp),
        )

    def _cosine(self, step: Any, xp: Any) -> Any:
        return (1 - self.alpha) * (0.5 * (1.0 + xp.cos(math.pi * (step / self.decay_steps)))) + self.alpha


class CosineDecayRestarts(Decay):
    """Half cosines from ``initial_learning_rate`` down to ``alpha`` times it, again and again.

    The first takes ``first_decay_steps``, each next one ``t_mul`` times as long and begins ``m_mul`` times as high.

    Example:
        >>> schedule = CosineDecayRestarts(1.0, first_decay_steps=10)
        >>> [round(float(schedule(step)), 4) for step in (0, 5, 20, 29)]
        [1.0, 0.5, 0.5, 0.0062]
    """

    _arguments = ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ):
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name
        self._check_positive("first_decay_steps")
        self._check_positive("t_mul")

    def rate(self, step: Any, xp: Any) -> Any:
        done = step / self.first_decay_steps
        if self.t_mul == 1.0:
            restart = xp.floor(done)
            done = done - restart
        else:
            # The first i cosines take (1 - t_mul^i) / (1 - t_mul) * first_decay_steps, a geometric sum.
            # In float32 throughout, as in Keras: at a restart, rounding decides on which side of it the step lies.
            restart = xp.floor(xp.log(1.0 - done * (1.0 - self.t_mul)) / np.log(np.float32(self.t_mul)))
            length = xp.power(self.t_mul, restart)
            done = (done - (1.0 - length) / (1.0 - self.t_mul)) / length
        height = xp.power(self.m_mul, restart)
        cosine = 0.5 * height * (1.0 + xp.cos(math.pi * done))
        return self.initial_learning_rate * ((1 - self.alpha) * cosine + self.alpha)
