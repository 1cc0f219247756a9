"""pynn.Variable has what keras.Variable has, and its operators give the same; gradients are those of JAX."""

import numpy as np
import pytest

import pynn
from pynn import ops

X = np.array([[1.0, -2.0, 3.5], [0.5, 4.0, -1.0]], "float32")

_FORMULAS = {
    "arithmetic": lambda v: (v + 1) * 2 - v / 4 - (3 - v) * (2 / (v + 10)),
    "floors": lambda v: v // 2 + v % 2 + 7 // (v + 10) + 7 % (v + 10),
    "powers": lambda v: v**2 + 2**v + abs(-v),
    "products": lambda v: v @ X.T + X @ np.ones((3, 2), "float32"),
    "comparisons": lambda v: (v > 1) & (v < 4) | (v >= 4) ^ (v <= -2),
    "equality": lambda v: (v == 3.5) | (v != 1.0),
    "indexing": lambda v: v[0] + v[-1, 1:2] + v[:, None, 0][0],
    "rounding": lambda v: round(v + 0.26, 1),
}


@pytest.mark.parametrize("name", _FORMULAS)
def test_operators(keras, name):
    theirs = np.asarray(_FORMULAS[name](keras.Variable(X)))
    ours = np.asarray(_FORMULAS[name](pynn.Variable(X)))
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_the_names(keras):
    theirs = {name for name in dir(keras.Variable) if not name.startswith("_")}
    elsewhere = set(dir(type(keras.Variable(1.0)))) - set(dir(keras.Variable))
    assert theirs - elsewhere <= set(dir(pynn.Variable(1.0)))


@pytest.mark.parametrize("value", [3, 2.5, True, [1, 2], np.zeros(2), np.zeros(2, "uint8")], ids=repr)
def test_dtypes_and_repr(keras, value):
    theirs, ours = (library.Variable(value, name="v") for library in (keras, pynn))
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    assert ours.path == theirs.path
    if np.ndim(value):
        assert repr(ours) == repr(theirs)


_FUNCTIONS = {
    "polynomial": lambda o, x: o.sum(x * x * x - 2.0 * x),
    "softmax": lambda o, x: -o.sum(o.log(o.softmax(x))[:, 0]),
    "network": lambda o, x: o.mean(o.tanh(o.matmul(x, o.transpose(x))) ** 2),
    "where": lambda o, x: o.sum(o.where(x > 0, o.sin(x), o.exp(x))),
}


@pytest.mark.parametrize("name", _FUNCTIONS)
def test_derivatives(keras, name):
    jax = pytest.importorskip("jax")
    function = _FUNCTIONS[name]
    value, gradient = pynn.value_and_grad(lambda x: function(ops, x))(X)
    expected, slope = jax.value_and_grad(lambda x: function(keras.ops, x))(X)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient, slope, rtol=1e-4, atol=1e-6)
    second = jax.hessian(lambda x: function(keras.ops, x))(X)
    np.testing.assert_allclose(pynn.hessian(lambda x: function(ops, x))(X), second, rtol=1e-3, atol=1e-5)
