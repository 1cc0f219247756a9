"""Activations: values, lookup by name, errors."""

import numpy as np
import pytest

from pynn import activations

X = np.linspace(-3, 3, 7, dtype="float32")

# keras.activations.<name>(np.linspace(-3, 3, 7)), Keras 3.15 on JAX
EXPECTED = {
    "linear": X,
    "relu": [0, 0, 0, 0, 1, 2, 3],
    "relu6": [0, 0, 0, 0, 1, 2, 3],  # op cases go beyond 6
    "sigmoid": [0.0474258736, 0.1192029193, 0.2689414322, 0.5, 0.7310585976, 0.8807970285, 0.9525741339],
    "tanh": [-0.9950547218, -0.9640275836, -0.7615941763, 0, 0.7615941763, 0.9640275836, 0.9950547218],
    "softmax": [0.0015683004, 0.0042630825, 0.0115882596, 0.0315001532, 0.0856262967, 0.2327564210, 0.6326975227],
    "leaky_relu": [-0.6, -0.4, -0.2, 0, 1, 2, 3],
    "elu": [-0.9502129555, -0.8646647334, -0.6321205497, 0, 1, 2, 3],
    "selu": [-1.6705688238, -1.5201665163, -1.1113307476, 0, 1.0507010221, 2.1014020443, 3.1521029472],
    "gelu": [-0.0040496960, -0.0455002673, -0.1586552709, 0, 0.8413447142, 1.9544997215, 2.9959502220],
    "silu": [-0.1422776282, -0.2384058386, -0.2689414322, 0, 0.7310585976, 1.7615940571, 2.8577222824],
    "softplus": [0.0485873520, 0.1269280016, 0.3132616878, 0.6931471825, 1.3132617474, 2.1269280911, 3.0485873222],
    "softsign": [-0.75, -0.6666666865, -0.5, 0, 0.5, 0.6666666865, 0.75],
    "exponential": [0.0497870669, 0.1353352815, 0.3678794503, 1, 2.7182817459, 7.3890562057, 20.0855369568],
    "hard_sigmoid": [0, 0.1666666716, 0.3333333433, 0.5, 0.6666666865, 0.8333333731, 1],
    "celu": [-0.950212955, -0.864664733, -0.63212055, 0, 1, 2, 3],
    "hard_shrink": [-3, -2, -1, 0, 1, 2, 3],
    "hard_silu": [-0, -0.333333343, -0.333333343, 0, 0.666666687, 1.66666675, 3],
    "hard_tanh": [-1, -1, -1, 0, 1, 1, 1],
    "log_sigmoid": [-3.04858732, -2.12692809, -1.31326175, -0.693147182, -0.313261688, -0.126928002, -0.048587352],
    "log_softmax": [-6.45776272, -5.45776272, -4.45776272, -3.45776272, -2.45776272, -1.45776284, -0.457762837],
    "mish": [-0.145647451, -0.252501458, -0.30340144, 0, 0.865098476, 1.943959, 2.98653555],
    "soft_shrink": [-2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5],
    "sparse_plus": [0, 0, 0, 0.25, 1, 2, 3],
    "sparse_sigmoid": [0, 0, 0, 0.5, 1, 1, 1],
    "squareplus": [0.302775621, 0.414213538, 0.618034005, 1, 1.61803401, 2.41421366, 3.30277562],
    "tanh_shrink": [-2.00494528, -1.03597236, -0.238405824, 0, 0.238405824, 1.03597236, 2.00494528],
    "sparsemax": [0, 0, 0, 0, 0, 0, 1],
    "step": [0, 0, 0, 0, 1, 1, 1],  # by definition: 1 where x > 0
}


@pytest.mark.parametrize("name", EXPECTED)
def test_values(name):
    x = X[None] if name in ("softmax", "log_softmax", "sparsemax") else X
    np.testing.assert_allclose(np.ravel(activations.get(name)(x)), EXPECTED[name], rtol=2e-6, atol=1e-6)


def test_every_named_activation_is_tested():
    assert {*EXPECTED, "glu", "threshold"} == set(activations.activations.ALL)


def test_glu_and_threshold():
    np.testing.assert_allclose(activations.glu(np.array([[2.0, 0.0]])), [[1.0]])
    np.testing.assert_allclose(activations.threshold(X, 1.5, -9.0), [-9, -9, -9, -9, -9, 2, 3])


def test_relu_options():
    # keras.activations.relu(x, 0.1, 2.0, 1.0)
    np.testing.assert_allclose(
        activations.relu(X, 0.1, 2.0, 1.0), [-0.4, -0.3, -0.2, -0.1, 0, 2, 2], rtol=1e-6, atol=1e-7
    )


def test_names():
    assert activations.get(None) is activations.linear
    assert activations.get("swish") is activations.silu
    assert activations.serialize(activations.relu) == "relu"
    assert activations.deserialize("tanh") is activations.tanh


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: activations.get("rellu"), "unknown activation 'rellu': did you mean 'relu'"),
        (lambda: activations.get(3), "cannot make an activation of 3"),
        (lambda: activations.serialize(np.tanh), "cannot serialize <ufunc 'tanh'>"),
        (lambda: activations.relu(X, max_value=-1.0), "relu: max_value must not be negative"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
