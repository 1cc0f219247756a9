"""Dropout: what it drops, seeds, errors."""

import numpy as np
import pytest

from pynn import layers
from pynn.errors import ArgumentError
from pynn.utils import set_random_seed

X = np.ones((100, 100), "float32")


def test_only_while_training():
    np.testing.assert_array_equal(layers.Dropout(0.5)(X), X)
    y = layers.Dropout(0.25, seed=1)(X, training=True)
    assert set(np.unique(np.round(y, 5))) == {0.0, np.float32(1.33333)}
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.02)


def test_each_call_drops_others_and_a_seed_repeats_them():
    a, b = layers.Dropout(0.5, seed=7), layers.Dropout(0.5, seed=7)
    first, second = a(X, training=True), a(X, training=True)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(b(X, training=True), first)
    np.testing.assert_array_equal(b(X, training=True), second)


def test_the_global_seed_repeats_them():
    set_random_seed(3)
    first = layers.Dropout(0.5)(X, training=True)
    set_random_seed(3)
    np.testing.assert_array_equal(layers.Dropout(0.5)(X, training=True), first)


def test_noise_shape():
    y = layers.Dropout(0.5, noise_shape=(None, 1), seed=1)(X, training=True)
    assert all(len(set(row)) == 1 for row in y)
    assert len({row[0] for row in y}) == 2


def test_state_is_no_weight():
    dropout = layers.Dropout(0.5, seed=3)
    assert dropout.weights == []
    assert dropout.count_params() == 0
    assert [v.path for v in dropout.variables] == ["seed_generator/seed_generator_state"]
    np.testing.assert_array_equal(dropout.variables[0].numpy(), [3, 0])


@pytest.mark.parametrize("rate", [2, -0.1, "half", None, True])
def test_bad_rates(rate):
    with pytest.raises(ValueError, match="rate must be a number from 0 to 1, received"):
        layers.Dropout(rate)


def test_bad_noise_shape():
    with pytest.raises(ValueError, match=r"noise_shape \(1,\) must have as many axes as the input"):
        layers.Dropout(0.5, noise_shape=(1,))(X, training=True)


def test_alpha_dropout_leaves_something():
    with pytest.raises(ArgumentError, match="rate must be below 1, received 1"):
        layers.AlphaDropout(1)
