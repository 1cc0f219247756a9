"""Multi-head attention in Keras and in pynn: the same weights and inputs give the same results and learn the same."""

import numpy as np
import pytest

import pynn

# Keras's arrays, not ours, are behind NumPy 2 here.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def _random(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype("float32")


def _mask(*shape):
    mask = np.random.default_rng(1).uniform(size=shape) < 0.6
    mask[..., 0] = True  # every query sees something, also where causal
    return mask


def _same_weights(theirs, ours):
    rng = np.random.default_rng(1)
    weights = [w + 0.1 * rng.standard_normal(w.shape).astype("float32") for w in theirs.get_weights()]
    theirs.set_weights(weights)
    ours.set_weights(weights)


#: Arguments of the constructor, arguments of the call.
CALLS = [
    ({}, {}),
    ({}, {"use_causal_mask": True}),
    ({}, {"attention_mask": _mask(3, 7, 9)}),
    ({}, {"attention_mask": _mask(3, 7, 9), "use_causal_mask": True}),
    ({"use_bias": False, "attention_axes": (1,)}, {"key": _random(3, 9, 6)}),
    ({"value_dim": 5, "output_shape": (2, 3)}, {"return_attention_scores": True}),
    ({"dropout": 0.5}, {"attention_mask": _mask(3, 7, 9), "return_attention_scores": True, "use_causal_mask": True}),
]


@pytest.mark.parametrize(("arguments", "call"), CALLS, ids=lambda v: "-".join(v) or "plain")
def test_call(keras, arguments, call):
    query, value = _random(3, 7, 10), _random(3, 9, 12)
    theirs, ours = (library.layers.MultiHeadAttention(3, 4, **arguments) for library in (keras, pynn))
    want, got = theirs(query, value, **call), ours(query, value, **call)
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    names = ["/".join(w.path.split("/")[-2:]) for w in theirs.weights]
    assert ["/".join(w.path.split("/")[-2:]) for w in ours.weights] == names
    _same_weights(theirs, ours)
    want, got = theirs(query, value, **call), ours(query, value, **call)
    pairs = zip(got, want, strict=True) if call.get("return_attention_scores") else [(got, want)]
    for a, b in pairs:
        np.testing.assert_allclose(a, np.asarray(b), rtol=1e-4, atol=2e-5)
    config = ours.get_config()
    assert pynn.layers.MultiHeadAttention.from_config(config).get_config() == config
    assert set(theirs.get_config()) <= set(config)


class _SelfAttention(pynn.layers.Layer):
    """Keras's functional ``x -> MultiHeadAttention(x, x)``, as a layer."""

    def __init__(self, arguments, call):
        super().__init__()
        self.attention = pynn.layers.MultiHeadAttention(2, 3, **arguments)
        self.options = call

    def call(self, x):
        return self.attention(x, x, **self.options)


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        ({}, {}),
        ({"value_dim": 3, "output_shape": 7}, {"use_causal_mask": True}),
        ({}, {"attention_mask": _mask(1, 6, 6)}),
    ],
    ids=lambda v: "-".join(v) or "plain",
)
def test_training(keras, arguments, call):
    x = keras.Input((6, 5))
    y = keras.layers.MultiHeadAttention(2, 3, **arguments)(x, x, **call)
    theirs = keras.Model(x, keras.layers.Dense(3)(keras.layers.Flatten()(y)))
    layers = pynn.layers
    ours = pynn.Sequential([pynn.Input((6, 5)), _SelfAttention(arguments, call), layers.Flatten(), layers.Dense(3)])
    _same_weights(theirs, ours)
    batch, target = _random(4, 6, 5), _random(4, 3)
    for model, library in ((theirs, keras), (ours, pynn)):
        model.compile(library.optimizers.SGD(0.05), "mean_squared_error")
    for _ in range(3):
        assert ours.train_on_batch(batch, target) == pytest.approx(
            float(theirs.train_on_batch(batch, target)), rel=1e-4
        )
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"scale": 0.3}, {"mask": _mask(2, 1, 5, 6)}],
                         ids=lambda o: "-".join(o) or "plain")  # fmt: skip
def test_dot_product_attention(keras, options):
    from pynn.utils.arrays import traceable

    operands = [_random(2, n, 3, 4) for n in (5, 6, 6)]
    want = keras.ops.dot_product_attention(*operands, **options)
    ours = traceable(3)(lambda q, k, v: pynn.ops.dot_product_attention(q, k, v, **options))
    np.testing.assert_allclose(ours(*operands), np.asarray(want), rtol=1e-4, atol=1e-5)
