"""What tests/parity/test_attention_against_keras.py does not say: errors, dropout, other ways to call."""

import numpy as np
import pytest

import pynn
from pynn.errors import ArgumentError, ShapeError
from pynn.layers import EinsumDense, MultiHeadAttention

X = np.random.default_rng(0).standard_normal((2, 5, 8)).astype("float32")


def test_dropout_acts_in_training_only():
    layer = MultiHeadAttention(2, 4, dropout=0.5, seed=1)
    calm = layer(X, X)
    np.testing.assert_array_equal(calm, layer(X, X))
    assert np.abs(layer(X, X, training=True) - calm).max() > 1e-3
    _, scores = layer(X, X, training=True, return_attention_scores=True)
    assert 0.2 < (scores == 0).mean() < 0.8


def test_flash_and_composed_paths_agree():
    layer = MultiHeadAttention(2, 4)
    y, scores = layer(X, X, return_attention_scores=True, use_causal_mask=True)
    np.testing.assert_allclose(layer(X, X, use_causal_mask=True), y, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(scores.sum(-1), 1, rtol=1e-5)
    assert scores.shape == (2, 2, 5, 5)


def test_attention_over_two_axes():
    image = X.reshape(2, 5, 2, 4)
    layer = MultiHeadAttention(2, 3, attention_axes=(1, 2))
    y, scores = layer(image, image, return_attention_scores=True)
    assert y.shape == image.shape
    assert scores.shape == (2, 2, 5, 2, 5, 2)
    flat = MultiHeadAttention(2, 3)
    flat.build((None, 10, 4))
    flat.set_weights(layer.get_weights())
    rows = X.reshape(2, 10, 4)
    np.testing.assert_allclose(flat(rows, rows).reshape(y.shape), y, rtol=1e-5, atol=1e-6)


def test_freezing_reaches_the_projections():
    layer = MultiHeadAttention(2, 4)
    layer(X, X)
    layer.trainable = False
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == 8


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"num_heads": 0, "key_dim": 4}, "num_heads"),
        ({"num_heads": 2, "key_dim": 4, "sliding_window": -3}, "sliding_window"),
        ({"num_heads": 2, "key_dim": 4, "flash_attention": True, "dropout": 0.1}, "use dropout=0"),
        ({"num_heads": 2, "key_dim": 4, "dropout": 2}, "rate must be"),
    ],
)
def test_errors_of_arguments(arguments, says):
    with pytest.raises(ArgumentError, match=says):
        MultiHeadAttention(**arguments)


def test_errors_of_calls():
    layer = MultiHeadAttention(2, 4)
    with pytest.raises(ShapeError, match="query their batch"):
        layer(X, X[:1])
    with pytest.raises(ShapeError, match="attention_mask must be"):
        layer(X, X, attention_mask=np.ones((2, 5, 4)))
    with pytest.raises(ShapeError, match=r"value_mask must be \(2, 5\)"):
        layer(X, X, value_mask=np.ones((2, 4)))
    with pytest.raises(ArgumentError, match="between batch and features"):
        MultiHeadAttention(2, 4, attention_axes=(3,))(X.reshape(2, 5, 2, 4), X.reshape(2, 5, 2, 4))


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("abc", 3), ArgumentError, "equation must be like"),
        (("ab,bc->az", 3), ArgumentError, "equation must be like"),
        (("abc,cd->abd", 3), ArgumentError, "one length for each"),
        (("ab,bc->ac", 3, None, "z"), ArgumentError, "bias_axes"),
        (("ab,bc->ac", 3), ShapeError, "expects an input of 2 axes"),
    ],
)
def test_errors_of_einsum_dense(arguments, error, says):
    with pytest.raises(error, match=says):
        EinsumDense(*arguments)(X)


def test_a_dense_layer_of_sequences_is_one_product():
    """Bias and activation go into the product although its result is reshaped in between."""
    from pynn.graph.ir import Spec
    from pynn.graph.passes import passes
    from pynn.graph.trace import Trace

    layer = pynn.layers.Dense(3, activation="relu")
    with Trace() as trace:
        graph = trace.finish([layer(trace.input("x", Spec((2, 5, 8))))])
    for _, run in passes():
        graph = run(graph)
    assert [n.op.name for n in graph.nodes if not n.op.is_view] == ["matmul"]
