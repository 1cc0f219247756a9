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


def trained_ops(model, x=X):
    """The ops of the compiled step; native and reference must reach the same weights."""
    graph = trace_step(model, "train", [spec_of(x), spec_of(Y)])[0]
    before = model.get_weights()
    ReferenceProgram(graph)([x, Y])
    want = model.get_weights()
    model.set_weights(before)
    program = NativeProgram(graph)
    program([x, Y])
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


GREY = np.ascontiguousarray(X[..., :1])


def grey_model(*convolution):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((12, 12, 1)), *convolution, layers.Flatten(), layers.Dense(4)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss)
    return model


@pytest.mark.parametrize(
    "convolution",
    [
        [layers.Conv2D(6, 5, padding="same", activation="relu"), layers.MaxPooling2D()],
        [layers.Conv2D(8, 3), layers.MaxPooling2D()],
        [layers.Conv2D(3, (2, 3), use_bias=False), layers.ReLU(), layers.MaxPooling2D()],
        [layers.Rescaling(0.5), layers.Conv2D(5, 3, activation="relu"), layers.MaxPooling2D()],
        [layers.Conv2D(2, 3), layers.MaxPooling2D(), layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D()],
    ],
    ids=["as LeNet", "no activation", "no bias", "behind a layer", "and another one"],
)
def test_one_channel_is_pooled_in_registers(convolution):
    model = grey_model(*convolution)
    names = trained_ops(model, GREY)
    assert {"pooled_conv2d", "pooled_conv2d_grad_kernel_of_winners"} <= set(names)
    assert "max_pool2d_grad" not in names


@pytest.mark.parametrize(
    "convolution",
    [
        [layers.Conv2D(6, 3, activation="relu"), layers.MaxPooling2D(3)],
        [layers.Conv2D(6, 3, activation="relu"), layers.MaxPooling2D(2, strides=1)],
        [layers.Conv2D(6, 4, activation="relu"), layers.MaxPooling2D(2, padding="same")],
        [layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()],
        [layers.Conv2D(6, 3, activation="tanh"), layers.MaxPooling2D()],
        [layers.Conv2D(6, 3, strides=2, activation="relu"), layers.MaxPooling2D()],
    ],
    ids=["3 x 3", "overlapping", "padded", "many filters", "tanh", "strides"],
)
def test_others_are_pooled_behind_the_convolution(convolution):
    names = trained_ops(grey_model(*convolution), GREY)
    assert "max_pool2d" in names
    assert "pooled_conv2d" not in names


def test_a_result_that_is_read_twice_is_written():
    inputs = keras.Input((12, 12, 1))
    y = layers.Conv2D(4, 3, activation="relu")(inputs)
    pooled = layers.MaxPooling2D()(y)
    outputs = layers.Dense(4)(layers.Concatenate()([layers.Flatten()(pooled), layers.GlobalAveragePooling2D()(y)]))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    assert "pooled_conv2d" not in trained_ops(model, GREY)
