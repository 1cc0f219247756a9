"""Nothing grows with the number of calls."""

import gc
from pathlib import Path

import numpy as np
import pytest

import pynn as keras
from pynn import layers

STATUS = Path("/proc/self/statm")
pytestmark = pytest.mark.skipif(not STATUS.exists(), reason="resident memory is read from Linux's /proc")

MB = 1 << 20


def resident():
    gc.collect()
    return int(STATUS.read_text().split()[1]) * 4096


def network():
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def growth(call, times, warm_up=50):
    """Bytes that ``times`` calls add for good: the least of three such windows.

    A leak grows in every window.  The allocator's own habits (memory it keeps for later, the heap it stretches once)
    show in one or two, and differ between machines.
    """
    for _ in range(warm_up):
        call()
    windows = []
    for _ in range(3):
        before = resident()
        for _ in range(times):
            call()
        windows.append(resident() - before)
    return min(windows)


def test_2000_predictions_of_one_row():
    model, x = network(), np.zeros((1, 28, 28, 1), "float32")
    assert growth(lambda: model.predict(x, verbose=0), 2000) < 3 * MB
    assert len(model._programs) == 1


def test_500_training_steps():
    model, x, y = network(), np.zeros((2, 28, 28, 1), "float32"), np.zeros(2, "int32")
    assert growth(lambda: model.train_on_batch(x, y), 500) < 3 * MB


def test_dropped_models_are_freed():
    """With their programs, weights and optimizer state: 3 MB and more each."""

    def one():
        model = keras.Sequential([keras.Input((500,)), layers.Dense(500), layers.Dense(1)])
        model.compile("adam", "mse")
        model.train_on_batch(np.zeros((8, 500)), np.zeros(8))
        layers.Dense(700)(np.zeros((1, 700)))

    assert growth(one, 12, warm_up=5) < 10 * MB
