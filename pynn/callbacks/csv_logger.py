"""Writes the results of each epoch to a file."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pynn.callbacks.callback import Callback, Logs


class CSVLogger(Callback):
    """Write the results of each epoch as a line of a CSV file, with a header of names.

    Args:
        filename: the file.
        separator: between values.
        append: go on with a file that exists, without a second header, instead of beginning anew.

    Example:

    >>> import pynn
    >>> log = pynn.callbacks.CSVLogger("training.csv")
    """

    rank_0_only = True

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = str(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self._file: Any = None
        self._writer: Any = None
        self._needs_header = True

    def on_train_begin(self, logs: Logs | None = None) -> None:
        path = Path(self.filename)
        if self.append and path.exists():
            self._needs_header = path.stat().st_size == 0
        if self._file is not None:
            self._file.close()
        self._file = open(path, "a" if self.append else "w", newline="")  # noqa: SIM115  (open until training ends)
        self._writer = self.keys = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        if self.keys is None:
            self.keys = _columns(logs)
            self._writer = csv.writer(self._file, delimiter=self.sep)
            if self._needs_header:
                self._writer.writerow(["epoch", *self.keys])
        self._writer.writerow([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)])
        self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._writer = None


def _columns(logs: Logs) -> list[str]:
    """The names of the first epoch, and those of a validation that may come in a later one only."""
    names = sorted(logs)
    if any(name.startswith("val_") for name in names):
        return names
    return names + [f"val_{name}" for name in names]


def _cell(value: Any) -> Any:
    """Lists in brackets, anything else as it is."""
    if isinstance(value, Iterable) and not isinstance(value, str) and getattr(value, "ndim", True):
        return f'"[{", ".join(map(str, value))}]"'
    return value
