"""to_categorical, normalize and names."""

import numpy as np
import pytest

from pynn.utils import clear_session, normalize, to_categorical
from pynn.utils.naming import auto_name, snake_case


def test_to_categorical():
    np.testing.assert_array_equal(to_categorical([0, 2, 1]), [[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    assert to_categorical([[0], [2]], 4).shape == (2, 4)
    assert to_categorical([[0, 1], [2, 1]], 4).shape == (2, 2, 4)
    assert to_categorical([1.0, 0.0]).dtype == np.float64


def test_normalize():
    np.testing.assert_allclose(normalize([[3.0, 4.0], [0, 0]]), [[0.6, 0.8], [0, 0]])
    np.testing.assert_allclose(normalize([3, 4]), [[0.6, 0.8]])
    np.testing.assert_allclose(normalize([[3.0, 4.0], [0, 1]], axis=0, order=1), [[1, 0.8], [0, 0.2]])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: to_categorical([5], 3), ValueError, r"class 5 is outside 0\.\.2; give a larger num_classes"),
        (lambda: to_categorical([-1, 0]), ValueError, "class -1 is outside"),
        (lambda: to_categorical([0.5]), ValueError, "whole numbers"),
        (lambda: to_categorical(["a"]), TypeError, "class numbers, received dtype"),
        (lambda: to_categorical([]), ValueError, "num_classes must be given"),
        (lambda: normalize([1.0], order=0), ValueError, "order must be an integer >= 1"),
    ],
)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("name", "expected"),
    # keras.src.utils.naming.to_snake_case, Keras 3.15
    [
        ("Dense", "dense"),
        ("Conv2D", "conv2d"),
        ("MaxPooling2D", "max_pooling2d"),
        ("GlobalAveragePooling2D", "global_average_pooling2d"),
        ("BatchNormalization", "batch_normalization"),
        ("ReLU", "re_lu"),
        ("LeakyReLU", "leaky_re_lu"),
        ("ELU", "elu"),
        ("GRUCell", "gru_cell"),
    ],
)
def test_snake_case(name, expected):
    assert snake_case(name) == expected


def test_auto_names_count_until_the_session_is_cleared():
    clear_session()
    assert [auto_name("dense") for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    clear_session()
    assert auto_name("dense") == "dense"
