"""Whole models as files, and models from configs: pynn alone."""

import io
import json
import zipfile

import numpy as np
import pytest

import pynn as keras
from pynn import layers, ops
from pynn.errors import ArgumentError
from pynn.saving.errors import WeightsFileError

pytest.importorskip("h5py")
X = np.random.default_rng(0).random((12, 6)).astype("float32")
Y = np.random.default_rng(1).random((12, 2)).astype("float32")


def functional():
    a = keras.Input((6,), name="a")
    shared = layers.Dense(6, activation="tanh")
    h = layers.Dropout(0.4)(shared(shared(a)))
    return keras.Model(a, layers.Dense(2)(ops.relu(h) + h * 0.5))


def sequential():
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(5, activation="relu"), layers.BatchNormalization(), layers.Dense(2)]
    )


def trained(make):
    model = make()
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
    return model


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "folder"])
@pytest.mark.parametrize("make", [sequential, functional])
def test_training_goes_on_bit_by_bit(tmp_path, make, name):
    model = trained(make)
    model.save(tmp_path / name, zipped=False if name == "folder" else None)
    other = keras.saving.load_model(tmp_path / name)
    np.testing.assert_array_equal(model.predict(X, verbose=0), other.predict(X, verbose=0))
    if name == "m.h5" and make is functional:
        return  # the older format has no place for the dropout's state
    for _ in range(3):
        assert model.train_on_batch(X, Y) == other.train_on_batch(X, Y)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_content_decides_not_the_name(tmp_path):
    model = trained(sequential)
    for name, content in (("a.keras", "b.h5"), ("c.h5", "d.keras")):
        model.save(tmp_path / name)
        (tmp_path / name).rename(tmp_path / content)
        other = keras.models.load_model(tmp_path / content)
        np.testing.assert_array_equal(model.predict(X, verbose=0), other.predict(X, verbose=0))


def test_options(tmp_path):
    path = tmp_path / "m.keras"
    model = trained(sequential)
    model.save(path)
    assert not keras.saving.load_model(path, compile=False).compiled
    model.save(path, include_optimizer=False)
    assert not keras.saving.load_model(path).compiled
    with pytest.raises(ArgumentError, match="exists already"):
        model.save(path, overwrite=False)
    with pytest.raises(ArgumentError, match=r"ends in \.keras"):
        model.save(tmp_path / "m.txt")
    with pytest.raises(ArgumentError, match=r"without \.keras"):
        model.save(path, zipped=False)
    other = sequential()
    other.load_weights(path)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])


def test_configs_of_models():
    model = functional()
    for again in (
        keras.Model.from_config(model.get_config()),
        keras.models.model_from_json(model.to_json()),
        keras.models.clone_model(model),
    ):
        assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
        again.set_weights(model.get_weights())
        np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    stack = sequential()
    again = keras.Sequential.from_config(stack.get_config())
    assert again.get_config() == stack.get_config()


def test_a_model_that_begins_inside_another():
    base = sequential()
    head = keras.Model(base.layers[0].output, base.output)
    again = keras.Model.from_config(head.get_config())
    again.set_weights(head.get_weights())
    x = np.random.default_rng(0).random((3, 5)).astype("float32")
    np.testing.assert_array_equal(again.predict(x, verbose=0), head.predict(x, verbose=0))


def test_several_inputs_and_outputs(tmp_path):
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    unused = keras.Input((1,), name="unused")
    h = layers.Concatenate()([a, b])
    outputs = {"one": layers.Dense(1, name="one")(h), "two": h[:, 1:]}
    model = keras.Model({"a": a, "b": b, "unused": unused}, outputs)
    x = {"a": np.ones((2, 3)), "b": np.zeros((2, 2)), "unused": np.ones((2, 1))}
    model.save(tmp_path / "m.keras")
    expected, got = model.predict(x, verbose=0), keras.saving.load_model(tmp_path / "m.keras").predict(x, verbose=0)
    assert set(got) == {"one", "two"}
    for key in got:
        np.testing.assert_array_equal(got[key], expected[key])


def test_clone_with_functions():
    model = functional()
    seen = []

    def clone(layer):
        seen.append(layer.name)
        return type(layer).from_config({**layer.get_config(), "name": f"{layer.name}_copy"})

    copy = keras.models.clone_model(model, clone_function=clone)
    assert seen == [layer.name for layer in model.layers if not isinstance(layer, layers.InputLayer)]
    assert all(layer.name.endswith("_copy") for layer in copy.layers[1:])

    def wrap(layer, *args, **kwargs):
        return layers.Activation("relu")(layer(*args, **kwargs))

    wrapped = keras.models.clone_model(model, call_function=wrap)
    assert sum(isinstance(layer, layers.Activation) for layer in wrapped.layers) == 4
    start = keras.Input((6,), name="other")
    assert keras.models.clone_model(model, input_tensors=[start]).input_names == ["other"]
    nested = keras.Sequential([keras.Input((6,)), sequential()])
    seen.clear()
    keras.models.clone_model(nested, clone_function=clone, recursive=True)
    assert len(seen) == 3


def test_a_lambda_is_refused_in_safe_mode(tmp_path):
    """The bytes are not even decoded: a hostile one would do nothing."""
    path = tmp_path / "m.keras"
    model = sequential()
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    entry = {"class_name": "__lambda__", "config": {"code": "not even base64", "defaults": None, "closure": None}}
    config["config"]["layers"][1]["config"]["activation"] = entry
    parts["config.json"] = json.dumps(config).encode()
    write_zip(path, parts)
    with pytest.raises(ValueError, match=r"lambda.*refused.*safe_mode=False"):
        keras.saving.load_model(path)
    with pytest.raises(ValueError, match="cannot be read"):
        keras.saving.load_model(path, safe_mode=False)


def test_safe_mode_false_makes_lambdas_again(tmp_path):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(2, activation=lambda x: x * 2.0 + 1.0)])
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="safe_mode=False"):
        keras.saving.load_model(tmp_path / "m.keras")
    other = keras.saving.load_model(tmp_path / "m.keras", safe_mode=False)
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


def write_zip(path, parts):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_files_that_are_none(tmp_path):
    path = tmp_path / "m.keras"
    with pytest.raises(WeightsFileError, match="there is no file"):
        keras.saving.load_model(path)
    path.write_bytes(b"hello")
    with pytest.raises(WeightsFileError, match="not a readable file"):
        keras.saving.load_model(path)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("readme.txt", "x")
    path.write_bytes(content.getvalue())
    with pytest.raises(WeightsFileError, match=r"no member 'config\.json'"):
        keras.saving.load_model(path)
    (tmp_path / "saved_model").mkdir()
    with pytest.raises(WeightsFileError, match="SavedModel"):
        keras.saving.load_model(tmp_path / "saved_model")
