"""When a callback that saves is due: after each epoch, or after a number of batches."""

from __future__ import annotations

from typing import Any

from pynn.errors import ArgumentError


class SaveFrequency:
    """Counts batches.

    Args:
        owner: the callback's class name, for errors.
        save_freq: ``"epoch"``, or after how many batches.
    """

    def __init__(self, owner: str, save_freq: Any):
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int) or save_freq < 1):
            raise ArgumentError(f"{owner}: save_freq must be 'epoch' or a number of batches, received {save_freq!r}")
        self.save_freq = save_freq
        self._since = 0
        self._last = -1

    @property
    def by_epoch(self) -> bool:
        return self.save_freq == "epoch"

    def is_due(self, batch: int) -> bool:
        """Whether to save after ``batch``; batches that were done in one go count all."""
        if self.by_epoch:
            return False
        if batch <= self._last:  # numbers begin anew with each epoch
            self._last = -1
        self._since += batch - self._last
        self._last = batch
        due: bool = self._since >= self.save_freq
        if due:
            self._since = 0
        return due
