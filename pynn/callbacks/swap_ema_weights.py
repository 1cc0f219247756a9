"""Evaluates with the running means of the weights."""

from __future__ import annotations

from typing import Any

from pynn.callbacks.callback import Callback, Logs
from pynn.errors import ArgumentError


class SwapEMAWeights(Callback):
    """Exchange the model's weights and the running means that its optimizer keeps (``use_ema=True``) for the time of
    an evaluation, a validation or a prediction.

    Args:
        swap_on_epoch: exchange them at the end of each epoch, too, until the next one begins: callbacks that come
            later in the list, such as ``ModelCheckpoint``, then see the means.

    However training ends, the means become the weights, with or without this callback.

    Raises:
        ArgumentError: the model's optimizer keeps no means; raised where they are needed first.

    Example:

    >>> import numpy as np, pynn
    >>> model = pynn.Sequential([pynn.Input((2,)), pynn.layers.Dense(1)])
    >>> model.compile(pynn.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9), "mse")
    >>> x, y = np.ones((8, 2)), np.ones(8)
    >>> history = model.fit(
    ...     x, y, epochs=3, verbose=0, validation_data=(x, y), callbacks=[pynn.callbacks.SwapEMAWeights()]
    ... )
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def _swap(self, to_means: bool) -> None:
        if to_means is self._swapped:
            return
        swap: Any = getattr(getattr(self.model, "optimizer", None), "swap_ema_values", None)
        if swap is None:
            raise ArgumentError(
                "SwapEMAWeights needs a compiled model: model.compile(optimizer=SGD(use_ema=True), ...)"
            )
        swap()
        self._swapped = to_means

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if self.swap_on_epoch:
            self._swap(to_means=False)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.swap_on_epoch:
            self._swap(to_means=True)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._swapped = False  # the training before may have been interrupted while they were exchanged

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._swap(to_means=True)

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._swap(to_means=False)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._swap(to_means=True)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._swap(to_means=False)
