"""Convolution, pooling and border layers of all ranks: what runs natively, and what errors say."""

import numpy as np
import pytest

from pynn import Input, Sequential, layers, ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Spec
from pynn.graph.passes.simplify import simplify
from pynn.graph.trace import Trace
from pynn.ops.shape import Transpose
from pynn.utils import clear_session


@pytest.fixture(autouse=True)
def _fresh_names():
    clear_session(free_memory=False)  # a collection takes longer than a test


def test_a_convolution_of_volumes_by_hand():
    x = np.arange(8.0, dtype="float32").reshape(1, 2, 2, 2, 1)
    layer = layers.Conv3D(1, 2, kernel_initializer="ones", bias_initializer="ones")
    assert float(np.array(layer(x)).item()) == 28 + 1
    assert layers.Conv3DTranspose(1, 2, strides=2, kernel_initializer="ones")(x).shape == (1, 4, 4, 4, 1)


def test_groups_of_volumes_know_nothing_of_each_other():
    rng = np.random.default_rng(0)
    x, w = (
        rng.standard_normal((2, 4, 5, 5, 6)).astype("float32"),
        rng.standard_normal((2, 3, 3, 3, 4)).astype("float32"),
    )
    both = np.array(ops.conv(x, w, padding="same"))
    for group, (channels, filters) in enumerate(((slice(0, 3), slice(0, 2)), (slice(3, 6), slice(2, 4)))):
        alone = np.array(ops.conv(x[..., channels].copy(), w[..., filters].copy(), padding="same"))
        np.testing.assert_allclose(both[..., filters], alone, rtol=1e-4, atol=1e-5, err_msg=str(group))


@pytest.mark.parametrize(
    "make",
    [
        lambda: [layers.Conv1D(8, 3, padding="causal"), layers.MaxPooling1D(2), layers.Conv1D(8, 3, dilation_rate=2)],
        lambda: [layers.SeparableConv1D(8, 3), layers.AveragePooling1D(2), layers.Conv1DTranspose(4, 3, strides=2)],
        lambda: [layers.Conv3D(4, 3), layers.MaxPooling3D(2), layers.Conv3DTranspose(2, 2, strides=2)],
        lambda: [
            layers.Conv2D(4, 3, data_format="channels_first"),
            layers.MaxPooling2D(2, data_format="channels_first"),
        ],
    ],
    ids=["sequence", "separable", "volume", "channels first"],
)
def test_a_training_step_calls_no_numpy(make, capsys, monkeypatch):
    parts = make()
    monkeypatch.setenv("PYNN_SHOW", "kernels")
    shape = {1: (16, 3), 2: (3, 12, 12), 3: (6, 8, 8, 2)}[parts[0].rank]
    model = Sequential([Input(shape), *parts, layers.Flatten(), layers.Dense(2)])
    model.compile("sgd", "mse")
    model.train_on_batch(np.ones((2, *shape), "float32"), np.ones((2, 2), "float32"))
    shown = capsys.readouterr()
    assert "conv2d" in shown.out + shown.err
    assert "NumPy reference" not in shown.out + shown.err


def test_transposes_between_layers_with_channels_first_vanish():
    first = {"data_format": "channels_first"}
    stack = [
        layers.Conv2D(4, 3, activation="relu", **first),
        layers.MaxPooling2D(2, **first),
        layers.Conv2D(4, 3, **first),
    ]
    with Trace() as trace:
        y = trace.input("x", Spec((1, 3, 12, 12)))
        for layer in stack:
            y = layer(y)
        graph = trace.finish([y])
    assert sum(isinstance(node.op, Transpose) for node in simplify(graph).nodes) == 2  # into the first, out of the last


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.Conv1D(3, (2, 2)), ArgumentError, "'conv1d': kernel_size must be a positive integer"),
        (lambda: layers.Conv3D(3, (2, 2)), ArgumentError, "layer 'conv3d': kernel_size must be .* three of them"),
        (lambda: layers.Conv2D(3, 2, padding="causal"), ArgumentError, "'conv2d': padding must be 'valid' or 'same'"),
        (lambda: layers.Conv1D(3, 2, padding="full"), ArgumentError, "'valid' or 'same' or 'causal', received 'full'"),
        (lambda: layers.Conv1D(3, 9)(np.zeros((1, 5, 2))), ShapeError, r"layer 'conv1d': the window \(9,\) is larger"),
        (lambda: layers.Conv3D(3, 3)(np.zeros((1, 2, 5, 5, 1))), ShapeError, "the output would be empty"),
        (lambda: layers.MaxPooling3D(3)(np.zeros((1, 2, 5, 5, 1))), ShapeError, "layer 'max_pooling3d': the window"),
        (lambda: layers.Conv1D(4, 2, groups=2)(np.zeros((1, 5, 3))), ShapeError, "groups=2, received 3 channels"),
        (lambda: layers.DepthwiseConv1D(2, strides=2, dilation_rate=2), ArgumentError, "cannot both be above 1"),
        (lambda: layers.Conv1DTranspose(2, 2, output_padding=1), ArgumentError, "output_padding must be"),
        (lambda: layers.Conv1D(3, 2)(np.zeros((1, 5))), ShapeError, r"sequences are \(batch, steps, channels\)"),
        (lambda: layers.Conv2D(3, 2, data_format="channels_first")(np.zeros((5, 5, 5))), ShapeError, r":, None\]"),
        (lambda: layers.ZeroPadding3D((1, 2)), ArgumentError, "padding must be a number, .depth, rows, columns."),
        (lambda: layers.Cropping1D(3)(np.zeros((1, 5, 2))), ShapeError, r"cropping \(3, 3\) leaves nothing"),
        (lambda: layers.AdaptiveMaxPooling2D(0), ArgumentError, "output_size must be a positive integer"),
        (lambda: layers.UpSampling2D(interpolation="cubic"), ArgumentError, "interpolation must be 'nearest' or"),
    ],
)  # fmt: skip
def test_errors_name_the_layer(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_whole_numbers_stay_whole_where_nothing_is_computed():
    x = np.arange(8, dtype="int32").reshape(1, 4, 2)
    assert np.array(layers.ZeroPadding1D(1)(x)).dtype == np.int32
    assert np.array(layers.UpSampling1D(2)(x)).tolist() == np.repeat(x, 2, axis=1).tolist()
