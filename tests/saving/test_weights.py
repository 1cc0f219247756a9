"""save_weights and load_weights: both formats, Keras's layout, damaged and hostile files."""

import os
import pickle

import numpy as np
import pytest

import pynn as keras
from pynn import layers
from pynn.errors import ArgumentError, ShapeError
from pynn.saving.errors import WeightsFileError

FORMATS = ["w.npz", "w.weights.h5", "w.h5", "w.safetensors"]
X = np.random.default_rng(0).random((4, 8, 8, 2)).astype("float32")


@pytest.fixture(autouse=True)
def _h5py():
    pytest.importorskip("h5py")


def network(lib=keras):
    """Every kind of layer with weights, two of a class, a model inside, a name of its own.  For pynn or Keras."""
    inner = lib.Sequential(
        [lib.Input((3, 3, 4)), lib.layers.Flatten(), lib.layers.Dense(6), lib.layers.Dense(5)], name="inside"
    )
    return lib.Sequential(
        [
            lib.Input((8, 8, 2)),
            lib.layers.Conv2D(4, 3),
            lib.layers.BatchNormalization(),
            lib.layers.MaxPooling2D(),
            lib.layers.Activation("relu"),
            lib.layers.Dropout(0.3),
            inner,
            lib.layers.Dense(5, use_bias=False),
            lib.layers.Dense(3, name="mine"),
        ]
    )


def scrambled(model):
    for v in model.weights:
        v.assign(np.random.default_rng(v.shape).random(tuple(v.shape)).astype("float32"))
    return model


@pytest.mark.parametrize("name", FORMATS)
def test_there_and_back(tmp_path, name):
    model, other = scrambled(network()), network()
    model.save_weights(tmp_path / name)
    other.load_weights(str(tmp_path / name))
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(model.predict(X, verbose=0), other.predict(X, verbose=0))
    assert [p.name for p in tmp_path.iterdir()] == [name]  # nothing else is left behind


@pytest.mark.parametrize("name", FORMATS)
def test_a_compiled_model_sees_what_was_loaded(tmp_path, name):
    model = network()
    model.compile("adam", "mse")
    model.train_on_batch(X, np.zeros((4, 3)))
    model.save_weights(tmp_path / name)
    expected = model.predict(X, verbose=0)
    model.fit(X, np.ones((4, 3)), epochs=3, verbose=0)
    assert (model.predict(X, verbose=0) != expected).any()
    model.load_weights(tmp_path / name)
    np.testing.assert_array_equal(model.predict(X, verbose=0), expected)


@pytest.mark.parametrize("name", FORMATS)
def test_layers_inside_layers(tmp_path, name):
    class Block(keras.Layer):
        def __init__(self):
            super().__init__()
            self.first = layers.Dense(4)
            self.more = [layers.Dense(4), layers.Dense(4), layers.BatchNormalization()]

        def build(self, input_shape):
            self.scale = self.add_weight(shape=(), name="scale")
            for layer in (self.first, *self.more):
                layer.build((None, 4))
            self.built = True

        def call(self, x):
            x = self.first(x) * self.scale
            for layer in self.more:
                x = layer(x)
            return x

    def model():
        return keras.Sequential([keras.Input((4,)), Block(), Block(), layers.Dense(2)])

    a, b = scrambled(model()), model()
    a.save_weights(tmp_path / name)
    b.load_weights(tmp_path / name)
    assert len(a.weights) == 2 * 11 + 2
    for x, y in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)


def test_the_layout_is_keras_own(tmp_path):
    import h5py

    scrambled(network()).save_weights(tmp_path / "w.weights.h5")
    found = {}
    with h5py.File(tmp_path / "w.weights.h5") as file:
        file.visititems(lambda key, item: found.update({key: item.shape}) if isinstance(item, h5py.Dataset) else None)
    assert found == {
        "layers/conv2d/vars/0": (3, 3, 2, 4), "layers/conv2d/vars/1": (4,),
        **{f"layers/batch_normalization/vars/{i}": (4,) for i in range(4)},
        "layers/sequential/layers/dense/vars/0": (36, 6), "layers/sequential/layers/dense/vars/1": (6,),
        "layers/sequential/layers/dense_1/vars/0": (6, 5), "layers/sequential/layers/dense_1/vars/1": (5,),
        "layers/dense/vars/0": (5, 5), "layers/dense_1/vars/0": (5, 3), "layers/dense_1/vars/1": (3,),
    }  # fmt: skip


@pytest.fixture(scope="module")
def real_keras(request):
    return request.getfixturevalue("keras")


@pytest.mark.filterwarnings("ignore")
def test_a_file_that_keras_wrote(tmp_path, real_keras):
    theirs, ours = scrambled(network(real_keras)), network()
    theirs.compile("adam", "mse")
    theirs.train_on_batch(X, np.zeros((4, 3)))  # the file then holds the optimizer's state, too
    theirs.save_weights(tmp_path / "w.weights.h5")
    ours.load_weights(tmp_path / "w.weights.h5")
    for a, b in zip(theirs.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(theirs.predict(X, verbose=0), ours.predict(X, verbose=0), rtol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_keras_reads_ours(tmp_path, real_keras):
    theirs, ours = network(real_keras), scrambled(network())
    ours.save_weights(tmp_path / "w.weights.h5")
    theirs.load_weights(tmp_path / "w.weights.h5")
    for a, b in zip(theirs.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def functional(lib):
    """A model with a branch, whose layers come in another order than they were made in."""
    layers = lib.layers
    a, b = lib.Input((8, 8, 2)), lib.Input((4,))
    late = layers.Dense(3)
    inner = lib.Sequential([lib.Input((4,)), layers.Dense(6), layers.BatchNormalization()])
    x = layers.Flatten()(layers.Conv2D(3, 3)(a))
    y = layers.Concatenate()([layers.Dense(6)(x), inner(b)])
    return lib.Model([a, b], [late(y), layers.Dense(2)(inner(b * 2.0))])


def by_class(lib):
    """Attributes before and after "layers" in the alphabet, lists, a layer under two names, a weight, a layer of
    layers and a model by class inside."""

    class Block(lib.layers.Layer):
        def __init__(self):
            super().__init__()
            self.second, self.first = lib.layers.Dense(4), lib.layers.Dense(4)

        def build(self, input_shape):
            self.first.build(input_shape)
            self.second.build(input_shape)
            self.built = True

        def call(self, x):
            return self.second(self.first(x))

    class Inner(lib.Model):
        def __init__(self):
            super().__init__()
            self.zeta, self.alpha = lib.layers.Dense(4), lib.layers.Dense(4)

        def call(self, x):
            return self.zeta(self.alpha(x))

    class Net(lib.Model):
        def __init__(self):
            super().__init__()
            self.out = lib.layers.Dense(3)
            self.body = lib.layers.Dense(4)
            self._private = lib.layers.Dense(4)
            self.again = self.body
            self.more = [lib.layers.Dense(4), Block()]
            self.blocks = [lib.layers.BatchNormalization()]
            self.inner = Inner()
            self.tail = Inner()

        def build(self, input_shape):
            self.scale = self.add_weight(shape=(4,), name="scale", initializer="ones")
            for layer in (self.body, self._private, *self.more, *self.blocks, self.inner, self.tail, self.out):
                layer.build(input_shape)
            self.built = True

        def call(self, x):
            x = self._private(self.body(x) * self.scale)
            for layer in (*self.more, *self.blocks, self.inner, self.tail):
                x = layer(x)
            return self.out(self.again(x))

    model = Net()
    model(np.ones((2, 4), "float32"))
    return model


def nested(lib):
    """Models of all kinds inside a functional one."""
    x = lib.Input((4,))
    inner = lib.Sequential([lib.Input((4,)), lib.layers.Dense(4), by_class(lib)])
    z = lib.Input((4,))
    side = lib.Model(z, lib.layers.Dense(3)(z))
    return lib.Model(x, lib.layers.Add()([inner(x), side(x)]))


def datasets(path):
    import h5py

    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda key, item: found.update({key: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [functional, by_class, nested])
def test_files_of_all_kinds_of_models_are_those_of_keras(tmp_path, real_keras, make):
    theirs, ours = scrambled(make(real_keras)), scrambled(make(keras))
    for i, v in enumerate(theirs.weights):  # weights of one shape must differ, too
        v.assign(np.asarray(v) + np.float32(i))
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    features = [np.random.default_rng(0).random((3, *shape[1:])).astype("float32") for shape in
                ([(None, 8, 8, 2), (None, 4)] if make is functional else [(None, 4)])]  # fmt: skip
    x = features if make is functional else features[0]
    for mine, other in zip(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4)
    ours.save_weights(tmp_path / "ours.weights.h5")
    expected, got = datasets(tmp_path / "theirs.weights.h5"), datasets(tmp_path / "ours.weights.h5")
    assert list(got) == list(expected)
    for key, numbers in expected.items():
        np.testing.assert_array_equal(got[key], numbers)
    other = make(real_keras)
    other.load_weights(tmp_path / "ours.weights.h5")
    for a, b in zip(other.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# ---- what does not fit -----------------------------------------------------------------------------------------


def dense(units=3):
    return keras.Sequential([keras.Input((4,)), layers.Dense(5), layers.Dense(units)])


def assert_unchanged_by(model, error, match, path):
    before = model.get_weights()
    with pytest.raises(error, match=match) as caught:
        model.load_weights(path)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    return caught.value


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_another_model_changes_nothing(tmp_path, name):
    path = tmp_path / name
    scrambled(dense(4)).save_weights(path)
    # The first layer would fit; it must not be taken over either.
    assert_unchanged_by(
        dense(3),
        ShapeError,
        r"holds shape \(5, 4\) for 'sequential_\d+/dense_\d+/kernel'.*the model expects \(5, 3\)",
        path,
    )
    scrambled(keras.Sequential([keras.Input((4,)), layers.Dense(5)])).save_weights(path)
    message = r"has nothing for 'sequential_\d+/dense_\d+/kernel' \(looked for layers/dense_1"
    message = "holds 1 layers with weights, the model has 2" if name == "w.h5" else message
    assert_unchanged_by(dense(), ShapeError, message, path)


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file_changes_nothing(tmp_path, name):
    path = tmp_path / name
    dense().save_weights(path)
    whole = path.read_bytes()
    for content in (b"", b"hello", whole[: len(whole) // 2], whole[:600] if name.endswith("h5") else whole[:-1]):
        path.write_bytes(content)
        assert_unchanged_by(dense(), WeightsFileError, "w.*is not a readable", path)
    with pytest.raises(WeightsFileError, match="there is no file"):
        dense().load_weights(tmp_path / f"other.{name}")


def test_flipped_bytes_in_an_npz_are_noticed(tmp_path):
    path = tmp_path / "w.npz"
    model = dense()
    model.save_weights(path)
    content = bytearray(path.read_bytes())
    at = content.index(model.get_weights()[0].tobytes())
    content[at] ^= 0xFF
    path.write_bytes(bytes(content))
    assert_unchanged_by(dense(), WeightsFileError, "is not a readable", path)


def test_pickles_are_refused_without_being_run(tmp_path):
    class Boom:
        def __reduce__(self):
            return (pytest.fail, ("the file was executed",))

    path = tmp_path / "w.npz"
    evil = np.array([Boom()], dtype=object)
    with open(path, "wb") as file:
        arrays = dict.fromkeys(("layers/dense/vars/0", "layers/dense/vars/1"), evil)
        np.savez(file, **arrays)
    assert_unchanged_by(dense(), WeightsFileError, "holds object for 'sequential_.*expected numbers", path)
    path.write_bytes(pickle.dumps(Boom()))
    assert_unchanged_by(dense(), WeightsFileError, "is not a readable", path)


def test_words_in_a_file_are_refused(tmp_path):
    path = tmp_path / "w.npz"
    arrays = {}
    for i, shape in enumerate([(4, 5), (5,)]):
        arrays[f"layers/dense/vars/{i}"] = np.full(shape, "a")
    np.savez(path, **arrays)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(5)])
    assert_unchanged_by(model, WeightsFileError, "holds <U1 for 'sequential_.*expected numbers", path)


def test_an_oversized_member_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "w.npz"
    np.savez_compressed(path, **{"layers/dense/vars/0": np.zeros(10**7, "float32"), "layers/dense/vars/1": np.zeros(5)})
    assert path.stat().st_size < 10**5
    model = keras.Sequential([keras.Input((4,)), layers.Dense(5)])
    assert_unchanged_by(model, ShapeError, r"holds shape \(10000000,\).*belongs to another model", path)


def test_links_in_an_h5_file_are_refused(tmp_path):
    import h5py

    model = keras.Sequential([keras.Input((4,)), layers.Dense(5)])
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = np.zeros((4, 5), "float32")
    path = tmp_path / "w.weights.h5"
    links = [h5py.ExternalLink(str(secret), "x"), h5py.SoftLink("/elsewhere")]
    for link in links:
        with h5py.File(path, "w") as file:
            file["elsewhere"] = np.zeros((4, 5), "float32")
            file["layers/dense/vars/1"] = np.zeros(5, "float32")
            file["layers/dense/vars/0"] = link
        assert_unchanged_by(model, WeightsFileError, "layers/dense/vars/0' is a link to elsewhere; refused", path)
    with h5py.File(path, "w") as file:
        file["layers"] = h5py.ExternalLink(str(secret), "/")
    assert_unchanged_by(model, WeightsFileError, "'layers' is a link to elsewhere", path)
    with h5py.File(path, "w") as file:
        file.create_group("layers/dense/vars/0")
        file["layers/dense/vars/1"] = np.zeros(5, "float32")
    assert_unchanged_by(model, WeightsFileError, "is not a plain data set", path)


def test_float16_and_float64_files_are_converted(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(5)])
    for dtype in ("float64", "float16", ">f4"):
        kernel = np.arange(20).reshape(4, 5)
        np.savez(
            tmp_path / "w.npz",
            **{"layers/dense/vars/0": kernel.astype(dtype), "layers/dense/vars/1": np.ones(5, dtype)},
        )
        model.load_weights(tmp_path / "w.npz")
        np.testing.assert_array_equal(model.get_weights()[0], kernel)


# ---- arguments -------------------------------------------------------------------------------------------------


def test_names_of_files(tmp_path):
    for name in ("w.keras", "w.txt", "w"):
        with pytest.raises(ArgumentError, match=rf"\*\.weights\.h5.*\*\.npz, received '.*{name}'"):
            dense().save_weights(tmp_path / name)
    with pytest.raises(ArgumentError, match=r"the folder .*missing does not exist"):
        dense().save_weights(tmp_path / "missing" / "w.npz")


@pytest.mark.parametrize("name", FORMATS)
def test_overwrite(tmp_path, name):
    path = tmp_path / name
    first, second = scrambled(dense()), dense()
    first.save_weights(path)
    with pytest.raises(ArgumentError, match="exists already; pass overwrite=True"):
        second.save_weights(path, overwrite=False)
    second.save_weights(path)
    first.load_weights(path)
    np.testing.assert_array_equal(first.get_weights()[0], second.get_weights()[0])


@pytest.mark.parametrize("name", FORMATS)
def test_an_interrupted_save_keeps_the_old_file(tmp_path, name, monkeypatch):
    path = tmp_path / name
    model = dense()
    model.save_weights(path)
    before = path.read_bytes()

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        scrambled(model).save_weights(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [name]
