"""Saves the model while it is trained."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from pynn.callbacks.callback import Logs
from pynn.callbacks.monitor_callback import MonitorCallback
from pynn.callbacks.save_frequency import SaveFrequency
from pynn.errors import ArgumentError


class ModelCheckpoint(MonitorCallback):
    """Save the model, or its weights, after each epoch or after a number of batches.

    Args:
        filepath: where to; it may hold fields such as ``{epoch:02d}`` and ``{val_loss:.2f}``, ``{batch}`` for batches.
            ``*.keras`` or ``*.h5`` for models; ``*.weights.h5`` for weights, or ``*.safetensors`` or ``*.npz``.
        monitor: the quantity that decides what is best.
        verbose: 1 prints a line whenever something is saved.
        save_best_only: leave the file alone when ``monitor`` has not improved.
        save_weights_only: weights instead of the whole model.
        mode: ``"min"``, ``"max"``, or ``"auto"``: as the metric itself says.
        save_freq: ``"epoch"``, or after how many batches.
        initial_value_threshold: the first value to beat.

    A file is replaced at once or not at all: a killed process leaves the one before.

    Raises:
        ArgumentError: a name of another ending, or a frequency that is none.

    Example:

    >>> import pynn
    >>> best = pynn.callbacks.ModelCheckpoint("model.keras", monitor="val_loss", save_best_only=True)
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = str(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._frequency = SaveFrequency("ModelCheckpoint", save_freq)
        self._epoch = 0
        endings = (".weights.h5", ".safetensors", ".npz") if save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(endings):
            what = "save_weights_only=True" if save_weights_only else "whole models"
            raise ArgumentError(
                f"ModelCheckpoint: filepath must end in {' or '.join(endings)} for {what}, received {self.filepath!r}"
            )

    def listens_to(self, hook: str) -> bool:
        if hook == "on_train_batch_end" and self._frequency.by_epoch:
            return False
        return super().listens_to(hook)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self._frequency.is_due(batch):
            self._save(self._epoch, batch, dict(logs or {}))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_best_only and self.monitor_op is None:
            self._set_monitor_op()
        if self._frequency.by_epoch:
            self._save(epoch, None, dict(logs or {}))

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> None:
        path = self._path(epoch, batch, logs)
        if not self._should_save(epoch, logs, path):
            return
        if path.is_dir():
            raise OSError(f"ModelCheckpoint: {path} is a directory; give filepath the name of a file")
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: finished saving model to {path}")

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> Path:
        fields = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return Path(self.filepath.format(**fields))
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: {self.filepath!r} names {error}, which is not there; there are {', '.join(fields)}"
            ) from error

    def _should_save(self, epoch: int, logs: dict[str, Any], path: Path) -> bool:
        if not self.save_best_only:
            if self.verbose > 0:
                print(f"\nEpoch {epoch + 1}: saving model to {path}")
            return True
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(f"Can save best model only with {self.monitor} available.", stacklevel=4)
            return True
        if np.ndim(current):
            warnings.warn(f"Can save best model only when {self.monitor} is a number, it is {current!r}.", stacklevel=4)
            return True
        best = "None" if self.best is None else f"{self.best:.5f}"
        improved = self._is_improvement(current, self.best)
        if self.verbose > 0:
            what = f"improved from {best} to {current:.5f}, saving model to {path}"
            print(f"\nEpoch {epoch + 1}: {self.monitor} {what if improved else f'did not improve from {best}'}")
        if improved:
            self.best = current
        return improved
