"""Architectures beside those of ``keras.applications``: layers, weights, parameters, and what they compute."""

import inspect

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
    "NASNetMobile": 33,
    "InceptionResNetV2": 75,
}
OTHERS = ("VGG19", "ResNet101", "ResNet101V2", "DenseNet169", "DenseNet201", "MobileNetV3Large", "NASNetLarge")


def layers_of(model):
    """Class, name, shapes of the weights and where from, of each layer."""
    return [(type(layer).__name__, layer.name, [tuple(w.shape) for w in layer.weights]) for layer in model.layers]


@pytest.fixture
def both(keras):
    """``both(name, **arguments)``: Keras's network, whose weights have no numbers, and ours."""

    def build(name, **arguments):
        keras.utils.clear_session()
        pynn.utils.clear_session()
        with keras.StatelessScope(initialize_variables=False):
            theirs = getattr(keras.applications, name)(weights=None, **arguments)
        return theirs, getattr(pynn.applications, name)(weights=None, **arguments)

    return build


def give_numbers(theirs, ours):
    """The same weights to both: ours, with vectors (biases, scales, means) away from 0 and 1, so that none can take
    another's place."""
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    weights = [w + rng.uniform(0.0, 0.2, w.shape).astype("float32") * (w.ndim == 1) for w in ours.get_weights()]
    ours.set_weights(weights)
    # Keras would compile an initializer for each shape, which takes ten times longer than the comparison.
    for variable, weight in zip(theirs.weights, weights, strict=True):
        variable._value = jnp.asarray(weight)


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
        cases = [(name, size, top) for name in [*FAMILIES, *OTHERS] for size, top in [(None, True), (127, False)]]
        cases += [(name, 101, True) for name in FAMILIES] + [(name, None, False) for name in FAMILIES]
    metafunc.parametrize("name, size, include_top", cases)


def test_a_network_computes_what_that_of_keras_does(both, name, size, include_top):
    """At the size given, or at the network's own."""
    size = size or own_size(name)
    theirs, ours = both(
        name, include_top=include_top, input_shape=(size, size, 3), pooling=None if include_top else "avg"
    )
    assert layers_of(ours) == layers_of(theirs)
    give_numbers(theirs, ours)
    rng = np.random.default_rng(1)
    x = rng.uniform(-1.0, 1.0, (2, size, size, 3)).astype("float32")
    expected = theirs.predict(x, verbose=0)
    assert expected.std() > 1e-3 * np.abs(expected).max()
    np.testing.assert_allclose(ours.predict(x, verbose=0), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def own_size(name):
    """The size of images that a network is made for; 224 where it takes any."""
    return getattr(applications, name)(weights=None).input_shape[1] or 224


@pytest.mark.parametrize("name", [*FAMILIES, *OTHERS])
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


def test_channels_first(keras, both):
    """Weights of one order of axes are those of the other."""
    try:
        for library in (keras, pynn):
            library.config.set_image_data_format("channels_first")
        theirs, ours = both("MobileNetV2", input_shape=(3, 64, 64), alpha=0.35)
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
