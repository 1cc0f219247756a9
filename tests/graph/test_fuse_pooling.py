"""The gradient of a max-pooling is read where it is, and the step's results stay what they were."""

import numpy as np
import pytest

import pynn as keras
from pynn import layers
from pynn.executor.native import NativeProgram
from pynn.executor.reference import ReferenceProgram
from pynn.models.step import spec_of, trace_step

RNG = np.random.default_rng(5)
X = RNG.normal(size=(11, 12, 12, 3)).astype("float32")
Y = RNG.integers(0, 4, 11).astype("int32")


def model_of(*convolution, channels=3):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((12, 12, channels)),
            layers.Conv2D(4, 1),  # so that the convolution's input needs a gradient too
            *convolution,
            layers.Flatten(),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    return model


def trained_ops(model):
    """The ops of the compiled step; native and reference must reach the same weights."""
    graph = trace_step(model, "train", [spec_of(X), spec_of(Y)])[0]
    before = model.get_weights()
    ReferenceProgram(graph)([X, Y])
    want = model.get_weights()
    model.set_weights(before)
    program = NativeProgram(graph)
    program([X, Y])
    for got, expected, old in zip(model.get_weights(), want, before, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)
        assert np.abs(got - old).max() > 0
    return [node.op.name for node in program.graph.nodes]


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", None])
def test_a_pooled_convolution_takes_the_pooled_gradient(activation):
    names = trained_ops(model_of(layers.Conv2D(8, 3, activation=activation), layers.MaxPooling2D()))
    assert {"pooled_conv2d_grad_kernel", "pooled_conv2d_grad_input"} <= set(names)
    assert "max_pool2d_grad" not in names  # the bias's gradient does not need it either


@pytest.mark.parametrize(
    "convolution",
    [
        layers.Conv2D(8, 3, strides=2),
        layers.Conv2D(8, 3, dilation_rate=2),
        layers.Conv2D(8, 3, groups=2),
        layers.Conv2D(8, 9),
    ],
    ids=["strides", "dilation", "groups", "long rows"],
)
def test_other_convolutions_take_it_spread_out(convolution):
    names = trained_ops(model_of(convolution, layers.MaxPooling2D()))
    assert "max_pool2d_grad" in names
    assert "conv2d_grad_kernel" in names


def test_an_activation_behind_the_pooling_changes_nothing():
    names = trained_ops(model_of(layers.Conv2D(8, 3), layers.MaxPooling2D(), layers.Activation("elu")))
    assert "max_pool2d_grad" not in names
