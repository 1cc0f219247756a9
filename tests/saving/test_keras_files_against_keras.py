"""Files go both ways: what Keras writes pynn reads, and the other way round, with equal predictions."""

import json

import numpy as np
import pytest

import pynn

pytestmark = pytest.mark.filterwarnings("ignore")
rng = np.random.default_rng(0)


def images(lib):
    layers = lib.layers
    inner = lib.Sequential([lib.Input((3, 3, 4)), layers.Flatten(), layers.Dense(6, activation="tanh")], name="inner")
    return lib.Sequential(
        [
            lib.Input((8, 8, 2)), layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(),
            layers.MaxPooling2D(), inner, layers.Dropout(0.3), layers.Dense(3, use_bias=False, name="mine"),
        ]
    ), (8, 8, 2)  # fmt: skip


def sequences(lib):
    layers = lib.layers
    x = lib.Input((5, 4), name="x")
    h = layers.LSTM(3, return_sequences=True)(x)
    h = layers.MultiHeadAttention(2, 4)(h, h)
    h = layers.TimeDistributed(layers.Dense(3, activation="gelu"))(h)
    h = layers.LayerNormalization()(layers.GRU(4)(h))
    return lib.Model(x, layers.Dense(3)(h)), (5, 4)


def shared(lib):
    """A layer used twice, models inside, ops and operators, several outputs; an unrelated use of a nested model."""
    layers = lib.layers
    z = lib.Input((4,))
    inner = lib.Model(z, layers.Dense(4, name="in_inner")(z), name="inner")
    inner(lib.Input((4,)))
    twice = layers.Dense(4, activation="relu", name="twice")
    x = lib.Input((4,), name="x")
    a = inner(twice(twice(x)))
    b = inner(a) * 2.0 - a
    c = lib.ops.concatenate([b, lib.ops.relu(1.0 - x)[:, 1:], lib.ops.mean(a, axis=1, keepdims=True)], axis=-1)
    return lib.Model(x, layers.Dense(3)(c), name="shared"), (4,)


KINDS = [images, sequences, shared]


def trained(make, lib, seed=1):
    """A model after some steps, and the data."""
    model, shape = make(lib)
    data = np.random.default_rng(seed)
    for v in model.weights:
        v.assign(data.random(tuple(v.shape)).astype("float32") * 0.3)
    x, y = data.random((16, *shape)).astype("float32"), data.random((16, 3)).astype("float32")
    model.compile(lib.optimizers.Adam(0.01), "mse", metrics=["mae"])
    model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return model, x, y


def same_training(a, b, x, y):
    """Both go on alike."""
    for _ in range(2):
        one, two = a.train_on_batch(x, y), b.train_on_batch(x, y)
        np.testing.assert_allclose(np.ravel(one).astype(float), np.ravel(two).astype(float), rtol=1e-3)
    for v, w in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(v, w, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
@pytest.mark.parametrize("make", [sequences, shared])
def test_a_model_of_keras_opens_in_pynn(keras, tmp_path, make, name):
    theirs, x, y = trained(make, keras)
    theirs.save(tmp_path / name)
    ours = pynn.saving.load_model(tmp_path / name)
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-4, atol=1e-5)
    assert int(ours.optimizer.iterations) == 4
    same_training(ours, theirs, x, y)


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
@pytest.mark.parametrize("make", [sequences, shared])
def test_a_model_of_pynn_opens_in_keras(keras, tmp_path, make, name):
    ours, x, y = trained(make, pynn)
    ours.save(tmp_path / name)
    theirs = keras.saving.load_model(tmp_path / name)
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-4, atol=1e-5)
    if name == "m.keras":  # Keras itself cannot go on training a model that it loaded from an .h5 file
        same_training(ours, theirs, x, y)


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_images_both_ways(keras, tmp_path, name):
    """With dropout, whose numbers differ: only predictions are compared."""
    ours, x, _ = trained(images, pynn)
    ours.save(tmp_path / name)
    theirs = keras.saving.load_model(tmp_path / name)
    expected = ours.predict(x, verbose=0)
    np.testing.assert_allclose(theirs.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)
    theirs.save(tmp_path / f"back_{name}")
    again = pynn.saving.load_model(tmp_path / f"back_{name}")
    np.testing.assert_allclose(again.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)
    if name == "m.keras":
        assert int(again.optimizer.iterations) == 4


@pytest.mark.parametrize("name", ["w.weights.h5", "w.h5"])
@pytest.mark.parametrize("make", KINDS)
def test_weights_both_ways(keras, tmp_path, make, name):
    theirs, x, _ = trained(make, keras)
    theirs.save_weights(tmp_path / name) if name != "w.h5" else theirs.save(tmp_path / name)
    ours, _ = make(pynn)
    ours.load_weights(tmp_path / name)
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-4, atol=1e-5)
    ours.save_weights(tmp_path / f"ours.{name}")
    other, _ = make(keras)
    other.load_weights(tmp_path / f"ours.{name}")
    for a, b in zip(other.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("make", KINDS)
def test_configs_are_those_of_keras(keras, make):
    theirs, ours = make(keras)[0], make(pynn)[0]
    for lib, model in ((keras, ours), (pynn, theirs)):
        again = lib.models.model_from_json(model.to_json())
        assert [w.shape for w in again.weights] == [tuple(w.shape) for w in model.weights]
        assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]

    def classes(model):
        return [(e["module"], e["class_name"], e["registered_name"])
                for e in json.loads(model.to_json())["config"]["layers"]]  # fmt: skip

    assert classes(ours) == classes(theirs)


def subclassed(lib):
    @lib.saving.register_keras_serializable(package=f"test_{lib.__name__}", name="Net")
    class Net(lib.Model):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.first, self.out = lib.layers.Dense(units, activation="relu"), lib.layers.Dense(3)
            self.tracker = lib.metrics.Mean(name="tracker")

        def call(self, x):
            return self.out(self.first(x))

        def get_config(self):
            return {"units": self.units, "name": self.name}

    return Net


def test_models_of_a_class_of_ones_own(keras, tmp_path):
    ours = subclassed(pynn)(5)
    x = rng.random((4, 6)).astype("float32")
    expected = ours.predict(x, verbose=0)
    ours.save(tmp_path / "m.keras")
    theirs = keras.saving.load_model(tmp_path / "m.keras", custom_objects={"test_pynn>Net": subclassed(keras)})
    np.testing.assert_allclose(theirs.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)
    theirs.save(tmp_path / "n.keras")
    again = pynn.saving.load_model(tmp_path / "n.keras", custom_objects={"test_keras>Net": subclassed(pynn)})
    np.testing.assert_allclose(again.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"axis": 1}, {"axis": 0, "dtype": "int32"}], ids=str)
def test_one_hot_in_a_config(keras, tmp_path, options):
    x = np.array([[1, 2, 3], [0, 9, 0]], "int32")
    for writer, reader in ((keras, pynn), (pynn, keras)):
        numbers = writer.Input((3,), dtype="int32")
        model = writer.Model(numbers, writer.ops.one_hot(numbers, 4, **options))
        model.save(tmp_path / "m.keras")
        again = reader.models.load_model(tmp_path / "m.keras")
        found, expected = np.asarray(again(x)), np.asarray(model(x))
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
