"""EarlyStopping ends at the epoch where Keras's does, with the same weights."""

import os
import random
import warnings

import pytest

from pynn.callbacks import EarlyStopping

os.environ.setdefault("KERAS_BACKEND", "jax")


@pytest.fixture(scope="module")
def keras():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("keras")


def _train(callback, values, model):
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.weights = [float(epoch)]
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"loss": value})
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch, model.weights, callback.stopped_epoch, callback.best, callback.wait


@pytest.mark.parametrize("seed", range(40))
def test_early_stopping(keras, make_model, seed):
    draw = random.Random(seed)
    arguments = {
        "monitor": "loss",
        "min_delta": draw.choice([0, 0.1, -0.3]),
        "patience": draw.randint(0, 3),
        "mode": draw.choice(["auto", "min", "max"]),
        "baseline": draw.choice([None, None, 1.5]),
        "restore_best_weights": draw.choice([True, False]),
        "start_from_epoch": draw.choice([0, 0, 2]),
    }
    values = [draw.choice([draw.uniform(0, 3), 1.0]) for _ in range(12)]
    ours = _train(EarlyStopping(**arguments), values, make_model())
    theirs = _train(keras.callbacks.EarlyStopping(**arguments), values, make_model())
    assert ours == theirs
