"""Drawn digits: the same everywhere, and fit to learn from."""

import hashlib

import numpy as np
import pytest

from pynn.datasets import synthetic_digits
from pynn.errors import ArgumentError


@pytest.fixture(scope="module")
def digits():
    return synthetic_digits(train=1500, test=300)


def test_form(digits):
    (x_train, y_train), (x_test, y_test) = digits
    assert x_train.shape == (1500, 28, 28)
    assert x_test.shape == (300, 28, 28)
    assert y_train.shape == (1500,)
    assert all(array.dtype == np.uint8 for array in (x_train, y_train, x_test, y_test))
    assert set(y_train) == set(y_test) == set(range(10))
    assert x_train.max(axis=(1, 2)).min() > 150  # every picture has a figure,
    assert (x_train < 32).mean() > 0.7  # on a dark ground


def test_the_bytes_never_change(digits):
    digest = hashlib.md5()
    for images, labels in digits:
        digest.update(images.tobytes())
        digest.update(labels.tobytes())
    assert digest.hexdigest() == "bd289fff9252a9196c3a47e57f942831"


def test_more_samples_only_add_some(digits):
    (x_train, y_train), (x_test, _) = synthetic_digits(train=100, test=300)
    # The grain is one stream in the order of the samples, so the first pictures are the same to the last bit.
    np.testing.assert_array_equal(x_train, digits[0][0][:100])
    np.testing.assert_array_equal(y_train, digits[0][1][:100])
    np.testing.assert_array_equal(x_test, digits[1][0])


def test_seeds_and_splits_differ(digits):
    (x_train, _), (x_test, _) = synthetic_digits(train=300, test=300, seed=1)
    assert not np.array_equal(x_train, digits[0][0][:300])
    assert not np.array_equal(x_test, digits[1][0])
    assert not np.array_equal(x_train, x_test)


def test_nearest_neighbours_recognise_them_but_not_all(digits):
    (x_train, y_train), (x_test, y_test) = digits
    known, new = (x.reshape(len(x), -1).astype(np.float32) for x in (x_train, x_test))
    nearest = ((known**2).sum(1) - 2 * new @ known.T).argmin(1)
    accuracy = (y_train[nearest] == y_test).mean()
    assert 0.85 < accuracy < 0.995


def test_none_at_all():
    (x, y), _ = synthetic_digits(train=0, test=0)
    assert x.shape == (0, 28, 28)
    assert y.shape == (0,)


@pytest.mark.parametrize(("argument", "value"), [("train", -1), ("test", 1.5), ("seed", True), ("seed", None)])
def test_wrong_arguments(argument, value):
    with pytest.raises(ArgumentError, match=f"synthetic_digits: {argument} must be an integer from 0 up"):
        synthetic_digits(**{argument: value})
