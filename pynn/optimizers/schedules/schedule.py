"""Learning rate schedules: a learning rate for each step."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.graph.refusals import RefusingConstructor
from pynn.graph.tensor import Tensor
from pynn.graph.variable import Variable


class LearningRateSchedule(RefusingConstructor):
    """Base of schedules: ``schedule(step)`` gives the learning rate.

    A subclass defines ``__call__(step)``, with Python's arithmetic or ``pynn.ops`` (``step`` is an array that holds a
    whole number), and ``get_config`` if models that use it are to be saved.

    Example:
        >>> class Halved(LearningRateSchedule):
        ...     def __init__(self, start):
        ...         self.start = start
        ...     def __call__(self, step):
        ...         return self.start if step < 100 else self.start / 2
        ...     def get_config(self):
        ...         return {"start": self.start}
        >>> float(Halved(0.5)(250))
        0.25
    """

    def __call__(self, step: Any) -> Any:
        """The learning rate of step number ``step``."""
        raise NotImplementedError(
            f"learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`"
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        raise NotImplementedError(
            f"learning rate schedule '{type(self).__name__}' must override `get_config()` in order to be serializable"
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A schedule with these arguments."""
        return cls(**config)


class Decay(LearningRateSchedule):
    """Base of pynn's own schedules: ``rate(step, xp)`` is the formula, ``step`` a float32 number.

    ``xp`` has the mathematics: NumPy for numbers, since this is computed before each step of training, and
    ``pynn.ops`` for traced values.
    """

    #: The constructor's arguments, in the order of the config.
    _arguments: tuple[str, ...] = ()
    #: Those that are plain numbers.
    _numbers: ClassVar[tuple[str, ...]] = (
        "initial_learning_rate", "end_learning_rate", "decay_rate", "alpha", "m_mul", "power", "warmup_target",
    )  # fmt: skip

    def _check_numbers(self) -> None:
        """What the curve is computed with must be numbers; None is one argument's way to say that there is none."""
        for name in self._numbers:
            value = getattr(self, name, 0.0)
            if value is None and name == "warmup_target":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float | np.number):
                raise ArgumentError(f"{type(self).__name__}: {name} must be a number, received {value!r}")
        for name in ("staircase", "cycle"):
            if not isinstance(getattr(self, name, False), bool | np.bool_):
                raise ArgumentError(
                    f"{type(self).__name__}: {name} must be True or False, received {getattr(self, name)!r}"
                )

    def __call__(self, step: Any) -> Any:
        if isinstance(step, Value) or trace.is_tracing():
            return self.rate(ops.cast(step, "float32"), ops)
        if isinstance(step, Variable):
            step = step.numpy()
        return np.asarray(self.rate(np.float32(step), np), "float32").view(Tensor)

    def rate(self, step: Any, xp: Any) -> Any:
        """The learning rate."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._arguments}

    def __repr__(self) -> str:
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items())
        return f"{type(self).__name__}({arguments})"

    def _check_positive(self, name: str) -> None:
        self._check_numbers()
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not value > 0:
            raise ArgumentError(f"{type(self).__name__}: `{name}` must be > 0, received {name}={value!r}")
