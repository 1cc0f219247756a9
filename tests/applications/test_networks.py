"""Architectures by themselves: parameters, arguments, files of weights, and real weights on photographs."""

import inspect
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

import pynn
from pynn import applications, layers
from pynn.applications import imagenet_utils, mobilenet, weight_files
from pynn.errors import ArgumentError, DataNotFoundError, ShapeError

#: As published; without the top where the dense layers are most of it.
PARAMETERS = {
    "MobileNet": 4_253_864,
    "MobileNetV2": 3_538_984,
    "ResNet50": 25_636_712,
    "ResNet50V2": 25_613_800,
    "InceptionV3": 23_851_784,
    "Xception": 22_910_480,
    "MobileNetV3Small": 2_554_968,
    "MobileNetV3Large": 5_507_432,
    "DenseNet121": 8_062_504,
    "DenseNet169": 14_307_880,
    "DenseNet201": 20_242_984,
    "EfficientNetB0": 5_330_571,
    "EfficientNetB3": 12_320_535,
    "EfficientNetB7": 66_658_687,
    "EfficientNetV2B0": 7_200_312,
    "EfficientNetV2S": 21_612_360,
    "ConvNeXtTiny": 28_589_128,
    "NASNetMobile": 5_326_716,
    "InceptionResNetV2": 55_873_736,
}
#: All that have published weights.
PUBLISHED = sorted(
    name
    for name in applications._HOMES
    if inspect.signature(getattr(applications, name)).parameters["weights"].default == "imagenet"
)
MODELS = Path(os.environ.get("PYNN_DATA_DIR", "")) / "models"
REAL = MODELS / "mobilenet_7_5_224_tf.h5"


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_as_published(name):
    assert getattr(applications, name)(weights=None).count_params() == PARAMETERS[name]


def test_summary_of_vgg16_is_the_known_table():
    pynn.utils.clear_session()
    lines = []
    applications.VGG16(include_top=False, weights=None).summary(print_fn=lines.append)
    text = "\n".join(lines)
    rows = [line for line in lines if "block" in line] if len(lines) > 1 else text.splitlines()
    counts = [int(re.findall(r"[\d,]+", row)[-1].replace(",", "")) for row in rows if "Conv2D" in row]
    assert counts == [1_792, 36_928, 73_856, 147_584, 295_168, 590_080, 590_080, 1_180_160, *[2_359_808] * 5]
    assert "Total params: 14,714,688" in text


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"weights": "/no/such.h5"}, ArgumentError, "there is no file /no/such.h5"),
        ({"weights": "imagenet", "classes": 10}, ArgumentError, "for 1000 classes, received classes=10"),
        ({"weights": "imagenet", "classifier_activation": "relu"}, ArgumentError, "None or 'softmax'"),
        ({"weights": "imagenet", "input_shape": (64, 64, 3)}, ShapeError, r"for images of \(224, 224, 3\)"),
        ({"weights": "imagenet", "input_shape": (64, 64, 1), "include_top": False}, ShapeError, "3 channels"),
        ({"weights": None, "input_shape": (31, 64, 3)}, ShapeError, "at least 32x32"),
        ({"weights": None, "input_shape": (None, None, 3)}, ShapeError, "needs a known size"),
        ({"weights": None, "input_shape": (64, 64)}, ShapeError, "three numbers"),
        ({"weights": None, "pooling": "min"}, ArgumentError, "pooling must be"),
        ({"weights": None, "input_tensor": np.zeros((1, 32, 32, 3))}, ArgumentError, "symbolic tensor"),
    ],
)
def test_arguments_that_do_not_go_together(arguments, error, words):
    with pytest.raises(error, match=words):
        applications.VGG16(**arguments)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_weights_are_for_a_thousand_classes(name):
    with pytest.raises(ArgumentError, match=rf"^{name}: .*for 1000 classes, received classes=10; .*include_top=False"):
        getattr(applications, name)(classes=10)


@pytest.mark.parametrize(
    ("name", "top", "file"),
    [
        ("EfficientNetB0", True, "keras-applications/efficientnetb0.h5"),
        ("EfficientNetB0", False, "keras-applications/efficientnetb0_notop.h5"),
        ("EfficientNetV2B0", False, "keras-applications/efficientnet_v2/efficientnetv2-b0_notop.h5"),
        ("ConvNeXtTiny", False, "keras-applications/convnext/convnext_tiny_notop.h5"),
        ("DenseNet121", False, "densenet/densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    ],
)
def test_without_weights_the_places_are_listed(name, top, file, tmp_path, monkeypatch):
    def offline(url, *_):
        raise OSError("no way")

    monkeypatch.setenv("PYNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(weight_files, "_download", offline)
    with pytest.raises(DataNotFoundError) as caught:
        getattr(applications, name)(include_top=top)
    message = str(caught.value)
    for place in ("data", "cache/pynn", "keras"):
        assert f"{tmp_path}/{place}/models/{file.rsplit('/', 1)[1]}: no such file" in message
    assert re.search(rf"get https://storage\.googleapis\.com/\S*{re.escape(file)} and put it into", message)


def test_nasnet_needs_to_know_the_size():
    """Its cells put images of two sizes together: padding depends on whether a size is odd."""
    with pytest.raises(ShapeError, match=r"NASNetMobile: .* received \(None, None, 3\)"):
        applications.NASNetMobile(weights=None, include_top=False, input_shape=(None, None, 3))
    with pytest.raises(ShapeError, match=r"received \(None, 64, 3\)"):
        applications.NASNetMobile(weights=None, include_top=False, input_tensor=layers.Input((None, 64, 3)))
    assert applications.NASNetMobile(weights=None, include_top=False).output_shape == (None, 7, 7, 1056)
    pynn.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ArgumentError, match="channels last"):
            applications.NASNetMobile(weights=None)
    finally:
        pynn.config.set_image_data_format("channels_last")


def test_no_published_weights_for_this_width():
    with pytest.raises(ArgumentError, match=r"alpha 0.25, 0.5, 0.75, 1.0, received 0.3"):
        applications.MobileNet(alpha=0.3)


def test_unusual_channels_are_said():
    with pytest.warns(UserWarning, match="1 or 3 channels, received 5"):
        applications.MobileNet(alpha=0.25, weights=None, input_shape=(32, 32, 5))


def test_it_starts_at_a_tensor_and_ends_in_a_layer():
    start = layers.Input((40, 40, 3), name="photographs")
    small = applications.MobileNetV2(
        input_tensor=layers.Rescaling(1 / 255)(start), alpha=0.35, weights=None, include_top=False, pooling="max"
    )
    assert small.inputs[0] is start
    model = pynn.Model(start, layers.Dense(2)(small.output))
    assert model.predict(np.zeros((2, 40, 40, 3), "float32"), verbose=0).shape == (2, 2)


def test_images_of_any_size():
    network = applications.MobileNet(alpha=0.25, weights=None, include_top=False)
    assert network.output_shape == (None, None, None, 256)
    for size in (32, 96):
        assert network.predict(np.zeros((1, size, size, 3), "float32"), verbose=0).shape[1] == size // 32


@pytest.mark.parametrize("ending", [".h5", ".weights.h5"])
def test_weights_from_a_file(tmp_path, ending):
    small = {"alpha": 0.25, "input_shape": (32, 32, 3), "classes": 5}
    path = tmp_path / f"small{ending}"
    before = applications.MobileNet(weights=None, **small)
    before.save_weights(path)
    after = applications.MobileNet(weights=str(path), **small)
    for a, b in zip(before.get_weights(), after.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ShapeError, match="conv_preds"):
        applications.MobileNet(weights=path, **{**small, "classes": 6})


@pytest.mark.parametrize(
    ("name", "layer"), [("EfficientNetB0", "predictions"), ("ConvNeXtTiny", "convnext_tiny_head_dense")]
)
def test_the_wrong_file_is_said_with_the_layer(tmp_path, name, layer):
    path = tmp_path / "five.h5"
    network = getattr(applications, name)
    network(weights=None, input_shape=(32, 32, 3), classes=5).save_weights(path)
    with pytest.raises(ShapeError, match=rf"\(\d+, 5\) for .{layer}.*expects \(\d+, 6\)"):
        network(weights=path, input_shape=(32, 32, 3), classes=6)
    with pytest.raises(ShapeError, match=r"holds \d+ layers with weights, the model has \d+; the file belongs"):
        applications.MobileNet(weights=path, alpha=0.25, input_shape=(32, 32, 3), classes=5)


@pytest.mark.parametrize("name", ["EfficientNetB0", "EfficientNetV2B0", "ConvNeXtTiny"])
def test_they_learn_a_few_images(name):
    pynn.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 255, (8, 32, 32, 3)).astype("float32"), np.arange(8) % 4
    network = getattr(applications, name)(weights=None, input_shape=(32, 32, 3), classes=4)
    network.compile(pynn.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    losses = [network.train_on_batch(x, y) for _ in range(12)]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-3:]) < 0.7 * losses[0]
    assert all(np.isfinite(w).all() for w in network.get_weights())


def test_layer_scale_and_stochastic_depth(tmp_path):
    from pynn.applications.convnext import LayerScale, StochasticDepth

    x = np.ones((400, 2, 3), "float32")
    np.testing.assert_allclose(LayerScale(0.25, 3)(x), 0.25 * x)
    y = StochasticDepth(0.2)(x, training=True)
    kept = y[:, 0, 0] > 0
    assert 280 < kept.sum() < 360
    np.testing.assert_allclose(y, x * kept[:, None, None] / 0.8)
    np.testing.assert_array_equal(StochasticDepth(0.2)(x), x)
    with pytest.raises(ArgumentError, match=r"1\.5"):
        StochasticDepth(1.5)
    with pytest.raises(ShapeError, match=r"scale.*projection_dim=4.*\(None, 2, 3\)"):
        LayerScale(0.25, 4, name="scale")(x)

    inputs = pynn.Input((2, 3))
    model = pynn.Model(inputs, StochasticDepth(0.2)(LayerScale(0.25, 3)(inputs)))
    model.save(tmp_path / "both.keras")
    again = pynn.models.load_model(tmp_path / "both.keras")
    assert [layer.get_config() for layer in again.layers] == [layer.get_config() for layer in model.layers]
    np.testing.assert_allclose(again.predict(x, verbose=0), 0.25 * x)


def test_convnext_needs_channels_last():
    pynn.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ArgumentError, match="channels are last"):
            applications.ConvNeXtTiny(weights=None)
    finally:
        pynn.config.set_image_data_format("channels_last")


def test_decoded_predictions(monkeypatch):
    names = [(f"n{i:08d}", f"class_{i}") for i in range(1000)]
    monkeypatch.setattr(imagenet_utils, "_classes", lambda: names)
    predictions = np.zeros((2, 1000), "float32")
    predictions[0, [7, 3]] = 0.75, 0.25
    predictions[1, 999] = 1
    first, second = imagenet_utils.decode_predictions(predictions, top=2)
    assert first == [("n00000007", "class_7", 0.75), ("n00000003", "class_3", 0.25)]
    assert second[0] == ("n00000999", "class_999", 1.0)
    with pytest.raises(ShapeError, match=r"received \(2, 10\)"):
        imagenet_utils.decode_predictions(np.zeros((2, 10)))


def test_preprocessing_refuses_what_it_does_not_know():
    with pytest.raises(ArgumentError, match="mode must be"):
        imagenet_utils.preprocess_input(np.zeros((2, 2, 3)), mode="jax")
    with pytest.raises(ArgumentError, match="data_format must be"):
        imagenet_utils.preprocess_input(np.zeros((2, 2, 3)), data_format="last")


@pytest.mark.skipif(not REAL.is_file(), reason="needs models/mobilenet_7_5_224_tf.h5 in PYNN_DATA_DIR")
def test_real_weights_name_what_is_on_photographs():
    image = pytest.importorskip("PIL.Image")
    expected = json.loads((MODELS / "photos_expected_top5.json").read_text())
    network = applications.MobileNet(alpha=0.75, weights="imagenet")
    assert len(expected) == 14
    for name, classes in expected.items():
        with image.open(MODELS / "photos" / name) as photo:
            small = photo.convert("RGB").resize((224, 224), image.Resampling.NEAREST)
        x = mobilenet.preprocess_input(np.asarray(small, "float32")[None].copy())
        found = mobilenet.decode_predictions(network.predict(x, verbose=0), top=5)[0]
        assert [f[:2] for f in found] == [tuple(c[:2]) for c in classes], name
        np.testing.assert_allclose([f[2] for f in found], [c[2] for c in classes], atol=2e-3, err_msg=name)
