"""Pickles and copies of models."""

import copy
import io
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


class Plain(pynn.Model):
    """A constructor without ``**kwargs``, as beginners write them."""

    def __init__(self, units=2):
        super().__init__()
        self.fc = pynn.layers.Dense(units)

    def call(self, x):
        return self.fc(x)


class PlainLayer(pynn.Layer):
    def __init__(self, units):
        super().__init__()
        self.fc = pynn.layers.Dense(units)

    def call(self, x):
        return self.fc(x)


@pytest.mark.parametrize("nested", [False, True])
def test_constructors_that_take_no_name(nested):
    model = pynn.Sequential([pynn.Input((4,)), PlainLayer(3)]) if nested else Plain(3)
    model(np.ones((1, 4)))
    (model.layers[0] if nested else model).trainable = False
    other = pickle.loads(pickle.dumps(model))
    for a, b in ((model, other), (model.layers[0], other.layers[0])) if nested else ((model, other),):
        assert (a.name, a.trainable) == (b.name, b.trainable)
    np.testing.assert_array_equal(other(np.ones((1, 4))), model(np.ones((1, 4))))


def test_lambdas_are_copied_in_memory_and_refused_in_pickles():
    """A copy in the process shares the function, globals and all; a pickle would carry byte code."""
    model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Lambda(lambda x: pynn.ops.square(x) + len(LETTERS))])
    x = np.ones((2, 3))
    np.testing.assert_array_equal(copy.deepcopy(model)(x), model(x))
    assert copy.deepcopy(model).layers[0].function is model.layers[0].function
    with pytest.raises(pynn.errors.ArgumentError, match="enable_unsafe_deserialization"):
        pickle.loads(pickle.dumps(model))


LETTERS = "abc"


def test_a_restricted_unpickler_needs_one_function_only():
    """Who wants to read models of strangers allows ``_restored``, which reads in safe mode, and nothing else."""
    model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dense(2)])

    class Restricted(pickle.Unpickler):
        def find_class(self, module, name):
            assert (module, name) == ("pynn.saving.pickling", "_restored")
            return super().find_class(module, name)

    other = Restricted(io.BytesIO(pickle.dumps(model))).load()
    np.testing.assert_array_equal(other(np.ones((1, 3))), model(np.ones((1, 3))))
