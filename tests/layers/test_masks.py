"""Masks: where they begin, who hands them on, who uses them."""

import numpy as np
import pytest

import pynn
from pynn import layers, ops

WORDS = np.array([[3, 1, 0, 0], [2, 0, 4, 0]])
COUNTS = np.array([[1, 1, 0, 0], [1, 0, 1, 0]])


class MaskedMean(layers.Layer):
    """Ends the mask: the mean of the steps that count."""

    def call(self, x, mask=None):
        weights = ops.expand_dims(ops.cast(mask, "float32"), -1)
        return ops.sum(x * weights, axis=1) / ops.sum(weights, axis=1)

    def compute_mask(self, inputs, previous_mask=None):
        return None


class Plain(layers.Layer):
    def call(self, x):
        return x + 1.0


def sequential():
    return pynn.Sequential([pynn.Input((4,), dtype="int32"), layers.Embedding(5, 3, mask_zero=True), MaskedMean()])


def functional():
    x = pynn.Input((4,), dtype="int32")
    return pynn.Model(x, MaskedMean()(layers.Dropout(0.5)(layers.Embedding(5, 3, mask_zero=True)(x))))


class Own(pynn.Model):
    def __init__(self):
        super().__init__()
        self.embedding, self.mean = layers.Embedding(5, 3, mask_zero=True), MaskedMean()

    def call(self, x):
        return self.mean(self.embedding(x))


@pytest.mark.parametrize("make", [sequential, functional, Own])
def test_a_mask_reaches_the_layer_that_uses_it(make):
    model = make()
    y = model.predict(WORDS, verbose=0)
    table = next(w for w in model.get_weights() if w.shape == (5, 3))
    expected = (table[WORDS] * COUNTS[..., None]).sum(1) / COUNTS.sum(1, keepdims=True)
    np.testing.assert_allclose(y, expected, rtol=1e-5)
    np.testing.assert_allclose(model(WORDS), expected, rtol=1e-5)


def test_results_on_arrays_carry_their_mask():
    embedding, mean = layers.Embedding(5, 3, mask_zero=True), MaskedMean()
    vectors = embedding(WORDS)
    np.testing.assert_array_equal(np.asarray(vectors._keras_mask), COUNTS)
    np.testing.assert_array_equal(np.asarray(embedding.compute_mask(WORDS)), COUNTS)
    kept = layers.Activation("relu")(vectors)
    np.testing.assert_array_equal(np.asarray(kept._keras_mask), COUNTS)
    assert (kept + 1)._keras_mask is None
    np.testing.assert_allclose(mean(vectors), mean(np.asarray(vectors), mask=COUNTS), rtol=1e-6)
    assert mean(vectors)._keras_mask is None


def test_a_mask_can_be_given():
    x = np.arange(24.0, dtype="float32").reshape(2, 4, 3)
    y = MaskedMean()(x, mask=np.array([[1, 0, 0, 0], [0, 0, 0, 1]]))
    np.testing.assert_allclose(y, x[[0, 1], [0, 3]])


def test_a_layer_that_knows_no_masks_ends_them_with_a_warning():
    with pytest.warns(UserWarning, match=r"layer 'plain.*' \(Plain\) does not support masks"):
        y = Plain()(layers.Embedding(5, 3, mask_zero=True)(WORDS))
    assert y._keras_mask is None


def test_supports_masking():
    assert MaskedMean().supports_masking
    assert not Plain().supports_masking
    assert layers.Dense(2).supports_masking
    assert not layers.Embedding(3, 2).supports_masking
    layer = Plain()
    layer.supports_masking = True
    np.testing.assert_array_equal(np.asarray(layer(layers.Embedding(5, 3, mask_zero=True)(WORDS))._keras_mask), COUNTS)


def test_batch_normalization_counts_masked_steps_out():
    x = np.random.default_rng(0).standard_normal((2, 4, 3)).astype("float32")
    layer = layers.BatchNormalization(momentum=0.5)
    y = layer(x, training=True, mask=COUNTS)
    kept = x[COUNTS.astype(bool)]
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.5 * kept.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.5 + 0.5 * kept.var(0), rtol=1e-5)
    np.testing.assert_allclose(y, (x - kept.mean(0)) / np.sqrt(kept.var(0) + 1e-3), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match=r"expected a mask of the first axes of the input \(2, 4, 3\)"):
        layer(x, training=True, mask=COUNTS[:, :2])
