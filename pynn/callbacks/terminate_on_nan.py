"""Stops a training whose loss is no number any more."""

from __future__ import annotations

import math

from pynn.callbacks.callback import Callback, Logs


class TerminateOnNaN(Callback):
    """Stop training after the first batch whose loss is NaN or infinite.

    Args:
        raise_error: raise a RuntimeError at once; otherwise ``model.stop_training`` is set and training ends
            in order, with ``on_train_end`` of all callbacks.

    The loss is read back after every batch, which costs small models a little speed.

    Example:
        >>> import pynn as keras
        >>> callbacks = [keras.callbacks.TerminateOnNaN()]  # for fit(callbacks=...)
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"NaN or Inf loss encountered at batch {batch}. Loss value: {loss}. A lower learning rate, or clipnorm "
                "in the optimizer, often helps; look at the data, too"
            )
        print(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
