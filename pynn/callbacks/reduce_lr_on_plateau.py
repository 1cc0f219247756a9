"""Lowers the learning rate when training does not get on."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from pynn.callbacks.callback import Logs
from pynn.callbacks.learning_rate_scheduler import log_learning_rate
from pynn.callbacks.monitor_callback import MonitorCallback
from pynn.errors import ArgumentError


class ReduceLROnPlateau(MonitorCallback):
    """Multiply the learning rate by ``factor`` when a monitored metric has stopped improving.

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
        self.cooldown_counter = 0
        self.wait = 0

    def in_cooldown(self) -> bool:
        return self.cooldown_counter > 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        # One object can serve several fits.
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.monitor_op is None:
            self._set_monitor_op()
        log_learning_rate(self.model, logs)
        current = (logs or {}).get(self.monitor)
        if current is None:
            warnings.warn(
                f"ReduceLROnPlateau conditioned on metric `{self.monitor}` which is not available. "
                f"Available metrics are: {','.join(logs or {})}",
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        optimizer = self.model.optimizer
        old = float(np.asarray(optimizer.learning_rate))
        if old <= np.float32(self.min_lr):
            return
        new = max(old * self.factor, self.min_lr)
        optimizer.learning_rate = new
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
        self.cooldown_counter = self.cooldown
        self.wait = 0
