"""KerasFileEditor: what it shows, compares, changes and writes."""

import h5py
import numpy as np
import pytest

import pynn as keras
from pynn import layers
from pynn.errors import ArgumentError
from pynn.saving import KerasFileEditor
from pynn.saving.errors import WeightsFileError


def _model(hidden=3, name="one"):
    x = keras.Input((4,), name="x")
    h = layers.BatchNormalization(name="bn")(layers.Dense(hidden, name=name)(x))
    model = keras.Model(x, layers.Dense(2, name="two")(h))
    model.compile("sgd", "mse")
    return model


@pytest.fixture(params=["m.keras", "m.weights.h5"])
def file(request, tmp_path):
    model = _model()
    path = tmp_path / request.param
    (model.save if path.suffix == ".keras" else model.save_weights)(path)
    return path, model


def test_what_a_file_holds(file, capsys):
    path, model = file
    editor = KerasFileEditor(path)
    assert list(editor.weights_dict) == ["layers", "optimizer"]
    np.testing.assert_array_equal(editor.weights_dict["layers"]["dense"]["0"], model.get_layer("one").kernel)
    assert (editor.config is None) == (editor.metadata is None) == (path.suffix == ".h5")
    editor.summary()
    shown = capsys.readouterr().out
    assert "  ├─ layers\n  │   ├─ batch_normalization\n  │   │   ├─ 0: shape=(3,), dtype=float32\n" in shown
    assert shown.startswith("Keras weights file 'm.weights.h5'\n" if path.suffix == ".h5" else "Keras model file")


def test_compared_with_models(file, capsys):
    path, model = file
    editor = KerasFileEditor(path)
    count = len(model.weights) + len(model.optimizer.variables)
    assert editor.compare(model) == {"status": "success", "error_count": 0, "match_count": count}
    # Other shapes: both arrays of the first layer, the second's kernel, and four of the normalization.
    assert editor.compare(_model(hidden=5)) == {"status": "error", "error_count": 7, "match_count": count - 7}
    x = keras.Input((4,))
    assert editor.compare(keras.Model(x, layers.Dense(3)(x)))["error_count"] == 3
    out = capsys.readouterr().out
    assert "/layers/dense/0: shape (4, 5) in the reference model, (4, 3) in the saved file" in out
    assert "/layers/dense_1 is in the saved file, but not in the reference model" in out


def test_changed_weights_go_into_another_model(file, tmp_path):
    path, model = file
    editor = KerasFileEditor(path)
    editor.delete_object("optimizer")
    editor.delete_object("layers/batch_normalization")
    editor.rename_object("dense_1", "dense_2")
    editor.add_object("/layers/dense_1", {"0": np.eye(3), "1": np.zeros(3), "2": np.zeros(1)})
    editor.add_weights("dense_1", {"1": np.ones(3, "float32")})
    editor.delete_weight("dense_1", "2")
    out = tmp_path / "edited.weights.h5"
    editor.save(out)
    with h5py.File(out) as written:
        assert written["layers/dense_2/vars"].attrs["name"] == "two"  # it keeps the name of its layer
        assert "batch_normalization" not in written["layers"]
    other = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(3), layers.Dense(2)])
    other.load_weights(out)
    x = np.random.default_rng(0).random((5, 4))
    first, last = model.get_layer("one").get_weights(), model.get_layer("two").get_weights()
    np.testing.assert_allclose(
        other.predict(x, verbose=0), (x @ first[0] + first[1] + 1) @ last[0] + last[1], rtol=1e-5
    )
    editor.resave_weights(tmp_path / "again.weights.h5")
    assert KerasFileEditor(tmp_path / "again.weights.h5").compare(other)["status"] == "success"


def test_models_in_models(tmp_path):
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    model = keras.Sequential([keras.Input((4,)), inner, layers.Dense(1)])
    model.save_weights(tmp_path / "m.weights.h5")
    editor = KerasFileEditor(tmp_path / "m.weights.h5")
    with pytest.raises(ArgumentError, match=r"'dense' is the name of several objects \(layers/dense, layers/"):
        editor.delete_object("dense")
    editor.rename_object("sequential", "moved")
    assert list(editor.weights_dict["layers"]["moved"]["layers"]["dense"]) == ["0", "1"]
    editor.save(tmp_path / "moved.weights.h5")
    with h5py.File(tmp_path / "moved.weights.h5") as written:
        assert "sequential" not in written["layers"]
        assert written["layers/moved/layers/dense/vars/0"].shape == (4, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.rename_object("nothing", "a"), "there is no object 'nothing' in the file; there are: layers"),
        (lambda e: e.rename_object("dense_1", "a/b"), "new_name must be a name without '/'"),
        (lambda e: e.rename_object("dense_1", "dense"), "there is an object called 'dense' beside 'layers/dense_1'"),
        (lambda e: e.delete_weight("dense_1", "7"), "'layers/dense_1' has no weight '7'; it has: 0, 1"),
        (lambda e: e.delete_weight("layers", "dense"), "'layers' has no weight 'dense'; it has: none"),
        (lambda e: e.add_object("a/b", {}), "there is no object 'a' to put 'b' into"),
        (lambda e: e.add_object("vars", {}), "expected a path"),
        (lambda e: e.add_weights("dense_1", {"a/b": 1.0}), "'a/b' cannot be the name of a weight"),
        (lambda e: e.add_weights("dense_1", {"a": "words"}), "expected numbers for 'a', received <U5"),
        (lambda e: e.add_weights("dense_1", [1.0]), "expected a dictionary of names and arrays"),
        (lambda e: e.save("weights.h5"), r"expected a name that ends in \.weights\.h5"),
    ],
)
def test_errors_change_nothing(change, message, tmp_path):
    model = _model()
    model.save_weights(tmp_path / "m.weights.h5")
    editor = KerasFileEditor(tmp_path / "m.weights.h5")
    with pytest.raises(ArgumentError, match=message):
        change(editor)
    assert editor.compare(model)["status"] == "success"


def test_files_that_are_none(tmp_path):
    with pytest.raises(ArgumentError, match=r"expected a file whose name ends in \.keras or \.weights\.h5"):
        KerasFileEditor(tmp_path / "m.h5")
    with pytest.raises(WeightsFileError, match="there is no file"):
        KerasFileEditor(tmp_path / "m.keras")
    (tmp_path / "m.keras").write_bytes(b"nothing at all")
    with pytest.raises(WeightsFileError, match="is not a readable file"):
        KerasFileEditor(tmp_path / "m.keras")


def test_a_file_that_goes_round_in_circles_is_refused(tmp_path):
    path = tmp_path / "m.weights.h5"
    with h5py.File(path, "w") as file:
        file.create_group("a")["b"] = file["/"]
    with pytest.raises(WeightsFileError, match="nested too deeply"):
        KerasFileEditor(path)


def test_a_file_that_says_it_is_huge_is_refused(tmp_path):
    path = tmp_path / "m.weights.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("layers/dense/vars/0", (2**16, 2**16), "f4", chunks=(64, 64), compression="gzip")
    with pytest.raises(ArgumentError, match="more than the file that is being loaded could fill"):
        KerasFileEditor(path)
