"""Pickles and copies of models."""

import copy
import pickle

import numpy as np
import pytest

import pynn

pytest.importorskip("h5py")


class Doubled(pynn.Layer):
    """A class of the user's, which is not registered."""

    def call(self, x):
        return x * 2.0


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_goes_on_training_alike(twin):
    model = pynn.Sequential(
        [pynn.Input((3,)), pynn.layers.Dense(4, activation="tanh"), Doubled(), pynn.layers.Dense(1)]
    )
    model.compile("adam", "mse")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 3)), rng.normal(size=(32, 1))
    model.train_on_batch(x, y)
    other = twin(model)
    np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))
    assert other.train_on_batch(x, y) == model.train_on_batch(x, y)
    assert other.train_on_batch(x, y) == model.train_on_batch(x, y)  # with the same momenta
    for a, b in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not any(v is w for v, w in zip(other.weights, model.weights, strict=True))
