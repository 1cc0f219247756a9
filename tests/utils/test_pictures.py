"""Pictures of feature maps, filters, answers and mistakes, and where in an image a network looks."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

import pynn
from pynn import layers, utils
from pynn.errors import ArgumentError, ShapeError

pytest.importorskip("matplotlib")
MODELS = Path(os.environ.get("PYNN_DATA_DIR", "")) / "models"
REAL = MODELS / "mobilenet_7_5_224_tf.h5"


@pytest.fixture
def network():
    """Two maps, the pixels and their negative; class 0 is the mean of the one, class 1 of the other."""
    inputs = pynn.Input((6, 8, 1))
    maps = layers.Conv2D(2, 1, name="maps")(inputs)
    means = layers.GlobalAveragePooling2D(name="means")(maps)
    model = pynn.Model(inputs, layers.Dense(2, activation="softmax", name="answer")(means))
    model.set_weights([np.array([[[[1.0, -1.0]]]]), np.zeros(2), np.array([[2.0, 0.0], [0.0, 1.0]]), np.zeros(2)])
    return model


@pytest.fixture
def image():
    image = np.zeros((6, 8, 1), "float32")
    image[1, 2], image[4, 7] = 4.0, 1.0
    image[5, 0] = -2.0
    return image


def shown(figure, panel=0):
    return np.asarray(figure.axes[panel].images[-1].get_array())


# ---- Grad-CAM --------------------------------------------------------------------------------------------------


def test_grad_cam_is_what_the_paper_says(network, image):
    """For class 0 the gradient is 2/48 over the first map and 0 over the second: the positive pixels, divided by 4."""
    expected = np.zeros((6, 8))
    expected[1, 2], expected[4, 7] = 1.0, 0.25
    np.testing.assert_allclose(utils.grad_cam(network, image, 0), expected, atol=1e-6)
    np.testing.assert_allclose(utils.grad_cam(network, image[None], 0, "maps"), expected, atol=1e-6)
    # The most probable class is 0, too: its mean is positive.
    np.testing.assert_allclose(utils.grad_cam(network, image), expected, atol=1e-6)
    # Class 1 sees the negative map.
    np.testing.assert_allclose(utils.grad_cam(network, image, 1), np.eye(6, 8, -5), atol=1e-6)


def test_a_sure_network_has_a_map_as_well(network, image):
    """A softmax that has come to 1 has no gradient; the number before it has."""
    network.get_layer("answer").kernel.assign(1e4 * np.eye(2))
    assert network.predict(image[None], verbose=0)[0, 0] == 1
    assert utils.grad_cam(network, image).max() == 1


@pytest.mark.parametrize("activation", ["linear", "sigmoid"])
def test_models_with_other_ends_and_frozen_ones(image, activation):
    model = pynn.Sequential(
        [
            pynn.Input((6, 8, 1)),
            layers.Conv2D(3, 3, padding="same", activation="relu", kernel_initializer="ones"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(1, activation=activation, kernel_initializer="ones"),
        ]
    )
    model.trainable = False
    heat = utils.grad_cam(model, image)
    assert heat.shape == (6, 8)
    assert heat.max() == 1
    assert heat[1, 2] == 1
    assert heat[5, 0] == 0


def test_it_looks_through_a_network_in_the_network(image):
    """As after transfer learning: the base is one layer, its maps are those that count."""
    base = pynn.Sequential([pynn.Input((6, 8, 1)), layers.Conv2D(1, 1, kernel_initializer="ones")], name="base")
    model = pynn.Sequential([pynn.Input((6, 8, 1)), base, layers.GlobalAveragePooling2D()])
    expected = np.maximum(image[..., 0], 0) / 4
    np.testing.assert_allclose(utils.grad_cam(model, image), expected, atol=1e-6)
    np.testing.assert_allclose(utils.grad_cam(model, image, layer=base), expected, atol=1e-6)


def test_nothing_that_speaks_for_a_class_is_no_division_by_zero(network):
    assert not utils.grad_cam(network, np.zeros((6, 8, 1))).any()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"class_index": 2}, ArgumentError, r"class_index must be 0 ... 1, received 2"),
        ({"layer": "means"}, ArgumentError, "'means' is no layer .* these do: maps"),
        ({"image": np.zeros((2, 6, 8, 1))}, ShapeError, r"received \(2, 6, 8, 1\)"),
        ({"image": np.zeros((6, 8))}, ShapeError, r"one image .* received \(6, 8\)"),
    ],
)
def test_grad_cam_refuses(network, image, arguments, error, words):
    with pytest.raises(error, match=words):
        utils.grad_cam(**{"model": network, "image": image, **arguments})


def test_grad_cam_needs_maps_and_classes(network, image):
    dense = pynn.Sequential([pynn.Input((4,)), layers.Dense(2)])
    with pytest.raises(ArgumentError, match="no layer that gives maps"):
        utils.grad_cam(dense, image)
    with pytest.raises(ArgumentError, match=r"numbers of \(images, classes\), it gives \(None, 6, 8, 2\)"):
        utils.grad_cam(pynn.Model(network.input, network.get_layer("maps").output), image)

    class Own(pynn.Model):
        def call(self, x):
            return x

    with pytest.raises(ArgumentError, match="functional or built sequential"):
        utils.grad_cam(Own(name="own"), image)


def test_plot_grad_cam_lays_the_map_over_the_photograph(network, image):
    photo = np.random.default_rng(0).integers(0, 256, (60, 40, 3)).astype("uint8")
    figure = utils.plot_grad_cam(network, image, 0, photo=photo, alpha=0.25)
    np.testing.assert_allclose(shown(figure), photo / 255)
    heat = figure.axes[1].images[1]
    np.testing.assert_allclose(heat.get_array(), utils.grad_cam(network, image, 0))
    assert heat.get_extent() == [-0.5, 39.5, 59.5, -0.5]
    assert heat.get_alpha() == 0.25
    assert figure.axes[1].get_title() == "class 0"
    # Without a photograph, the image itself, stretched to 0 ... 1.
    np.testing.assert_allclose(shown(utils.plot_grad_cam(network, image)), (image[..., 0] + 2) / 6, rtol=1e-6)


@pytest.mark.skipif(not REAL.is_file(), reason="needs models/mobilenet_7_5_224_tf.h5 in PYNN_DATA_DIR")
def test_a_real_network_looks_at_the_elephants():
    """They stand in a row at the shore, below the sky and above the water; a cell of the maps is 32 pixels."""
    pillow = pytest.importorskip("PIL.Image")
    network = pynn.applications.MobileNet(alpha=0.75)
    with pillow.open(MODELS / "photos" / "n02504458_African_elephant.JPEG") as photo:
        pixels = np.asarray(photo.convert("RGB").resize((224, 224)), "float32")
    heat = utils.grad_cam(network, pynn.applications.mobilenet.preprocess_input(pixels.copy()))
    sky, shore, water = heat[:64], heat[96:160], heat[192:]
    assert shore.mean() > 3 * max(sky.mean(), water.mean())
    assert 96 <= np.unravel_index(heat.argmax(), heat.shape)[0] < 160


# ---- feature maps and filters ----------------------------------------------------------------------------------


def test_feature_maps(network, image):
    figure = utils.plot_feature_maps(network, image, "maps")
    assert len(figure.axes) == 2
    np.testing.assert_allclose(shown(figure, 0), image[..., 0])
    np.testing.assert_allclose(shown(figure, 1), -image[..., 0])
    assert figure.get_suptitle() == "maps: 2 of 2 maps of 6 x 8"
    fewer = utils.plot_feature_maps(network, image, most=1)
    assert len(fewer.axes) == 1
    with pytest.raises(ArgumentError, match="most=0"):
        utils.plot_feature_maps(network, image, most=0)
    with pytest.raises(ArgumentError, match="columns"):
        utils.plot_feature_maps(network, image, columns=0)


@pytest.mark.parametrize("channels", [1, 3])
def test_filters_of_one_and_three_channels(channels):
    layer = layers.Conv2D(5, (2, 3))
    layer.build((None, 8, 8, channels))
    kernel = np.random.default_rng(0).standard_normal(layer.kernel.shape).astype("float32")
    layer.kernel.assign(kernel)
    figure = utils.plot_filters(layer, columns=3)
    for i in range(5):
        expected = 0.5 + kernel[..., i] / (2 * np.abs(kernel).max())
        np.testing.assert_allclose(shown(figure, i), expected.squeeze(2) if channels == 1 else expected, rtol=1e-6)
        assert figure.axes[i].images[0].get_clim() == (0, 1)
    assert len([axes for axes in figure.axes if axes.images]) == 5


def test_filters_of_other_channels_and_depthwise_ones():
    layer = layers.Conv2D(4, 3, name="deep")
    layer.build((None, 8, 8, 6))
    kernel = np.asarray(layer.kernel)
    scale = 2 * np.abs(kernel[:, :, 5]).max()
    np.testing.assert_allclose(
        shown(utils.plot_filters(layer, channel=5), 2), 0.5 + kernel[:, :, 5, 2] / scale, rtol=1e-6
    )
    assert utils.plot_filters(layer).get_suptitle() == "deep: 4 of 4 filters of 3 x 3, input channel 0"
    depthwise = layers.DepthwiseConv2D(3, depth_multiplier=2)
    depthwise.build((None, 8, 8, 3))
    kernel = np.asarray(depthwise.kernel)
    figure = utils.plot_filters(depthwise)
    assert len(figure.axes) == 6
    np.testing.assert_allclose(shown(figure, 3), 0.5 + kernel[:, :, 1, 1] / (2 * np.abs(kernel).max()), rtol=1e-6)
    with pytest.raises(ArgumentError, match=r"channel must be 0 ... 5, received 6"):
        utils.plot_filters(layer, channel=6)
    with pytest.raises(ArgumentError, match="received Dense"):
        utils.plot_filters(layers.Dense(3))


# ---- answers and mistakes --------------------------------------------------------------------------------------


def test_confusion_matrix():
    true, pred = [0, 0, 0, 1, 2, 2], [0, 0, 1, 1, 2, 0]
    counts = np.array([[2, 1, 0], [0, 1, 0], [1, 0, 1]])
    figure = utils.plot_confusion_matrix(true, np.eye(3)[pred], ["ant", "bee", "cow"])
    axes = figure.axes[0]
    np.testing.assert_array_equal(shown(figure), counts)
    assert [t.get_text() for t in axes.texts] == [str(n) for n in counts.flat]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["ant", "bee", "cow"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    rows = shown(utils.plot_confusion_matrix(true, pred, normalize="true"))
    np.testing.assert_allclose(rows, counts / [[3], [1], [2]])
    columns = shown(utils.plot_confusion_matrix(true, pred, normalize="pred"))
    np.testing.assert_allclose(columns, counts / [3, 2, 1])
    everything = utils.plot_confusion_matrix(true, pred, normalize="all")
    np.testing.assert_allclose(shown(everything), counts / 6)
    assert everything.axes[0].texts[0].get_text() == "0.33"


def test_confusion_matrix_of_a_sigmoid_and_of_classes_that_do_not_come():
    figure = utils.plot_confusion_matrix([[0], [1], [1]], [[0.2], [0.9], [0.4]])
    np.testing.assert_array_equal(shown(figure), [[1, 0], [1, 1]])
    rare = utils.plot_confusion_matrix([0, 2], np.eye(4)[[0, 2]], normalize="true")
    np.testing.assert_array_equal(shown(rare), np.diag([1, 0, 1, 0]))


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (([0, 1], [0]), ShapeError, "2 true classes and 1 predicted"),
        (([], []), ShapeError, "at least one"),
        (([0, 2], [0, 1], ["a", "b"]), ArgumentError, "a class 2, but 2 class_names"),
        (([0], [0], None, "rows"), ArgumentError, "'true', 'pred' or 'all', received 'rows'"),
        (([-1], [0]), ArgumentError, "below 0: -1"),
        ((np.zeros((2, 2, 2)), [0, 1]), ShapeError, r"y_true must be .* received \(2, 2, 2\)"),
    ],
)
def test_confusion_matrix_refuses(arguments, error, words):
    with pytest.raises(error, match=words):
        utils.plot_confusion_matrix(*arguments)


def test_predictions():
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 1)).astype("uint8")
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5], [1.0, 0.0]])
    figure = utils.plot_predictions(images, probabilities, [0, 0, 0, 0, 1], ["cat", "dog"], most=3, columns=2)
    drawn = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in drawn] == ["cat 90%", "dog 80%\n(cat)", "cat 60%"]
    assert [axes.title.get_color() for axes in drawn] == ["black", "red", "black"]
    np.testing.assert_allclose(shown(figure, 1), images[1, ..., 0] / 255)
    plain = utils.plot_predictions(np.zeros((2, 4, 4, 3)), [3, 7])
    assert [axes.get_title() for axes in plain.axes] == ["3", "7"]
    negative = utils.plot_predictions(np.array([[[-1.0, 0.0, 1.0]]]), [0])
    np.testing.assert_allclose(shown(negative), [[0, 0.5, 1]])


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((np.zeros((2, 4, 4)), [0]), ShapeError, "2 images, 1 predictions"),
        ((np.zeros((2, 4, 4)), [0, 1], [0]), ShapeError, "2 predictions and 1 true classes"),
        ((np.zeros((4, 4)), [0]), ShapeError, r"received \(4, 4\)"),
        ((np.zeros((1, 4, 4)), [2], None, ["a", "b"]), ArgumentError, "a class 2, but 2 class_names"),
        ((np.zeros((0, 4, 4)), np.zeros(0)), ArgumentError, "nothing to draw"),
    ],
)
def test_predictions_refuse(arguments, error, words):
    with pytest.raises(error, match=words):
        utils.plot_predictions(*arguments)


def test_without_matplotlib(network, image, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for draw in (
        lambda: utils.plot_feature_maps(network, image),
        lambda: utils.plot_filters(network.get_layer("maps")),
        lambda: utils.plot_grad_cam(network, image),
        lambda: utils.plot_confusion_matrix([0], [0]),
        lambda: utils.plot_predictions(image[None], [0]),
    ):
        with pytest.raises(ImportError, match=r"plot_\w+ needs matplotlib: pip install 'pynn-engine\[plot\]'"):
            draw()
    assert utils.grad_cam(network, image).shape == (6, 8)
