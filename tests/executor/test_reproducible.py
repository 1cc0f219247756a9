"""The same seed gives bitwise the same weights, whatever the number of threads, in this process and in a new one."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

import pynn as keras
from pynn import config, layers


def mlp():
    return [keras.Input((20,)), layers.Dense(33, activation="relu"), layers.Dropout(0.3), layers.Dense(4)]


def lenet():
    return [
        keras.Input((12, 12, 1)),
        layers.Conv2D(6, 5, padding="same", activation="tanh"),
        layers.AveragePooling2D(2),
        layers.Conv2D(9, 3),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dropout(0.4),
        layers.Dense(30, activation="tanh"),
        layers.Dense(4),
    ]


MODELS = {"mlp": mlp, "lenet": lenet}


def digest_after_an_epoch(name, optimizer="adam"):
    """The hash of all weights, of the history and of a prediction."""
    keras.utils.set_random_seed(7)
    model = keras.Sequential(MODELS[name]())
    rng = np.random.default_rng(0)
    x = (rng.random((300, *model.input_shape[1:])) * 255).astype("uint8")  # converted while steps run
    y = rng.integers(0, 4, 300)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    history = model.fit(x, y, batch_size=64, validation_split=0.1, verbose=0).history
    hashed = hashlib.sha256(repr(history).encode())
    for array in (*model.get_weights(), model.predict(x, verbose=0)):
        hashed.update(array.tobytes())
    return hashed.hexdigest()


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("name", MODELS)
def test_the_number_of_threads_changes_no_bit(name, optimizer):
    digests = set()
    try:
        for threads in (1, 2, 3, 1):
            config.set_num_threads(threads)
            digests.add(digest_after_an_epoch(name, optimizer))
    finally:
        config.set_num_threads(None)
    assert len(digests) == 1


def test_a_new_process_gives_the_same_bits():
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_reproducible as t; "
    code += "print(*(t.digest_after_an_epoch(name) for name in t.MODELS))"
    found = set()
    for threads in ("1", "2", "3"):
        run = subprocess.run(
            [sys.executable, "-c", code, os.path.dirname(__file__)],
            env={**os.environ, "PYNN_THREADS": threads}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        found.add(run.stdout)
    assert found == {" ".join(digest_after_an_epoch(name) for name in MODELS) + "\n"}


def test_another_seed_gives_other_weights():
    digests = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        digests.append(keras.Sequential(mlp()).get_weights()[0].tobytes())
    assert digests[0] != digests[1]
