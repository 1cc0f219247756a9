"""Convolution layers of one, two and three dimensions against Keras: values, training, configs, weights, sizes."""

import numpy as np
import pytest

import pynn

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

#: With hundreds of numbers in a sample, larger steps diverge.
RATE = {"learning_rate": 0.002}

SHAPES = {1: (2, 9, 4), 2: (2, 9, 8, 4), 3: (2, 6, 5, 7, 4)}

CONVS = [
    {"filters": 6, "kernel_size": 3},
    {"filters": 6, "kernel_size": 3, "padding": "same", "activation": "relu"},
    {"filters": 6, "kernel_size": 2, "strides": 2, "use_bias": False},
    {"filters": 6, "kernel_size": 3, "strides": 2, "padding": "same", "bias_initializer": "ones"},
    {"filters": 6, "kernel_size": 2, "dilation_rate": 2, "padding": "same"},
    {"filters": 6, "kernel_size": 3, "groups": 2},
    {"filters": 5, "kernel_size": 1, "activation": "softmax"},
]


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("arguments", CONVS, ids=str)
def test_conv(check_layer, rank, arguments):
    check_layer(f"Conv{rank}D", arguments, SHAPES[rank], **RATE)


@pytest.mark.parametrize("options", [{}, {"strides": 2}, {"dilation_rate": 3}, {"groups": 2}], ids=str)
def test_causal_conv1d(check_layer, options):
    check_layer("Conv1D", {"filters": 6, "kernel_size": 3, "padding": "causal", **options}, SHAPES[1], **RATE)


def test_causal_results_do_not_depend_on_later_steps():
    layer = pynn.layers.Conv1D(3, 4, padding="causal", dilation_rate=2)
    x = np.random.default_rng(0).standard_normal((1, 12, 2)).astype("float32")
    before = np.array(layer(x))
    x[:, 7:] = 100
    after = np.array(layer(x))
    np.testing.assert_array_equal(before[:, :7], after[:, :7])
    assert not np.allclose(before[:, 7:], after[:, 7:])


TRANSPOSED = [
    {"filters": 5, "kernel_size": 3},
    {"filters": 5, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "tanh"},
    {"filters": 5, "kernel_size": 2, "strides": 3, "use_bias": False},
    {"filters": 5, "kernel_size": 3, "strides": 2, "output_padding": 1},
    {"filters": 5, "kernel_size": 3, "strides": 2, "output_padding": 0, "padding": "same"},
    {"filters": 5, "kernel_size": 3, "dilation_rate": 2},
]


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("arguments", TRANSPOSED, ids=str)
def test_transposed(check_layer, rank, arguments):
    shape = {1: (2, 5, 4), 2: (2, 4, 5, 4), 3: (2, 3, 2, 4, 4)}[rank]
    check_layer(f"Conv{rank}DTranspose", arguments, shape, **RATE)


DEPTHWISE = [
    {"kernel_size": 3},
    {"kernel_size": 3, "padding": "same", "depth_multiplier": 2, "activation": "relu"},
    {"kernel_size": 2, "strides": 2, "use_bias": False},
    {"kernel_size": 3, "dilation_rate": 2, "padding": "same"},
]


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("arguments", DEPTHWISE, ids=str)
def test_depthwise_and_separable(check_layer, rank, arguments):
    check_layer(f"DepthwiseConv{rank}D", arguments, SHAPES[rank], **RATE)
    check_layer(f"SeparableConv{rank}D", {"filters": 5, **arguments}, SHAPES[rank], **RATE)


NAMES = [
    *(f"Conv{rank}D{kind}" for rank in (1, 2, 3) for kind in ("", "Transpose")),
    *(f"{kind}Conv{rank}D" for rank in (1, 2) for kind in ("Depthwise", "Separable")),
]


def _rank(name):
    return int(name[name.index("D", 1 if name.startswith("D") else 0) - 1])


def _made(library, class_name, **arguments):
    filters = {} if class_name.startswith("Depthwise") else {"filters": 6}
    return getattr(library.layers, class_name)(kernel_size=3, **filters, **arguments)


@pytest.mark.parametrize("name", NAMES)
def test_channels_first_is_channels_last_moved(name):
    """Keras on a CPU has no channels first for some of these, so its channels last, compared above, is the measure."""
    rank = _rank(name)
    x = np.random.default_rng(0).standard_normal(SHAPES[rank]).astype("float32")
    last, first = (
        _made(pynn, name, activation="relu"),
        _made(pynn, name, activation="relu", data_format="channels_first"),
    )
    y = np.array(last(x))
    moved = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    first.build((None, *moved.shape[1:]))
    first.set_weights(last.get_weights())
    np.testing.assert_allclose(np.moveaxis(np.array(first(moved)), 1, -1), y, rtol=1e-6, atol=1e-6)
    assert first.compute_output_shape((None, *moved.shape[1:])) == (None, y.shape[-1], *y.shape[1:-1])
    assert first.compute_output_shape((None, 4, *(None,) * rank)) == (None, y.shape[-1], *(None,) * rank)


def test_channels_first_softmax_goes_over_the_last_axis():
    """As in Keras: it does not know where the channels are."""
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 6)).astype("float32")
    layer = pynn.layers.Conv2D(4, 2, data_format="channels_first", activation="softmax")
    np.testing.assert_allclose(np.array(layer(x)).sum(axis=-1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_configs_are_those_of_keras(keras, name):
    theirs, ours = (_made(library, name, name="same").get_config() for library in (keras, pynn))
    for config in (theirs, ours):
        for key, value in config.items():
            if isinstance(value, dict):  # an initializer: Keras adds keys about its registry
                config[key] = {k: value[k] for k in ("class_name", "config")}
    assert ours == theirs


@pytest.mark.parametrize("name", NAMES)
def test_weights_have_the_names_and_shapes_of_keras(keras, name):
    rank = _rank(name)
    theirs, ours = (_made(library, name) for library in (keras, pynn))
    for layer in (theirs, ours):
        layer.build((None, *SHAPES[rank][1:]))
    assert [(w.name, tuple(w.shape)) for w in ours.weights] == [(w.name, tuple(w.shape)) for w in theirs.weights]
    shape = (None, *SHAPES[rank][1:])
    assert ours.compute_output_shape(shape) == tuple(theirs.compute_output_shape(shape))
    if not name.startswith("Conv") or "Transpose" not in name:
        open_shape = (None, *(None,) * rank, SHAPES[rank][-1])
        assert ours.compute_output_shape(open_shape) == theirs.compute_output_shape(open_shape)


@pytest.mark.parametrize("name", ["Conv1D", "Conv3D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv1D"])
def test_regularizers_and_constraints(check_layer, name):
    kernels = {"Depthwise": ["depthwise"], "Separable": ["depthwise", "pointwise"]}.get(name[:9], ["kernel"])
    arguments = {f"{kernel}_regularizer": "l2" for kernel in kernels}
    arguments |= {f"{kernel}_constraint": "non_neg" for kernel in kernels}
    arguments |= {"bias_regularizer": "l1", "activity_regularizer": "l2", "bias_constraint": "unit_norm"}
    filters = {} if name.startswith("Depthwise") else {"filters": 3}
    check_layer(name, {"kernel_size": 2, **filters, **arguments}, SHAPES[_rank(name)], **RATE)
