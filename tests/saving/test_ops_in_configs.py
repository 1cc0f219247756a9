"""Functions of ops in models' configs: every one that Keras has a form for can be written and read."""

import inspect

import pytest

import pynn
from pynn import ops
from pynn.saving import keras_operations
from pynn.saving.functional_config import _call_names

ROWS = keras_operations.by_function()
SHARED = sorted(name for name in ROWS if inspect.isfunction(getattr(ops, name, None)))


@pytest.mark.parametrize("name", SHARED)
def test_arguments_of_the_call_are_found(name):
    """Keras's names for them are those of pynn, or stand in the same place."""
    row, function = ROWS[name], inspect.unwrap(getattr(ops, name))
    names = _call_names(row, function)
    if name != "einsum":  # its operands are any number, and it is read and written in a way of its own
        assert set(names) <= set(inspect.signature(function).parameters)
        assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: ops.mean(x, axis=1), lambda x: ops.sum(x, axis=(1, 2), keepdims=True), lambda x: x[:, 1:, ::2],
        lambda x: x[..., 0], lambda x: ops.transpose(x, (0, 2, 1)), lambda x: ops.reshape(x, (-1, 24)),
        lambda x: ops.concatenate([x, x], axis=1), lambda x: ops.where(x > 0.0, x, 0.0), lambda x: 1.0 / (x + 2.0),
        lambda x: ops.einsum("bij,bkj->bik", x, x), lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))),
        lambda x: ops.clip(x, -1.0, 1.0), lambda x: ops.softmax(x, axis=1), lambda x: -ops.abs(x) ** 2,
        lambda x: ops.expand_dims(x, axis=-1), lambda x: ops.cast(ops.argmax(x, axis=-1), "float32"),
        lambda x: ops.maximum(x, 0.25) - ops.minimum(0.5, x), lambda x: ops.leaky_relu(x, negative_slope=0.3),
    ],
)  # fmt: skip
def test_there_and_back(make):
    import numpy as np

    x = pynn.Input((4, 6), name="x")
    model = pynn.Model(x, make(x))
    again = pynn.models.model_from_json(model.to_json())
    data = np.random.default_rng(0).standard_normal((3, 4, 6)).astype("float32")
    np.testing.assert_array_equal(again.predict(data, verbose=0), model.predict(data, verbose=0))
    assert again.to_json() == model.to_json()


def test_a_function_that_keras_does_not_have():
    x = pynn.Input((4,))
    model = pynn.Model(x, ops.step(x))
    with pytest.raises(TypeError, match=r"ops\.step has no form in Keras's configs"):
        model.get_config()
