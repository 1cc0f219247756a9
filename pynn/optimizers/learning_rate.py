"""The learning rate of an optimizer: a number in a variable, put there before each step if there is a schedule."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.graph import trace
from pynn.graph.tensor import Tensor
from pynn.graph.variable import Variable
from pynn.optimizers.schedules import LearningRateSchedule


class FixedScheduleError(ArgumentError, TypeError):
    """A learning rate was set on an optimizer that follows a schedule."""


class HasLearningRate:
    """What optimizers know about their learning rate.

    Compiled steps read a variable, so changing the rate never compiles anything again; a schedule is evaluated on the
    host, before each step.
    """

    name: str
    _iterations: Variable
    _learning_rate: Variable
    _schedule: Callable[..., Any] | None = None
    _takes_step = True

    @property
    def learning_rate(self) -> Any:
        """The variable that holds it (``float()`` gives the number), or what the schedule gives for the next step.

        Assign a number, a schedule, or a function that gives a number (of the step number, or of nothing)."""
        if self._schedule is None or trace.is_tracing():
            return self._learning_rate
        return np.asarray(self._scheduled(), "float32").view(Tensor)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, Variable):
            value = float(value)
        if callable(value):
            self._takes_step = isinstance(value, LearningRateSchedule) or _takes_an_argument(value)
            self._schedule = value
            self._learning_rate.assign(self._scheduled())
            return
        if isinstance(self._schedule, LearningRateSchedule):
            raise FixedScheduleError(
                f"{type(self).__name__} '{self.name}' was created with a LearningRateSchedule, hence its learning rate "
                "is not settable; give the optimizer a number as learning_rate if it is to be set later"
            )
        if isinstance(value, bool) or not isinstance(value, int | float | np.number | np.ndarray):
            raise self._bad_rate(value)
        if np.ndim(value) or not np.isfinite(value) or value < 0:
            raise self._bad_rate(value)
        self._schedule = None
        self._learning_rate.assign(value)

    def _bad_rate(self, value: Any) -> ArgumentError:
        return ArgumentError(
            f"{type(self).__name__}: learning_rate must be a number from 0, or a schedule (a function of the step "
            f"number), received {value!r}"
        )

    def _scheduled(self) -> float:
        assert self._schedule is not None
        step = int(self._iterations)
        with trace.suspended():
            if isinstance(self._schedule, LearningRateSchedule):
                # An array: ops called on Python's own numbers would be compiled for each of them.
                rate = self._schedule(np.asarray(step, "int32").view(Tensor))
            else:
                rate = self._schedule(step) if self._takes_step else self._schedule()
        number = float(np.asarray(rate))
        if not np.isfinite(number) or number < 0:
            raise ArgumentError(
                f"{type(self).__name__}: the learning rate schedule gave {number} for step {step}; "
                "it must give a number from 0"
            )
        return number

    def _rate(self, stateless: bool = False) -> Any:
        """The learning rate of the step that is being traced: the variable, which the host fills before each run; or,
        for a step without state, what the schedule gives for the step number that was passed in."""
        if not stateless or self._schedule is None:
            return self._learning_rate
        if not isinstance(self._schedule, LearningRateSchedule):
            raise ArgumentError(
                f"{type(self).__name__}.stateless_apply: the learning rate is a Python function, which is not traced; "
                "make it a number or a LearningRateSchedule"
            )
        return self._schedule(trace.current().read(self._iterations))

    def prepare_step(self) -> None:
        """On the host, before each step: put the scheduled learning rate in place."""
        if self._schedule is not None:
            self._learning_rate.assign(self._scheduled())


def _takes_an_argument(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # built-in functions have none
        return True
    return any(p.kind not in (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD) for p in parameters)
