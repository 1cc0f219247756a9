"""Dense, Flatten, Reshape and activation layers."""

import numpy as np
import pytest

from pynn import layers
from pynn.utils import clear_session


@pytest.fixture(autouse=True)
def _fresh_names():
    clear_session(free_memory=False)  # a collection takes longer than a test


@pytest.mark.parametrize("shape", [(5, 4), (2, 3, 4)])
def test_dense(shape):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype("float32")
    dense = layers.Dense(3, activation="relu", bias_initializer="ones")
    y = dense(x)
    kernel, bias = dense.get_weights()
    assert [v.path for v in dense.weights] == ["dense/kernel", "dense/bias"]
    np.testing.assert_allclose(y, np.maximum(x @ kernel + bias, 0), rtol=1e-5, atol=1e-6)


def test_dense_without_bias_on_whole_numbers():
    dense = layers.Dense(3, use_bias=False, kernel_initializer="ones")
    np.testing.assert_allclose(dense([[1, 2], [3, 4]]), [[3] * 3, [7] * 3])
    assert dense.count_params() == 6


def test_reshape_and_flatten():
    x = np.arange(12.0, dtype="float32").reshape(2, 2, 3)
    np.testing.assert_array_equal(layers.Flatten()(x), x.reshape(2, 6))
    np.testing.assert_array_equal(layers.Reshape((3, -1))(x), x.reshape(2, 3, 2))
    assert layers.Flatten()(np.zeros(4)).shape == (4, 1)


@pytest.mark.parametrize(
    ("layer", "expected"),
    # the layer of the same name, Keras 3.15
    [
        (layers.Activation("relu"), [0, 0, 0.5, 3]),
        (layers.ReLU(max_value=2.0, negative_slope=0.5, threshold=1.0), [-1.5, -0.75, -0.25, 2]),
        (layers.LeakyReLU(), [-0.6, -0.15, 0.5, 3]),
        (layers.ELU(alpha=2.0), [-1.7293295, -0.7869387, 0.5, 3]),
        (layers.Softmax(), [0.0060292, 0.0270209, 0.0734505, 0.8948014]),
    ],
)
def test_activation_layers(layer, expected):
    x = np.array([[-2, -0.5, 0.5, 3]], "float32")
    if isinstance(layer, layers.Softmax):
        expected = np.exp(x[0]) / np.exp(x[0]).sum()
    np.testing.assert_allclose(layer(x)[0], expected, rtol=2e-6)


def test_alpha_of_leaky_relu():
    with pytest.warns(DeprecationWarning, match="write negative_slope"):
        assert layers.LeakyReLU(alpha=0.1).negative_slope == 0.1


def _built_dense():
    dense = layers.Dense(3)
    dense.build((None, 4))
    return dense


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Dense(-1), "layer 'dense': units must be a positive integer, received -1"),
        (lambda: layers.Dense(3.5), "units must be a positive integer, received 3.5"),
        (lambda: layers.Dense(3, "rellu"), "unknown activation 'rellu': did you mean 'relu'"),
        (lambda: layers.Dense(3, kernel_initializer="glort"), "unknown initializer 'glort'"),
        (lambda: _built_dense()(np.zeros((2, 5))),
         r"layer 'dense': expected input with length 4 on axis -1, received shape \(2, 5\)"),
        (lambda: layers.Dense(3)(np.zeros(4)),
         r"layer 'dense': expected input with at least 2 axes .* received shape \(4,\): add a batch axis, x\[None\]"),
        (lambda: layers.Dense(3).build((None, None)), "the length of the last axis must be known"),
        (lambda: layers.Reshape((3, 5))(np.zeros((2, 4))),
         r"cannot give samples of shape \(4,\) \(4 numbers\) the shape \(3, 5\) \(15 numbers\)"),
        (lambda: layers.Reshape((3, -1))(np.zeros((2, 4))), "times -1"),
        (lambda: layers.Reshape((-1, -1)), "may contain one -1 only"),
        (lambda: layers.Reshape(3), "target_shape must be a tuple of integers"),
        (lambda: layers.ReLU(max_value=-1), "max_value must not be negative"),
        (lambda: layers.LeakyReLU("x"), "negative_slope must be a number"),
    ],
)  # fmt: skip
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
