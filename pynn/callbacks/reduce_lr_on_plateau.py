"""Lowers the learning rate when training does not get on."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.callbacks.callback import Logs
from pynn.callbacks.learning_rate_scheduler import learning_rate_of, log_learning_rate
from pynn.callbacks.monitor_callback import MonitorCallback
from pynn.errors import ArgumentError


class ReduceLROnPlateau(MonitorCallback):
    """Multiply the learning rate by ``factor`` after epochs in which a metric did not get better.

    Args:
        monitor: name of the quantity in the epoch's logs.
        factor: below 1.
        patience: number of epochs without improvement after which the rate is lowered.
        verbose: 1 prints a line when it is.
        mode: ``"min"``, ``"max"``, or ``"auto"``: as the metric itself says.
        min_delta: differences up to this are no improvement.
        cooldown: number of epochs after a reduction in which nothing is counted.
        min_lr: the rate never gets below this.

    The rate is in the epoch's logs as ``learning_rate``.

    Example:

    >>> import pynn
    >>> reduce = pynn.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.2, patience=5, min_lr=1e-5)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise ArgumentError(f"ReduceLROnPlateau: unknown argument {', '.join(kwargs)}")
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ArgumentError(f"ReduceLROnPlateau: factor must be below 1, received {factor!r}")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._begin()

    def _begin(self) -> None:
        """Forget what earlier fits have shown: one object can serve several."""
        self.best = None
        self.wait = self.cooldown_counter = 0

    def in_cooldown(self) -> bool:
        """Whether the last reduction is so recent that nothing is counted."""
        return self.cooldown_counter > 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        log_learning_rate(self.model, logs)
        value = self._watched(logs)
        if value is None:
            return
        rested = self.in_cooldown()
        if rested:
            self.cooldown_counter -= 1
        if self._beats(value, self.best):
            self.best, self.wait = value, 0
            return
        # The epoch that ends a cooldown is the first that counts again.
        self.wait = 0 if rested else self.wait
        if self.in_cooldown():
            return
        self.wait += 1
        if self.wait >= self.patience:
            self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        rate = learning_rate_of(self.model)
        if rate <= np.float32(self.min_lr):  # optimizers keep their rate in float32
            return
        rate = max(rate * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = rate
        self.wait, self.cooldown_counter = 0, self.cooldown
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate}.")
