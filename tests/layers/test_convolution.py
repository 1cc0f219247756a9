"""Conv2D and the pooling layers."""

import numpy as np
import pytest

from pynn import layers
from pynn.utils import clear_session


@pytest.fixture(autouse=True)
def _fresh_names():
    clear_session(free_memory=False)  # a collection takes longer than a test


def test_conv_by_hand():
    x = np.arange(16.0, dtype="float32").reshape(1, 4, 4, 1)
    conv = layers.Conv2D(1, 2, kernel_initializer="ones", bias_initializer="ones", activation="relu")
    y = conv(x)
    assert y.shape == (1, 3, 3, 1)
    assert y[0, 0, 0, 0] == 0 + 1 + 4 + 5 + 1
    assert conv.kernel.shape == (2, 2, 1, 1)
    assert conv.count_params() == 5


@pytest.mark.parametrize(
    ("options", "output", "kernel"),
    # keras.layers.Conv2D(8, 3, **options).compute_output_shape((None, 10, 9, 4)), Keras 3.15
    [
        ({}, (None, 8, 7, 8), (3, 3, 4, 8)),
        ({"padding": "same"}, (None, 10, 9, 8), (3, 3, 4, 8)),
        ({"padding": "SAME", "strides": 2}, (None, 5, 5, 8), (3, 3, 4, 8)),
        ({"strides": (2, 1)}, (None, 4, 7, 8), (3, 3, 4, 8)),
        ({"dilation_rate": 2}, (None, 6, 5, 8), (3, 3, 4, 8)),
        ({"groups": 2}, (None, 8, 7, 8), (3, 3, 2, 8)),
    ],
)
def test_conv_shapes(options, output, kernel):
    conv = layers.Conv2D(8, 3, **options)
    assert conv.compute_output_shape((None, 10, 9, 4)) == output
    assert conv.kernel.shape == kernel
    assert conv.output_shape == output


def test_pooling_by_hand():
    x = np.arange(16.0, dtype="float32").reshape(1, 4, 4, 1)
    np.testing.assert_array_equal(layers.MaxPooling2D()(x)[0, :, :, 0], [[5, 7], [13, 15]])
    np.testing.assert_array_equal(layers.AvgPool2D(2)(x)[0, :, :, 0], [[2.5, 4.5], [10.5, 12.5]])
    np.testing.assert_array_equal(layers.MaxPool2D(3, strides=1, padding="same")(x)[0, :2, :2, 0], [[5, 6], [9, 10]])
    np.testing.assert_array_equal(layers.GlobalAvgPool2D()(x), [[7.5]])
    assert layers.GlobalAveragePooling2D(keepdims=True)(x).shape == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv2D(0, 3), "layer 'conv2d': filters must be a positive integer, received 0"),
        (lambda: layers.Conv2D(3, 0), "kernel_size must be a positive integer or a pair"),
        (lambda: layers.Conv2D(3, (1, 2, 3)), r"kernel_size must be .* received \(1, 2, 3\)"),
        (lambda: layers.Conv2D(3, 3, padding="sme"), "padding must be 'valid' or 'same', received 'sme'"),
        (lambda: layers.Conv2D(3, 3, strides=2, dilation_rate=2), "cannot both be above 1"),
        (lambda: layers.Conv2D(3, 3, groups=2), "filters must be a multiple of groups"),
        (lambda: layers.Conv2D(4, 3, groups=2)(np.zeros((1, 8, 8, 3))), "multiple of groups=2"),
        (lambda: layers.Conv2D(3, 3, data_format="NCHW"), "layer 'conv2d': data_format must be .* received 'NCHW'"),
        (lambda: layers.Conv2D(3, 3, kernel_constraint="most_norm"), "most_norm"),
        (lambda: layers.Conv2D(3, 3).compute_output_shape((None, 28, 28)),
         r"layer 'conv2d': expected input with 4 axes .* add a channel axis, x\[..., None\]"),
        (lambda: layers.Conv2D(3, 5)(np.zeros((2, 3, 3, 1))), r"the window \(5, 5\) is larger than the image"),
        (lambda: layers.MaxPooling2D(5)(np.zeros((2, 3, 3, 1))), "layer 'max_pooling2d': the window"),
        (lambda: layers.MaxPooling2D(0), "pool_size must be a positive integer"),
        (lambda: layers.MaxPooling2D()(np.zeros((2, 3, 3))), "layer 'max_pooling2d': expected input with 4 axes"),
        (lambda: layers.GlobalAveragePooling2D()(np.zeros((2, 3))), "expected input with 4 axes"),
    ],
)  # fmt: skip
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_average_pooling_needs_a_size_as_in_keras():
    with pytest.raises(TypeError, match="pool_size"):
        layers.AveragePooling2D()
