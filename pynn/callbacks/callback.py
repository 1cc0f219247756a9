"""The base class of all callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Logs = Mapping[str, Any]

# Hooks that call their older name unless they are overridden themselves.
ALIASES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


class Callback:
    """Base class of callbacks: subclass it and override the methods of the stages you care about.

    Attributes:
        params: what the run was started with: ``{"verbose": 1, "epochs": 10, "steps": 469}``.
        model: the model that is trained, evaluated or used.

    Example:

    >>> import pynn
    >>> class StopWhenGood(pynn.callbacks.Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         if logs["accuracy"] > 0.99:
    ...             self.model.stop_training = True

    Methods for batches get the batch's index, methods for epochs the epoch's, from 0. ``logs`` of a batch
    holds the averages since the epoch began, ``logs`` of an epoch its results, those of the validation as
    ``val_...``.

    Where several processes train together (:mod:`pynn.distribute`) each has its callbacks, and all see the same logs;
    a class with ``rank_0_only = True``, for what writes files, is used in the first process alone.

    A method that is not overridden costs nothing: the training loop skips hooks nobody listens to, and works
    out the numbers in ``logs`` only for those who do.
    """

    #: Whether, of several processes that train together, only the first one uses it.
    rank_0_only = False

    def __init__(self) -> None:
        self.params: dict[str, Any] | None = None
        self._model: Any = None

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self._model = model

    @property
    def model(self) -> Any:
        return self._model

    def listens_to(self, hook: str) -> bool:
        """Whether calling the method named ``hook`` does anything."""
        own = getattr(self, hook)
        overridden = getattr(own, "__func__", own) is not getattr(Callback, hook)
        if not overridden and hook in ALIASES:
            return self.listens_to(ALIASES[hook])
        return overridden

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """An older name of :meth:`on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """An older name of :meth:`on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called before an epoch of training."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called after an epoch of training and its validation."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a training step."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a training step."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a step of ``evaluate`` or of a validation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a step of ``evaluate`` or of a validation."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a step of ``predict``."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a step of ``predict``; ``logs["outputs"]`` are its predictions."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called when ``fit`` begins."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called when ``fit`` is over; ``logs`` are those of the last epoch."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called when ``evaluate`` or a validation begins."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called when ``evaluate`` or a validation is over."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called when ``predict`` begins."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called when ``predict`` is over."""
