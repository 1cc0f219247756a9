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
from pynn.utils.callers import users_line


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

    rank_0_only = True

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
        if self.save_best_only:
            self._find_direction()  # an error here names the argument
        if self._frequency.by_epoch:
            self._save(epoch, None, dict(logs or {}))

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> None:
        path = self._path(epoch, batch, logs)
        is_due, news = self._judge(logs, path)
        if news:
            self._say(epoch, news)
        if is_due:
            self._write(path)
            self._say(epoch, f"finished saving model to {path}")

    def _say(self, epoch: int, what: str) -> None:
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: {what}")

    def _write(self, path: Path) -> None:
        if path.is_dir():
            raise OSError(f"ModelCheckpoint: {path} is a directory; give filepath the name of a file")
        path.parent.mkdir(parents=True, exist_ok=True)
        write = self.model.save_weights if self.save_weights_only else self.model.save
        write(path, overwrite=True)

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> Path:
        fields = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return Path(self.filepath.format(**fields))
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: {self.filepath!r} names {error}, which is not there; there are {', '.join(fields)}"
            ) from error

    def _judge(self, logs: dict[str, Any], path: Path) -> tuple[bool, str]:
        """Whether to save, and what there is to say about it before; a new record is noted."""
        saving = f"saving model to {path}"
        if not self.save_best_only:
            return True, saving
        value = logs.get(self.monitor)
        if value is None or np.ndim(value):
            what = "it is missing" if value is None else f"received {value!r}"
            warnings.warn(
                f"ModelCheckpoint: the best can be told only with {self.monitor} available as one number, {what}; "
                "saved all the same",
                stacklevel=users_line(),
            )
            return True, ""
        record = "None" if self.best is None else f"{self.best:.5f}"
        if not self._beats(value, self.best):
            return False, f"{self.monitor} did not improve from {record}"
        self.best = value
        return True, f"{self.monitor} improved from {record} to {value:.5f}, {saving}"
