"""Stops a training that does not improve any more."""

from __future__ import annotations

from typing import Any

from pynn.callbacks.callback import Logs
from pynn.callbacks.monitor_callback import MonitorCallback


class EarlyStopping(MonitorCallback):
    """End a training early, once its epochs no longer make a metric better.

    Args:
        monitor: name of the quantity in the epoch's logs.
        min_delta: differences up to this are no improvement.
        patience: number of epochs without improvement after which training stops.
        verbose: 1 prints a line when training is stopped.
        mode: ``"min"``, ``"max"``, or ``"auto"``: as the metric itself says.
        baseline: stop unless the metric gets better than this within ``patience`` epochs.
        restore_best_weights: put the weights of the best epoch back at the end, otherwise keep the last ones.
        start_from_epoch: epochs before this one are not watched.

    Example:

    >>> import pynn
    >>> stop = pynn.callbacks.EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._begin()

    def _begin(self) -> None:
        """Forget what earlier fits have shown: one object can serve several."""
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = None
        self.best_weights: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        value = self._watched(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        # The first epoch watched is a record whatever its value is, so there always are weights to go back to.
        record = self._beats(value, self.best)
        if record:
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
        # A record that misses the baseline is counted as an epoch in vain, but does not end the training itself.
        good = record and (self.baseline is None or self._beats(value, self.baseline))
        self.wait = 0 if good else self.wait + 1
        if not record and epoch > 0 and self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        goes_back = self.restore_best_weights and self.best_weights is not None
        if self.verbose > 0:
            if self.stopped_epoch:
                print(f"Epoch {self.stopped_epoch + 1}: early stopping")
            if goes_back:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
        if goes_back:
            self.model.set_weights(self.best_weights)
