"""BatchNormalization: both modes, moving averages, freezing, axes, errors."""

import numpy as np
import pytest

from pynn import layers

X = np.array([[1.0, 2.0], [3.0, 6.0], [5.0, 1.0]], "float32")


def test_training_and_inference():
    bn = layers.BatchNormalization(name="bn")
    # Keras 3.15 on JAX
    np.testing.assert_allclose(
        bn(X, training=True), [[-1.2245152, -0.4628605], [0, 1.3885814], [1.2245154, -0.9257209]], rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(bn.moving_mean.numpy(), [0.03, 0.03], rtol=1e-5)
    np.testing.assert_allclose(bn.moving_variance.numpy(), [1.0166667, 1.0366666], rtol=1e-5)
    inference = [[0.9615435, 1.9339147], [2.9441075, 5.860645], [4.9266715, 0.9522321]]
    np.testing.assert_allclose(bn(X), inference, rtol=1e-5)
    bn.trainable = False
    np.testing.assert_allclose(bn(X, training=True), inference, rtol=1e-5)
    np.testing.assert_allclose(bn.moving_mean.numpy(), [0.03, 0.03], rtol=1e-5)


def test_frozen_inside_another_layer():
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.bn = layers.BatchNormalization()

        def call(self, x):
            return self.bn(x)

    block = Block()
    block(X, training=True)
    block.bn.trainable = False
    before = block.bn.moving_mean.numpy()
    block(X, training=True)
    np.testing.assert_array_equal(block.bn.moving_mean.numpy(), before)


def test_weights():
    bn = layers.BatchNormalization(name="bn")
    bn.build((None, 4))
    assert [v.path for v in bn.weights] == ["bn/gamma", "bn/beta", "bn/moving_mean", "bn/moving_variance"]
    assert [v.path for v in bn.trainable_weights] == ["bn/gamma", "bn/beta"]
    assert bn.count_params() == 16
    plain = layers.BatchNormalization(center=False, scale=False)
    plain(X, training=True)
    assert len(plain.weights) == 2


def test_another_axis():
    bn = layers.BatchNormalization(axis=1)
    y = bn(np.arange(24.0).reshape(2, 3, 4), training=True)
    # Keras 3.15 on JAX
    np.testing.assert_allclose(y[0, 0], [-1.2288314, -1.0649872, -0.9011431, -0.7372989], rtol=1e-5)
    np.testing.assert_allclose(bn.moving_mean.numpy(), [0.075, 0.115, 0.155], rtol=1e-5)
    np.testing.assert_allclose(bn.moving_variance.numpy(), [1.3625] * 3, rtol=1e-5)
    assert bn(np.zeros((2, 3, 4))).shape == (2, 3, 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.BatchNormalization(momentum=5), "momentum must lie between 0 and 1"),
        (lambda: layers.BatchNormalization(epsilon="x"), "epsilon must be a number"),
        (lambda: layers.BatchNormalization(renorm=True), "renorm=True is not supported yet"),
        (lambda: layers.BatchNormalization(axis="c"), "axis must be an integer"),
        (lambda: layers.BatchNormalization(axis=5)(X), r"axis 5 is not a channel axis of an input of shape"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
