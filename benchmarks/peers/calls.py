"""Calls on little data, for any library with the Keras API: what is left when there is nothing to compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from protocol import Steps

#: What is called, and how many training steps or samples are in it.
CALLS = ("predict", "predict_on_batch", "call", "train_on_batch", "test_on_batch", "fit", "evaluate", "fit_validated")


def cases(keras: Any) -> dict[str, Callable[[], Steps]]:
    """A builder for each of :data:`CALLS`."""
    return {f"small.{name}": lambda name=name: Steps(_call(keras, name)) for name in CALLS}


def _call(keras: Any, name: str) -> Callable[[], float]:
    """One call on an MLP 8-16-1: one row to predict, 32 to train on, 640 in ``fit``."""
    rng = np.random.default_rng(0)
    x, y = rng.random((640, 8), "float32"), rng.random((640, 1), "float32")
    row, batch, targets = x[:1], x[:32], y[:32]
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    calls: dict[str, Callable[[], Any]] = {
        "predict": lambda: model.predict(row, verbose=0),
        "predict_on_batch": lambda: model.predict_on_batch(row),
        "call": lambda: model(row),
        "train_on_batch": lambda: model.train_on_batch(batch, targets),
        "test_on_batch": lambda: model.test_on_batch(batch, targets),
        "fit": lambda: model.fit(x, y, verbose=0).history["loss"][0],
        "evaluate": lambda: model.evaluate(x, y, verbose=0),
        "fit_validated": lambda: model.fit(x, y, verbose=0, validation_data=(x, y)).history["loss"][0],
    }
    call = calls[name]
    return lambda: float(np.asarray(call()).reshape(-1)[0])
