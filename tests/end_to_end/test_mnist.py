"""The course's first network on the real digits."""

import os

import numpy as np
import pytest

import pynn as keras
from pynn import layers


@pytest.mark.skipif(
    not os.environ.get("PYNN_DATA_DIR"),
    reason="MNIST is needed: set PYNN_DATA_DIR to the folder that holds mnist/train-images-idx3-ubyte.gz",
)
def test_784_64_10_learns_slowly_with_squared_errors():
    """Sigmoid, softmax, MSE and SGD(0.01): the loss falls every epoch, from just above that of guessing (0.09)."""
    keras.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    assert x_train.shape == (60_000, 28, 28)
    x_train, x_test = (x.reshape(len(x), 784).astype("float32") / 255 for x in (x_train, x_test))
    y_train, y_test = (keras.utils.to_categorical(y, 10) for y in (y_train, y_test))
    model = keras.Sequential(
        [keras.Input((784,)), layers.Dense(64, activation="sigmoid"), layers.Dense(10, activation="softmax")]
    )
    assert model.count_params() == 50_890
    model.compile(keras.optimizers.SGD(0.01), "mean_squared_error", metrics=["accuracy"])
    history = model.fit(x_train, y_train, batch_size=128, epochs=7, validation_data=(x_test, y_test), verbose=0)
    assert history.params["steps"] == 469
    for name in ("loss", "val_loss"):
        losses = history.history[name]
        assert (np.diff(losses) < 0).all(), losses
        assert 0.085 <= losses[-1] <= 0.092, losses
    assert history.history["val_accuracy"][-1] > history.history["val_accuracy"][0]


@pytest.mark.skipif(
    not os.environ.get("PYNN_DATA_DIR"),
    reason="MNIST is needed: set PYNN_DATA_DIR to the folder that holds mnist/train-images-idx3-ubyte.gz",
)
def test_lenet5_reaches_99_percent():
    """Adam, at most 10 epochs, the last of them with a tenth of the learning rate."""
    keras.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    x_train, x_test = (x[..., None].astype("float32") / 255 for x in (x_train, x_test))
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(120, activation="relu"),
            layers.Dense(84, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    assert model.count_params() == 61_706
    model.compile(keras.optimizers.Adam(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=128, epochs=6, verbose=0)
    model.optimizer.learning_rate = 0.0002
    model.fit(x_train, y_train, batch_size=128, epochs=9, initial_epoch=6, verbose=0)
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    assert accuracy >= 0.99
