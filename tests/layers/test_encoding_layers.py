"""Numbers of classes and of bins, on arrays and in models."""

import numpy as np
import pytest

import pynn
from pynn.errors import ArgumentError, NotBuiltError
from pynn.layers import CategoryEncoding, Discretization


def test_rows_of_classes():
    x = np.array([[0, 1], [3, 3]])
    assert CategoryEncoding(4)(x).tolist() == [[1, 1, 0, 0], [0, 0, 0, 1]]
    assert CategoryEncoding(4, "count")(x).tolist() == [[1, 1, 0, 0], [0, 0, 0, 2]]
    assert CategoryEncoding(4, "one_hot")(np.array([[1], [2]])).tolist() == [[0, 1, 0, 0], [0, 0, 1, 0]]
    weights = np.array([[0.5, 0.25], [1.0, 2.0]])
    assert CategoryEncoding(4, "count")(x, count_weights=weights).tolist() == [[0.5, 0.25, 0, 0], [0, 0, 0, 3]]
    with pytest.raises(ArgumentError, match="use IntegerLookup"):
        CategoryEncoding()
    with pytest.raises(ArgumentError, match="count_weights are for"):
        CategoryEncoding(4)(x, count_weights=weights)


def test_bins_that_data_give():
    layer = Discretization(num_bins=4)
    with pytest.raises(NotBuiltError, match="call adapt"):
        layer(np.ones(3))
    layer.adapt(np.arange(1000.0))
    np.testing.assert_allclose(layer.bin_boundaries, [250, 500, 750], atol=15)
    counts = np.bincount(layer(np.arange(1000.0)), minlength=4)
    assert counts.min() > 230
    again = Discretization.from_config(layer.get_config())
    assert again.bin_boundaries == layer.bin_boundaries
    with pytest.raises(ArgumentError, match="cannot adapt"):
        Discretization([1.0]).adapt(np.ones(3))
    with pytest.raises(ArgumentError, match="one of them"):
        Discretization()


def test_in_models():
    inputs = pynn.Input((2,))
    bins = Discretization([0.0, 1.0, 2.0])(inputs)
    model = pynn.Model(inputs, CategoryEncoding(4, "multi_hot")(bins))
    x = np.array([[-1, 0.5], [1.0, 5.0]], "float32")
    assert model.predict(x, verbose=0).tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]


def test_boundaries_are_one_list():
    with pytest.raises(pynn.errors.ArgumentError, match="bin_boundaries must be a list of numbers, received"):
        pynn.layers.Discretization(bin_boundaries=[[1, 2], [3, 4]])
