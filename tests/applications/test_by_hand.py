"""The networks that courses build by hand: LeNet-5, AlexNet and the residual networks for CIFAR."""

import numpy as np
import pytest

import pynn
from pynn import layers
from pynn.applications import AlexNet, LeNet5, ResNetCIFAR
from pynn.applications.alexnet import LocalResponseNormalization
from pynn.errors import ArgumentError, ShapeError


def counts(model):
    return [layer.count_params() for layer in model.layers if layer.count_params()]


def test_lenet5_is_the_stack_of_the_course():
    model = LeNet5()
    assert counts(model) == [156, 2_416, 48_120, 10_164, 850]
    assert [layer.output.shape[1:] for layer in model.layers[1:5]] == [
        (28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16),
    ]  # fmt: skip
    kinds = {type(layer) for layer in LeNet5(subsampling="max", activation="relu").layers}
    assert layers.MaxPooling2D in kinds
    assert layers.AveragePooling2D not in kinds
    assert LeNet5(include_top=False, input_shape=(32, 32, 3), pooling="max").output_shape == (None, 16)


def test_lenet5_learns_digits():
    (x, y), _ = pynn.datasets.synthetic_digits()
    x, y = x[:1500, ..., None].astype("float32") / 255, y[:1500]
    model = LeNet5(activation="relu", subsampling="max")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, 50, 4, verbose=0).history
    assert history["accuracy"][-1] > 0.9


def test_alexnet_is_that_of_the_paper_in_one_tower():
    model = AlexNet()
    assert counts(model) == [34_944, 614_656, 885_120, 1_327_488, 884_992, 37_752_832, 16_781_312, 4_097_000]
    assert model.get_layer("conv1").output.shape == (None, 55, 55, 96)
    assert model.get_layer("pool5").output.shape == (None, 6, 6, 256)
    batch = AlexNet(include_top=False, normalization="batch", input_shape=(67, 67, 3), pooling="avg")
    assert batch.output_shape == (None, 256)
    assert batch.count_params() == 3_747_200 + 4 * (96 + 256)
    assert AlexNet(include_top=False, normalization=None).count_params() == 3_747_200


@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("depth", [1, 3, 5])
def test_local_response_normalization(axis, depth):
    rng = np.random.default_rng(0)
    x = 10 * rng.standard_normal((2, 7, 3, 6)).astype("float32")
    channels = np.moveaxis(x.astype("float64"), axis, 0)
    expected = np.empty_like(channels)
    for i in range(len(channels)):
        near = channels[max(0, i - depth // 2) : i + depth // 2 + 1]
        expected[i] = channels[i] / (2 + 0.5 * (near**2).sum(axis=0)) ** 0.75
    layer = LocalResponseNormalization(depth, alpha=0.5, axis=axis)
    np.testing.assert_allclose(layer(x), np.moveaxis(expected, 0, axis), rtol=1e-5)


@pytest.mark.parametrize("depth", [0, 2, 2.0])
def test_local_response_normalization_of_an_even_depth(depth):
    with pytest.raises(ArgumentError, match="odd and positive"):
        LocalResponseNormalization(depth)


def test_a_saved_normalization_is_found_again(tmp_path):
    model = pynn.Sequential([pynn.Input((6,)), LocalResponseNormalization(3, alpha=0.25)])
    model.save(tmp_path / "model.keras")
    layer = pynn.models.load_model(tmp_path / "model.keras").layers[0]
    assert type(layer) is LocalResponseNormalization
    assert layer.get_config() == model.layers[0].get_config()


@pytest.mark.parametrize(
    ("depth", "identity", "projection", "paper"),
    [
        (20, 269_722, 272_474, 0.27),
        (32, 464_154, 466_906, 0.46),
        (44, 658_586, 661_338, 0.66),
        (56, 853_018, 855_770, 0.85),
        (110, 1_727_962, 1_730_714, 1.7),
    ],
)
def test_residual_networks_have_the_parameters_of_the_paper(depth, identity, projection, paper):
    for shortcut, expected in (("identity", identity), ("projection", projection)):
        model = ResNetCIFAR(depth, shortcut=shortcut)
        assert sum(w.size for w in map(np.asarray, model.trainable_weights)) == expected
    assert round(identity / 1e6, 1 if depth == 110 else 2) == paper
    assert model.name == f"resnet{depth}_cifar"
    assert sum(getattr(layer, "kernel_size", None) == (3, 3) for layer in model.layers) == depth - 1


def test_identity_shortcuts_have_zeros_for_the_channels_to_come():
    """With the convolutions of a block at zero, its input goes through: every second place, then zeros."""
    model = ResNetCIFAR(8, include_top=False, shortcut="identity", input_shape=(8, 8, 3))
    for layer in model.layers:
        if "_2_conv" in layer.name:
            layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
    ends = [layer.output for layer in model.layers if layer.name in ("conv2_block1_out", "conv3_block1_out")]
    x = np.random.default_rng(0).standard_normal((2, 8, 8, 3)).astype("float32")
    before, after = pynn.Model(model.input, ends).predict(x, verbose=0)
    np.testing.assert_allclose(after[..., :16], before[:, ::2, ::2], rtol=1e-6)
    assert not after[..., 16:].any()
    assert before.any()


@pytest.mark.parametrize("shortcut", ["identity", "projection"])
def test_a_residual_network_goes_through_a_file(tmp_path, shortcut):
    model = ResNetCIFAR(8, shortcut=shortcut, classes=4)
    x = np.random.default_rng(0).standard_normal((2, 32, 32, 3)).astype("float32")
    model.save(tmp_path / "model.keras")
    again = pynn.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    model.save_weights(tmp_path / "model.weights.h5")
    loaded = ResNetCIFAR(8, shortcut=shortcut, classes=4, weights=tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize(
    ("build", "error", "words"),
    [
        (lambda: LeNet5(weights="imagenet"), ArgumentError, "LeNet5: there are no published weights"),
        (lambda: AlexNet(weights="imagenet"), ArgumentError, "AlexNet: there are no published weights"),
        (lambda: ResNetCIFAR(weights="imagenet"), ArgumentError, "ResNetCIFAR: there are no published weights"),
        (lambda: ResNetCIFAR(21), ArgumentError, r"6 n \+ 2, .* received 21"),
        (lambda: ResNetCIFAR(shortcut="B"), ArgumentError, "'projection' or 'identity', received 'B'"),
        (lambda: LeNet5(subsampling="min"), ArgumentError, "'average' or 'max', received 'min'"),
        (lambda: AlexNet(normalization="layer"), ArgumentError, "'local', 'batch' or None, received 'layer'"),
        (lambda: LeNet5(input_shape=(11, 28, 1)), ShapeError, "at least 12x12"),
        (lambda: AlexNet(input_shape=(66, 67, 3)), ShapeError, "at least 67x67"),
        (lambda: LeNet5(weights="/no/such.h5"), ArgumentError, "no file /no/such.h5"),
    ],
)
def test_bad_arguments(build, error, words):
    with pytest.raises(error, match=words):
        build()


def test_the_smallest_images():
    for network, size, channels in ((LeNet5, 12, 1), (AlexNet, 67, 3), (ResNetCIFAR, 8, 3)):
        model = network(input_shape=(size, size, channels), classes=3)
        assert model.predict(np.zeros((1, size, size, channels), "float32"), verbose=0).shape == (1, 3)


def test_channels_first():
    try:
        pynn.config.set_image_data_format("channels_first")
        assert LeNet5().input_shape == (None, 1, 28, 28)
        assert ResNetCIFAR(8, shortcut="identity").get_layer("conv4_block1_out").output.shape == (None, 64, 8, 8)
        assert AlexNet(include_top=False, input_shape=(3, 67, 67)).output_shape == (None, 256, 1, 1)
    finally:
        pynn.config.set_image_data_format("channels_last")
