"""What the comparisons with Keras share: the same layer in both libraries."""

import numpy as np
import pytest

import pynn


@pytest.fixture(scope="session")
def same_models(keras):
    """``same_models(name, arguments, shape)``: (Keras's model, ours), the layer before a dense layer."""
    return lambda name, arguments, shape, dtype="float32": _models(keras, name, arguments, shape, dtype)


@pytest.fixture(scope="session")
def check_layer(keras):
    """``check_layer(name, arguments, shape)``: the layer before a dense output, with the same weights in both.

    Forward values, loss and weights of three steps of training, and the config must agree.  ``draw(rng, shape)``
    makes inputs other than normal ones; ``dtype`` is theirs (token layers take ``"int32"``).  Where a sample is many
    numbers, steps of 0.05 diverge, and rounding with them: such layers ask for a smaller ``learning_rate``.
    """

    def check(name, arguments, shape, draw=None, dtype="float32", rtol=1e-4, learning_rate=0.05):
        theirs, ours = _models(keras, name, arguments, shape, dtype)
        rng = np.random.default_rng(2)
        x = (draw or np.random.Generator.standard_normal)(rng, shape).astype(dtype)
        y = rng.standard_normal((shape[0], 3)).astype("float32")
        expected = theirs.predict(x, verbose=0)
        np.testing.assert_allclose(ours.predict(x, verbose=0), expected, rtol=rtol, atol=1e-5)
        config = ours.layers[0].get_config()
        assert type(ours.layers[0]).from_config(config).get_config() == config
        for model, library in ((theirs, keras), (ours, pynn)):
            model.compile(library.optimizers.SGD(learning_rate), "mean_squared_error")
        for _ in range(3):
            assert ours.train_on_batch(x, y) == pytest.approx(float(theirs.train_on_batch(x, y)), rel=rtol)
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=rtol, atol=2e-5)

    return check


@pytest.fixture(scope="session")
def draw():
    """``draw(rng, kind, shape)``: targets or predictions of a kind that losses and metrics take."""
    return lambda rng, kind, shape: _DRAW[kind](rng, shape)


def _probabilities(rng, shape):
    e = np.exp(rng.standard_normal(shape))
    return (e / e.sum(-1, keepdims=True)).astype("float32")


def _unit(rng, shape):
    x = rng.standard_normal(shape)
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype("float32")


#: Name -> function of a generator and the predictions' shape.
_DRAW = {
    "numbers": lambda rng, shape: rng.standard_normal(shape).astype("float32"),
    "positive": lambda rng, shape: rng.uniform(0.1, 3.0, shape).astype("float32"),
    "huge": lambda rng, shape: rng.choice([-1e4, 1e4], shape).astype("float32"),
    "between": lambda rng, shape: rng.uniform(0.01, 0.99, shape).astype("float32"),
    "bits": lambda rng, shape: rng.integers(0, 2, shape).astype("float32"),
    "signs": lambda rng, shape: rng.choice([-1, 1], shape).astype("float32"),
    "counts": lambda rng, shape: rng.integers(0, 6, shape).astype("float32"),
    "probabilities": _probabilities,
    "one_hot": lambda rng, shape: np.eye(shape[-1], dtype="float32")[rng.integers(0, shape[-1], shape[:-1])],
    "classes": lambda rng, shape: rng.integers(0, shape[-1], shape[:-1]).astype("int32"),
    "few": lambda rng, shape: rng.integers(0, 3, shape).astype("int32"),
    "labels": lambda rng, shape: rng.integers(0, 3, shape[:1]).astype("int32"),
    "unit": _unit,
    "spelling": lambda rng, shape: np.array([[1, 2, 0], [2, 2, 1], [0, 0, 0], [3, 1, 3]], "int32")[: shape[0]],
}


def _models(keras, name, arguments, shape, dtype):
    pair = []
    for library in (keras, pynn):
        layer, start = getattr(library.layers, name)(**arguments), library.Input(shape[1:], dtype=dtype)
        pair.append(library.Sequential([start, layer, library.layers.Flatten(), library.layers.Dense(3)]))
    theirs, ours = pair
    rng = np.random.default_rng(1)
    weights = [w + 0.1 * rng.uniform(0.0, 1.0, w.shape).astype("float32") for w in theirs.get_weights()]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    return theirs, ours
