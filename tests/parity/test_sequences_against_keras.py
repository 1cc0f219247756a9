"""Differential tests of models over sequences, beside Keras: embeddings, stacked layers, states, weights files."""

import numpy as np
import pytest

import pynn

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def classifier(library, recurrent):
    """A text classifier over 12 steps of 50 words."""
    layers = library.layers
    kind = getattr(layers, recurrent)
    return library.Sequential(
        [
            library.Input((12,)),
            layers.Embedding(50, 6),
            kind(8, return_sequences=True),
            kind(5, go_backwards=True),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


@pytest.mark.parametrize("recurrent", ["LSTM", "GRU", "SimpleRNN"])
@pytest.mark.parametrize("dtype", ["int32", "uint8", "float32"])
def test_classifier_trains_alike(keras, recurrent, dtype):
    theirs, ours = (classifier(library, recurrent) for library in (keras, pynn))
    ours.set_weights(theirs.get_weights())
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 50, (9, 12)).astype(dtype), rng.integers(0, 2, (9, 1)).astype("float32")
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-4, atol=1e-6)
    for model, library in ((theirs, keras), (ours, pynn)):
        model.compile(library.optimizers.SGD(0.5), "binary_crossentropy")
    for _ in range(4):
        assert ours.train_on_batch(x, y) == pytest.approx(float(theirs.train_on_batch(x, y)), rel=1e-4)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("recurrent", ["LSTM", "GRU", "SimpleRNN"])
def test_weights_files_are_exchanged(keras, recurrent, tmp_path):
    theirs, ours = (classifier(library, recurrent) for library in (keras, pynn))
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("arguments", [{}, {"activation": "sigmoid"}], ids=["whole", "unrolled"])
@pytest.mark.parametrize("recurrent", ["LSTM", "GRU", "SimpleRNN"])
def test_states_in_and_out(keras, recurrent, arguments):
    theirs, ours = (
        getattr(library.layers, recurrent)(5, return_state=True, return_sequences=True, **arguments)
        for library in (keras, pynn)
    )
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 6, 4)).astype("float32")
    states = [rng.standard_normal((3, 5)).astype("float32") for _ in range(2 if recurrent == "LSTM" else 1)]
    theirs(x)
    ours(x)
    ours.set_weights(theirs.get_weights())
    for initial_state in (None, states):
        expected = theirs(x, initial_state=initial_state)
        got = ours(x, initial_state=initial_state)
        assert len(got) == len(expected) == 1 + len(states)
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_allclose(a, np.asarray(b), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("arguments", [{"merge_mode": m} for m in ("concat", "sum", "mul", "ave")], ids=str)
@pytest.mark.parametrize("return_sequences", [False, True])
def test_bidirectional(keras, arguments, return_sequences):
    models = []
    for library in (keras, pynn):
        layer = library.layers.LSTM(4, return_sequences=return_sequences)
        layers = [library.Input((7, 3)), library.layers.Bidirectional(layer, **arguments), library.layers.Flatten()]
        models.append(library.Sequential([*layers, library.layers.Dense(2)]))
    theirs, ours = models
    ours.set_weights(theirs.get_weights())
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((5, 7, 3)).astype("float32"), rng.standard_normal((5, 2)).astype("float32")
    for model, library in ((theirs, keras), (ours, pynn)):
        model.compile(library.optimizers.SGD(0.1), "mean_squared_error")
    for _ in range(3):
        assert ours.train_on_batch(x, y) == pytest.approx(float(theirs.train_on_batch(x, y)), rel=1e-4)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


def test_time_distributed(keras):
    theirs, ours = (
        library.Sequential(
            [library.Input((4, 3)), library.layers.TimeDistributed(library.layers.Dense(2, activation="relu"))]
        )
        for library in (keras, pynn)
    )
    ours.set_weights(theirs.get_weights())
    x = np.random.default_rng(0).standard_normal((5, 4, 3)).astype("float32")
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-4, atol=1e-6)
