"""Pooling, borders and upsampling in one, two and three dimensions against Keras."""

import numpy as np
import pytest

import pynn

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

#: With hundreds of numbers in a sample, larger steps diverge.
RATE = {"learning_rate": 0.002}

SHAPES = {1: (2, 9, 4), 2: (2, 9, 8, 4), 3: (2, 6, 5, 7, 4)}

WINDOWS = [
    {"pool_size": 2},
    {"pool_size": 3, "strides": 1, "padding": "same"},
    {"pool_size": 3, "strides": 2, "padding": "same"},
    {"pool_size": 2, "strides": 3},
]


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize("arguments", WINDOWS, ids=str)
def test_pooling(check_layer, rank, kind, arguments):
    check_layer(f"{kind}Pooling{rank}D", arguments, SHAPES[rank], **RATE)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_global_pooling(check_layer, rank, kind, keepdims):
    check_layer(f"Global{kind}Pooling{rank}D", {"keepdims": keepdims}, SHAPES[rank], **RATE)
    check_layer(
        f"Global{kind}Pooling{rank}D", {"keepdims": keepdims, "data_format": "channels_first"}, SHAPES[rank], **RATE
    )


def test_average_over_the_steps_of_a_mask(keras):
    x = np.random.default_rng(0).standard_normal((2, 5, 3)).astype("float32")
    mask = np.array([[1, 1, 0, 0, 0], [1, 0, 1, 1, 0]], bool)
    for keepdims in (False, True):
        expected = np.array(keras.layers.GlobalAveragePooling1D(keepdims=keepdims)(x, mask=mask))
        ours = pynn.layers.GlobalAveragePooling1D(keepdims=keepdims)(x, mask=mask)
        np.testing.assert_allclose(np.array(ours), expected, rtol=1e-5)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_adaptive_pooling(check_layer, rank, kind, size):
    check_layer(f"Adaptive{kind}Pooling{rank}D", {"output_size": size}, SHAPES[rank], **RATE)


BORDERS = [
    ("ZeroPadding1D", {}),
    ("ZeroPadding1D", {"padding": (2, 0)}),
    ("ZeroPadding2D", {"padding": ((0, 1), (2, 3))}),
    ("ZeroPadding2D", {"padding": (1, 2)}),
    ("ZeroPadding3D", {}),
    ("ZeroPadding3D", {"padding": ((0, 1), (2, 0), (1, 1))}),
    ("Cropping1D", {}),
    ("Cropping1D", {"cropping": (0, 2)}),
    ("Cropping2D", {"cropping": ((1, 0), (2, 3))}),
    ("Cropping3D", {}),
    ("Cropping3D", {"cropping": ((1, 0), (0, 2), (1, 1))}),
    ("UpSampling1D", {}),
    ("UpSampling2D", {"size": (2, 3)}),
    ("UpSampling2D", {"size": (3, 2), "interpolation": "bilinear"}),
    ("UpSampling2D", {"interpolation": "bicubic"}),
    ("UpSampling2D", {"interpolation": "lanczos3"}),
    ("UpSampling2D", {"size": 3, "interpolation": "lanczos5"}),
    ("UpSampling3D", {"size": (1, 2, 3)}),
]


@pytest.mark.parametrize(("name", "arguments"), BORDERS, ids=str)
def test_borders_and_upsampling(check_layer, name, arguments):
    check_layer(name, arguments, SHAPES[int(name[-2])], **RATE)


MADE = [
    *((f"{kind}Pooling{rank}D", {"pool_size": 2}) for rank in (1, 2, 3) for kind in ("Max", "Average")),
    *((f"Adaptive{kind}Pooling{rank}D", {"output_size": 3}) for rank in (1, 2, 3) for kind in ("Max", "Average")),
    *((f"Global{kind}Pooling{rank}D", {}) for rank in (1, 2, 3) for kind in ("Max", "Average")),
    *BORDERS,
    ("Flatten", {}),
    ("Flatten", {"data_format": "channels_first"}),
]


@pytest.mark.parametrize(("name", "arguments"), MADE, ids=str)
def test_configs_are_those_of_keras(keras, name, arguments):
    theirs, ours = (getattr(library.layers, name)(**arguments, name="same").get_config() for library in (keras, pynn))
    for config in (theirs, ours):
        config["dtype"] = config["dtype"]["config"]
    assert ours == theirs


@pytest.mark.parametrize(
    ("name", "arguments"), [(n, a) for n, a in MADE if n not in ("Cropping1D", "UpSampling1D", "Flatten")], ids=str
)
def test_channels_first_is_channels_last_moved(name, arguments):
    shape = SHAPES[int(name[-2])]
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    layer = getattr(pynn.layers, name)
    last = np.array(layer(**arguments)(x))
    first = np.array(layer(**arguments, data_format="channels_first")(np.ascontiguousarray(np.moveaxis(x, -1, 1))))
    np.testing.assert_allclose(np.moveaxis(first, 1, -1) if first.ndim > 2 else first, last, rtol=1e-5, atol=1e-6)


def test_flatten_gives_one_order_for_both_formats(keras):
    x = np.arange(24.0, dtype="float32").reshape(1, 2, 3, 4)
    expected = np.array(keras.layers.Flatten(data_format="channels_first")(x))
    np.testing.assert_array_equal(np.array(pynn.layers.Flatten(data_format="channels_first")(x)), expected)


def test_the_gradient_of_a_maximum_goes_to_the_first_of_equals(check_layer):
    check_layer("MaxPooling3D", {"pool_size": 2}, (2, 4, 4, 4, 2), draw=lambda rng, s: rng.integers(0, 2, s), **RATE)
    check_layer("MaxPooling1D", {"pool_size": 2}, (2, 8, 3), draw=lambda rng, s: rng.integers(0, 2, s), **RATE)
