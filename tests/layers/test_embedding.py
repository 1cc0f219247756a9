"""Embeddings and ops.take."""

import numpy as np
import pytest

import pynn
from pynn import layers, ops
from pynn.errors import ArgumentError
from pynn.executor.native import NativeProgram
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace

TABLE = np.arange(12, dtype="float32").reshape(4, 3)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint32", "float32", "float64", "bool"])
def test_numbers_of_any_dtype(dtype):
    layer = layers.Embedding(4, 3, weights=TABLE)
    numbers = np.array([[1, 0], [1, 1]], dtype)
    np.testing.assert_array_equal(layer(numbers), TABLE[numbers.astype(int)])


def test_numbers_below_zero_count_from_the_end():
    np.testing.assert_array_equal(layers.Embedding(4, 3, weights=[TABLE])(np.array([-1, -4])), TABLE[[3, 0]])


@pytest.mark.parametrize("number", [4, -5, 2**31 - 1, -(2**31), 2**40, 1e30, np.nan])
def test_numbers_outside_of_the_table(number):
    layer = layers.Embedding(4, 3, name="words", weights=TABLE)
    with pytest.raises(ArgumentError, match="layer 'words': the numbers must be from 0 to input_dim - 1 = 3, received"):
        layer(np.array([0, number]))


def test_a_number_outside_of_the_table_makes_the_loss_nan_and_spares_the_other_rows():
    # Behind another layer: directly behind the input it would be an error (tests/models/test_functional.py).
    table = layers.Embedding(4, 3, weights=TABLE)
    model = pynn.Sequential([pynn.Input((2, 1)), layers.Flatten(), table, layers.Flatten()])
    model.compile("sgd", "mse")
    assert np.isnan(model.train_on_batch(np.array([[[0], [7]]]), np.zeros((1, 6))))
    np.testing.assert_array_equal(model.get_weights()[0][1:], TABLE[1:])


def test_only_rows_that_were_read_train():
    model = pynn.Sequential([pynn.Input((3,)), layers.Embedding(4, 3, weights=TABLE), layers.Flatten()])
    model.compile(pynn.optimizers.SGD(9.0), "mse")
    model.train_on_batch(np.array([[1, 3, 1]]), np.zeros((1, 9)))
    step = 9.0 * 2 / 9  # learning rate times the derivative of the mean of 9 squares
    expected = TABLE * (1 - step * np.array([[0], [2], [0], [1]]))
    np.testing.assert_allclose(model.get_weights()[0], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_dim": 0, "output_dim": 3}, "input_dim must be a positive integer"),
        ({"input_dim": 3, "output_dim": 2.5}, "output_dim must be a positive integer"),
        ({"input_dim": 3, "output_dim": 2, "lora_rank": 2}, "lora_rank=2 is not supported"),
    ],
)
def test_refused_arguments(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        layers.Embedding(**arguments)


@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1, -3])
@pytest.mark.parametrize("numbers", [np.array(1), np.array([1, 0, -1]), np.array([[0, 1], [1, 1]])], ids=str)
def test_take_is_numpys_take(axis, numbers):
    x = np.arange(24, dtype="float32").reshape(3, 4, 2)
    with Trace() as trace:
        y = ops.take(trace.input("x", Spec(x.shape)), numbers, axis)
        graph = trace.finish([y])
    np.testing.assert_array_equal(NativeProgram(graph)([x])[0], np.take(x, numbers, axis))


def test_take_refuses_an_axis_that_is_not_there():
    with Trace() as trace, pytest.raises(ArgumentError, match="take: axis must be an integer from -2 to 1"):
        ops.take(trace.input("x", Spec((3, 4))), [0], axis=2)
