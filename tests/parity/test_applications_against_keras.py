"""Architectures beside those of ``keras.applications``: layers, weights, parameters, and what they compute.

Of each family the smallest computes, on small images; with ``--all-networks`` all of them do, at the sizes they were
made for, too.
"""

import inspect
from functools import partial

import numpy as np
import pytest

import pynn
from pynn import applications

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own

#: Network -> smallest size of images.  The first of each family also computes; with ``--all-networks``, each network.
FAMILIES = {
    "VGG16": 32,
    "MobileNet": 32,
    "MobileNetV2": 33,
    "ResNet50": 32,
    "ResNet50V2": 33,
    "InceptionV3": 75,
    "Xception": 71,
    "DenseNet121": 32,
    "MobileNetV3Small": 33,
    "EfficientNetB0": 33,
    "EfficientNetV2B0": 33,
    "ConvNeXtTiny": 35,
    "NASNetMobile": 33,
    "InceptionResNetV2": 75,
}
OTHERS = (
    "VGG19", "ResNet101", "ResNet101V2", "DenseNet169", "DenseNet201", "MobileNetV3Large", "NASNetLarge",
    "EfficientNetB3", "EfficientNetV2B3", "EfficientNetV2S", "ConvNeXtSmall",
)  # fmt: skip
#: Too large to be built in each run of these tests.
LARGE = (
    *(f"EfficientNetB{i}" for i in (1, 2, 4, 5, 6, 7)), *(f"EfficientNetV2{v}" for v in ("B1", "B2", "M", "L")),
    *(f"ConvNeXt{v}" for v in ("Base", "Large", "XLarge")),
)  # fmt: skip
#: Take pixels as they are.
TAKES_PIXELS = ("MobileNetV3", "EfficientNet", "ConvNeXt")


def layers_of(model):
    """Class, name, shapes of the weights and where from, of each layer."""
    return [(type(layer).__name__, layer.name, [tuple(w.shape) for w in layer.weights]) for layer in model.layers]


def images(name, size, count=6):
    """As the network takes them: no two alike."""
    rng = np.random.default_rng(1)
    noise = rng.uniform(-1.0, 1.0, (count, size, size, 3)) * rng.uniform(0.2, 1.0, (count, 1, size, 3))
    x = np.clip(0.6 * noise + rng.uniform(-0.8, 0.8, (count, 1, 1, 3)), -1.0, 1.0).astype("float32")
    return (x + 1) * 127.5 if name.startswith(TAKES_PIXELS) else x


def pair(keras, network, /, **arguments):
    """Keras's network, whose weights have no numbers, and ours."""
    keras.utils.clear_session()
    pynn.utils.clear_session()
    with keras.StatelessScope(initialize_variables=False):
        theirs = getattr(keras.applications, network)(weights=None, **arguments)
    return theirs, getattr(pynn.applications, network)(weights=None, **arguments)


@pytest.fixture
def both(keras):
    """``both(network, **arguments)``: Keras's and ours."""
    return partial(pair, keras)


def give_numbers(theirs, ours, x):
    """The same weights to both: ours, with vectors (biases, scales, means) away from 0 and 1, so that none can take
    another's place, and with ``x``'s own statistics, so that what is in an image is not lost on the way."""
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    weights = [w + rng.uniform(0.0, 0.2, w.shape).astype("float32") * (w.ndim == 1) for w in ours.get_weights()]
    ours.set_weights(weights)
    normalizations = [layer for layer in ours.layers if isinstance(layer, pynn.layers.BatchNormalization)]
    if normalizations:
        slowness = [layer.momentum for layer in normalizations]
        for layer in normalizations:
            layer.momentum = 0.0
        ours(x, training=True)
        for layer, momentum in zip(normalizations, slowness, strict=True):
            layer.momentum = momentum
            # A channel that hardly changes would make rounding errors large.
            layer.moving_variance.assign(layer.moving_variance.numpy() + 0.1 * layer.moving_mean.numpy() ** 2)
    # Keras would compile an initializer for each shape, which takes ten times longer than the comparison.
    for variable, weight in zip(theirs.weights, ours.get_weights(), strict=True):
        variable._value = jnp.asarray(weight)
    for layer in theirs.layers:
        if type(layer).__name__ == "Normalization":
            layer.finalize_state()


@pytest.mark.parametrize("name", [*FAMILIES, *OTHERS])
def test_layers_and_weights_are_those_of_keras(both, name):
    theirs, ours = both(name)
    assert ours.name == theirs.name
    assert layers_of(ours) == layers_of(theirs)
    assert ours.count_params() == theirs.count_params()
    assert ours.output_shape == theirs.output_shape


def pytest_generate_tests(metafunc):
    """What networks compute: one of each family at its smallest size, or each at its own and at another."""
    if "include_top" not in metafunc.fixturenames:
        return
    cases = [(name, size, False) for name, size in FAMILIES.items()]
    if metafunc.config.getoption("--all-networks"):
        cases = [
            (name, size, top) for name in [*FAMILIES, *OTHERS, *LARGE] for size, top in [(None, True), (127, False)]
        ]
        cases += [(name, 101, True) for name in FAMILIES] + [(name, None, False) for name in FAMILIES]
    metafunc.parametrize("name, size, include_top", cases)


@pytest.fixture
def exact_convolutions():
    """Nothing but what the network says is to be compared: a hundred convolutions add up what fast ones round."""
    pynn.config.set_conv_precision("exact")
    yield
    pynn.config.set_conv_precision("fast")


@pytest.mark.usefixtures("exact_convolutions")
def test_a_network_computes_what_that_of_keras_does(both, name, size, include_top):
    """At the size given, or at the network's own."""
    size = size or own_size(name)
    theirs, ours = both(
        name, include_top=include_top, input_shape=(size, size, 3), pooling=None if include_top else "avg"
    )
    assert layers_of(ours) == layers_of(theirs)
    x = images(name, size, count=6 if size < 100 else 2)
    give_numbers(theirs, ours, x)
    expected = theirs.predict(x, verbose=0)
    assert np.ptp(expected, 0).max() > 1e-3 * np.abs(expected).max()  # it depends on the image
    np.testing.assert_allclose(ours.predict(x, verbose=0), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def own_size(name):
    """The size of images that a network is made for; 224 where it takes any."""
    return getattr(applications, name)(weights=None).input_shape[1] or 224


@pytest.mark.parametrize("name", ["EfficientNetB0", "ConvNeXtTiny"])
def test_files_of_keras_are_read(both, tmp_path, name):
    theirs, ours = both(name, include_top=False, input_shape=(32, 32, 3))
    give_numbers(theirs, ours, images(name, 32))
    theirs.save(tmp_path / "theirs.h5")
    read = getattr(applications, name)(include_top=False, input_shape=(32, 32, 3), weights=tmp_path / "theirs.h5")
    for a, b in zip(read.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", [*FAMILIES, *OTHERS, *LARGE])
def test_signatures_are_those_of_keras(keras, name):
    def arguments(library):
        parameters = inspect.signature(getattr(library.applications, name)).parameters.values()
        return [(p.name, p.default) for p in parameters]

    assert arguments(pynn) == arguments(keras)


@pytest.mark.parametrize("name", ["MobileNet", "MobileNetV2"])
@pytest.mark.parametrize("alpha", [0.35, 1.4])
def test_widths(both, name, alpha):
    theirs, ours = both(name, alpha=alpha, input_shape=(96, 96, 3))
    assert ours.name == theirs.name
    assert layers_of(ours) == layers_of(theirs)


@pytest.mark.parametrize("name", ["MobileNetV3Small", "MobileNetV3Large"])
def test_minimal_networks(both, name):
    arguments = {"minimalistic": True, "include_preprocessing": False, "alpha": 1.25, "dropout_rate": 0}
    theirs, ours = both(name, **arguments)
    assert layers_of(ours) == layers_of(theirs)


@pytest.mark.parametrize("name", ["EfficientNetV2B0", "EfficientNetV2S", "ConvNeXtTiny"])
@pytest.mark.parametrize("preprocessing", [True, False])
def test_gray_images(both, name, preprocessing):
    theirs, ours = both(name, include_preprocessing=preprocessing, input_shape=(40, 48, 1))
    assert layers_of(ours) == layers_of(theirs)


def test_a_name_is_in_front_of_all_layers(both):
    theirs, ours = both("ConvNeXtTiny", name="mine", input_shape=(64, 32, 3), classes=3)
    assert ours.name == "mine"
    assert layers_of(ours) == layers_of(theirs)


@pytest.mark.parametrize("name", ["EfficientNetB0", "EfficientNetV2B0", "ConvNeXtTiny"])
@pytest.mark.parametrize("pooling", [None, "max"])
def test_networks_without_the_top(both, name, pooling):
    theirs, ours = both(name, include_top=False, pooling=pooling)
    assert layers_of(ours) == layers_of(theirs)
    assert ours.output_shape == theirs.output_shape


@pytest.mark.parametrize("name", ["EfficientNetB1", "EfficientNetV2B1", "EfficientNetV2S"])
def test_blocks_are_left_out_as_often(both, name):
    theirs, ours = both(name, include_top=False)
    rates = [[(layer.name, layer.rate) for layer in model.layers if "drop" in layer.name] for model in (ours, theirs)]
    assert len(rates[0]) > 10
    assert rates[0] == [(name, pytest.approx(rate)) for name, rate in rates[1]]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("MobileNetV2", {"alpha": 0.35}), ("EfficientNetB0", {}), ("EfficientNetV2B0", {}), ("EfficientNetV2S", {})],
)
def test_channels_first(keras, both, name, arguments):
    """Weights of one order of axes are those of the other."""
    try:
        for library in (keras, pynn):
            library.config.set_image_data_format("channels_first")
        theirs, ours = both(name, input_shape=(3, 64, 64), **arguments)
    finally:
        for library in (keras, pynn):
            library.config.set_image_data_format("channels_last")
    assert layers_of(ours) == layers_of(theirs)
    assert [layer.output.shape for layer in ours.layers] == [layer.output.shape for layer in theirs.layers]


#: Modules of ``applications`` that Keras has not, or that have no preprocessing of their own.
NOT_PREPROCESSING = {"imagenet_utils", "lenet5", "alexnet", "resnet_cifar"}


@pytest.mark.parametrize("module", sorted({*applications._MODULES} - NOT_PREPROCESSING))
def test_preprocessing_is_that_of_keras(keras, module):
    ours, theirs = getattr(pynn.applications, module), getattr(keras.applications, module)
    rng = np.random.default_rng(0)
    for x in (rng.integers(0, 256, (2, 4, 5, 3)), rng.uniform(0, 255, (4, 5, 3)).astype("float32")):
        expected = theirs.preprocess_input(x.copy())
        given = x.copy()
        result = ours.preprocess_input(given)
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)
        assert result.dtype == expected.dtype
        first = theirs.preprocess_input(np.moveaxis(x, -1, -3).copy(), data_format="channels_first")
        np.testing.assert_allclose(
            ours.preprocess_input(np.moveaxis(x, -1, -3).copy(), data_format="channels_first"), first, atol=1e-4
        )


def test_a_file_with_a_scaled_residual_goes_both_ways(keras, tmp_path):
    """``CustomScaleLayer`` is no layer of ``keras.layers``; files name its module."""
    start = pynn.Input((4,))
    scaled = applications.inception_resnet_v2.CustomScaleLayer(0.5)
    ours = pynn.Model(start, scaled([start, pynn.layers.Dense(4)(start)]))
    ours.save(tmp_path / "ours.keras")
    theirs = keras.models.load_model(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    x = np.random.default_rng(0).standard_normal((2, 4)).astype("float32")
    np.testing.assert_allclose(theirs.predict(x, verbose=0), ours.predict(x, verbose=0), rtol=1e-6)
    again = pynn.models.load_model(tmp_path / "theirs.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), ours.predict(x, verbose=0))


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_modes(keras, mode):
    x = np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 3)).astype("float32")
    expected = keras.applications.imagenet_utils.preprocess_input(x.copy(), mode=mode)
    ours = pynn.applications.imagenet_utils
    np.testing.assert_allclose(ours.preprocess_input(x.copy(), mode=mode), expected, rtol=1e-4, atol=1e-5)
    inputs = pynn.Input((4, 5, 3))
    model = pynn.Model(inputs, ours.preprocess_input(inputs, mode=mode))
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-4)
