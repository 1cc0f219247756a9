"""Schedules that follow one curve: exponential, inverse time, polynomial, piecewise constant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.errors import ArgumentError
from pynn.optimizers.schedules.schedule import Decay


class ExponentialDecay(Decay):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``; the exponent is rounded down if ``staircase``.

    Example:
        >>> schedule = ExponentialDecay(0.5, decay_steps=100, decay_rate=0.5)
        >>> float(schedule(200))
        0.125
    """

    _arguments = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ):
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name
        self._check_positive("decay_steps")

    def rate(self, step: Any, xp: Any) -> Any:
        p = step / self.decay_steps
        return self.initial_learning_rate * xp.power(self.decay_rate, xp.floor(p) if self.staircase else p)


class InverseTimeDecay(Decay):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``; the fraction is rounded down if ``staircase``.

    Example:
        >>> schedule = InverseTimeDecay(0.5, decay_steps=100, decay_rate=1.0)
        >>> float(schedule(100))
        0.25
    """

    _arguments = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ):
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name
        self._check_positive("decay_steps")

    def rate(self, step: Any, xp: Any) -> Any:
        p = step / self.decay_steps
        return self.initial_learning_rate / (1.0 + self.decay_rate * (xp.floor(p) if self.staircase else p))


class PolynomialDecay(Decay):
    """From ``initial_learning_rate`` to ``end_learning_rate`` within ``decay_steps``, along
    ``(1 - step / decay_steps) ** power``.

    With ``cycle``, ``decay_steps`` is doubled, tripled ... when ``step`` goes beyond it, and the rate rises again.

    Example:
        >>> schedule = PolynomialDecay(1.0, decay_steps=100, end_learning_rate=0.5)
        >>> float(schedule(50)), float(schedule(1000))
        (0.75, 0.5)
    """

    _arguments = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ):
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power, self.cycle, self.name = end_learning_rate, power, cycle, name
        self._check_positive("decay_steps")

    def rate(self, step: Any, xp: Any) -> Any:
        if self.cycle:
            # Rounded up; in step 0, which has not gone beyond anything, 1.
            rounds = xp.maximum(1.0, -xp.floor(-step / self.decay_steps))
            p = step / (self.decay_steps * rounds)
        else:
            p = xp.minimum(step, float(self.decay_steps)) / self.decay_steps
        return (self.initial_learning_rate - self.end_learning_rate) * xp.power(1.0 - p, self.power) + (
            self.end_learning_rate
        )


class PiecewiseConstantDecay(Decay):
    """``values[0]`` up to and including step ``boundaries[0]``, then ``values[1]`` up to ``boundaries[1]`` ...

    Example:
        >>> schedule = PiecewiseConstantDecay([100, 200], [1.0, 0.5, 0.25])
        >>> float(schedule(100)), float(schedule(101)), float(schedule(1000))
        (1.0, 0.5, 0.25)
    """

    _arguments = ("boundaries", "values", "name")

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ArgumentError(
                "PiecewiseConstantDecay: the length of boundaries should be 1 less than the length of values, received "
                f"boundaries={boundaries} of length {len(boundaries)} and values={values} of length {len(values)}"
            )
        self.boundaries, self.values, self.name = boundaries, values, name

    def rate(self, step: Any, xp: Any) -> Any:
        if xp is not ops:
            return self.values[sum(bool(step > b) for b in self.boundaries)]
        rate = ops.cast(self.values[0], "float32")
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            rate = ops.where(ops.greater(step, float(boundary)), float(value), rate)
        return rate
