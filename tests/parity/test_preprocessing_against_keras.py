"""Preprocessing beside Keras: what it can do without TensorFlow."""

import numpy as np
import pytest

import pynn


@pytest.mark.parametrize("arguments", [
    {},
    {"axis": None},
    {"axis": (1, 2)},
    {"axis": 1},
    {"invert": True},
    {"mean": 2.0, "variance": 3.0},
    {"mean": [1.0, 2.0, 3.0], "variance": [1.0, 4.0, 0.0]},
])  # fmt: skip
def test_normalization(keras, arguments):
    x = np.random.default_rng(0).normal(2, 3, (8, 4, 3)).astype("float32")
    theirs, ours = (library.layers.Normalization(**arguments, name="n") for library in (keras, pynn))
    if "mean" not in arguments:
        theirs.adapt(x)
        ours.adapt(x)
    np.testing.assert_allclose(ours(x), np.asarray(theirs(x)), rtol=1e-4, atol=1e-5)
    for a, b in zip(ours.get_weights(), theirs.weights, strict=True):
        np.testing.assert_allclose(a, np.asarray(b.value), rtol=1e-5)
    assert ours.get_config()["axis"] == theirs.get_config()["axis"]
    pieces = pynn.layers.Normalization(**arguments) if "mean" not in arguments else None
    if pieces:
        pieces.adapt([x[:3], x[3:]])
        np.testing.assert_allclose(pieces(x), np.asarray(theirs(x)), rtol=1e-4, atol=1e-5)


def test_image_arrays(keras, tmp_path):
    x = np.random.default_rng(0).uniform(-3, 5, (7, 9, 3)).astype("float32")
    for library in (keras, pynn):
        library.utils.save_img(tmp_path / f"{library.__name__}.png", x)
    for arguments in ({}, {"target_size": (4, 4)}, {"target_size": (4, 4), "keep_aspect_ratio": True}):
        theirs, ours = (
            library.utils.img_to_array(library.utils.load_img(tmp_path / f"{library.__name__}.png", **arguments))
            for library in (keras, pynn)
        )
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_allclose(
        pynn.preprocessing.image.smart_resize(x, (3, 5)),
        keras.preprocessing.image.smart_resize(x, (3, 5)),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("shape", [(5,), (5, 1), (5, 3)])  # of more axes Keras encodes others than it says
def test_encoding(keras, mode, shape):
    x = np.random.default_rng(0).integers(-1, 6, shape)
    theirs, ours = (library.layers.CategoryEncoding(5, mode, name="c") for library in (keras, pynn))
    x = np.abs(x)  # Keras takes no negative numbers; those beyond the last class give zeros
    np.testing.assert_array_equal(ours(x), np.asarray(theirs(x)))


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
def test_bins(keras, mode):
    x = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
    x[0, 0] = 0.5
    theirs, ours = (
        library.layers.Discretization([-0.5, 0.5, 1.0], output_mode=mode, name="d") for library in (keras, pynn)
    )
    np.testing.assert_array_equal(ours(x), np.asarray(theirs(x)))


@pytest.mark.parametrize("sizes", [(30,), (1000,), (500, 700, 20)])
def test_bins_of_data(keras, sizes):
    rng = np.random.default_rng(0)
    theirs, ours = (library.layers.Discretization(num_bins=6, epsilon=0.02) for library in (keras, pynn))
    for size in sizes:
        x = rng.normal(size=size)
        theirs.update_state(x)
        ours.update_state(x)
    theirs.finalize_state()
    ours.finalize_state()
    np.testing.assert_allclose(ours.bin_boundaries, theirs.bin_boundaries, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "arguments",
    [{}, {"power_to_db": False, "sequence_length": 50, "window": "hamming"}, {"top_db": 10.0, "min_freq": 300.0}],
    ids=str,
)
def test_mel_spectrogram(keras, arguments):
    signal = np.random.default_rng(0).normal(size=(2, 700)).astype("float32")
    arguments = {"fft_length": 64, "sequence_stride": 40, "sampling_rate": 8000, "num_mel_bins": 12, **arguments}
    theirs, ours = (library.layers.MelSpectrogram(**arguments, name="same") for library in (keras, pynn))
    np.testing.assert_allclose(np.asarray(ours(signal)), np.asarray(theirs(signal)), rtol=1e-4, atol=1e-3)
    expected, config = theirs.get_config(), ours.get_config()
    del expected["dtype"], config["dtype"]
    assert config == expected


def test_stft_kernels(keras):
    cases = [{}, {"side": "imag", "periodic": True}, {"window": "hamming", "scaling": "spectrum"}, {"window": None}]
    for arguments in cases:
        theirs, ours = (library.initializers.STFT(**arguments) for library in (keras, pynn))
        np.testing.assert_allclose(ours((8, 1, 9)), np.asarray(theirs((8, 1, 9))), atol=1e-6)
        assert ours.get_config() == theirs.get_config()


@pytest.mark.filterwarnings("ignore:The structure of .inputs. does:UserWarning")  # a dictionary is none of Keras's
@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built:UserWarning")  # Keras of its own
def test_feature_space(keras, tmp_path):
    """What Keras does without TensorFlow: configs, models of numbers, files."""
    spaces = []
    for library in (keras, pynn):
        kinds = library.utils.FeatureSpace
        features = {"b": kinds.float_rescaled(2.0, 1.0, name="x"), "a": "float"}
        spaces.append(kinds(features, name="same"))
    theirs, ours = spaces
    expected, config = theirs.get_config(), ours.get_config()
    assert {**config, "features": 0} == {**expected, "features": 0}
    names = [
        [f["config"]["preprocessor"]["config"]["name"] for f in c["features"].values()] for c in (expected, config)
    ]
    assert names[0] == names[1]
    table = {"a": np.array([[1.0], [2.0]], "float32"), "b": np.array([[3.0], [5.0]], "float32")}
    models = [lib.Model(s.get_inputs(), s.get_encoded_features()) for lib, s in ((keras, theirs), (pynn, ours))]
    results = [model.predict(table, verbose=0) for model in models]
    np.testing.assert_array_equal(results[1], results[0])
    np.testing.assert_array_equal(ours(table), results[0])
    theirs.save(tmp_path / "theirs.keras")
    np.testing.assert_array_equal(pynn.models.load_model(tmp_path / "theirs.keras")(table), results[0])
    ours.save(tmp_path / "ours.keras")
    again = keras.models.load_model(tmp_path / "ours.keras")
    model = keras.Model(again.get_inputs(), again.get_encoded_features())
    np.testing.assert_array_equal(model.predict(table, verbose=0), results[0])
