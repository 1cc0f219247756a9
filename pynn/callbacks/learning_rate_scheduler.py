"""Sets the learning rate of each epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable, MutableMapping
from typing import Any

import numpy as np

from pynn.callbacks.callback import Callback, Logs
from pynn.errors import ArgumentError


class LearningRateScheduler(Callback):
    """Ask a function for the learning rate before each epoch.

    Args:
        schedule: ``f(epoch, learning_rate)``, or of the epoch alone; gives the new rate as a float.
        verbose: 1 prints a line per epoch.

    The rate is in the epoch's logs as ``learning_rate``.

    Raises:
        ArgumentError: the function gave no float.

    Example:

    >>> import pynn
    >>> halved = pynn.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        optimizer = self.model.optimizer
        rate = self._ask(epoch, learning_rate_of(self.model))
        if not isinstance(rate, float | np.floating):
            raise ArgumentError(
                f"LearningRateScheduler: schedule must give a float, it gave {rate!r} for epoch {epoch}; "
                "write float(...) around it"
            )
        optimizer.learning_rate = rate
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def _ask(self, epoch: int, rate: float) -> Any:
        try:
            inspect.signature(self.schedule).bind(epoch, rate)
        except TypeError:
            return self.schedule(epoch)
        except ValueError:  # a builtin that does not say what it takes
            pass
        return self.schedule(epoch, rate)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        log_learning_rate(self.model, logs)


def learning_rate_of(model: Any) -> float:
    """The rate that the next step of ``model`` uses."""
    return float(np.asarray(model.optimizer.learning_rate))


def log_learning_rate(model: Any, logs: Logs | None) -> None:
    """Put the learning rate into an epoch's logs, for the callbacks that come later."""
    if isinstance(logs, MutableMapping):
        logs["learning_rate"] = learning_rate_of(model)
