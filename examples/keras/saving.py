"""Saving: whole models, weights, configs, classes and functions of one's own.

Runs with Keras (``python saving.py``) and with pynn (``python -m pynn.compat saving.py``), with equal results.
"""

import json
import os
import tempfile

import keras
import numpy as np
from keras import layers, ops


@keras.saving.register_keras_serializable(package="guide")
class Scale(layers.Layer):
    def __init__(self, factor=1.0, inner=None, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.inner = inner if inner is not None else layers.Dense(3)

    def call(self, x):
        return self.factor * self.inner(x)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "inner": keras.saving.serialize_keras_object(self.inner)}

    @classmethod
    def from_config(cls, config):
        config["inner"] = keras.saving.deserialize_keras_object(config.pop("inner"))
        return cls(**config)


@keras.saving.register_keras_serializable(package="guide", name="bent")
def bent(x):
    return ops.tanh(x) + 0.1 * x


@keras.saving.register_keras_serializable(package="guide")
class Classifier(keras.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.hidden = layers.Dense(units, activation=bent)
        self.out = layers.Dense(2, activation="softmax")

    def call(self, x):
        return self.out(self.hidden(x))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Plain(layers.Layer):  # registered nowhere: loading needs custom_objects
    def build(self, shape):
        self.k = self.add_weight(name="k", shape=(shape[-1],), initializer="ones")

    def call(self, x):
        return x * self.k


def draw_weights(model, seed=0):
    rng = np.random.default_rng(seed)
    model.set_weights([0.4 * rng.standard_normal(w.shape).astype("float32") for w in model.get_weights()])


def same(a, b):
    return bool(np.allclose(a.predict(x, verbose=0), b.predict(x, verbose=0)))


rng = np.random.default_rng(1)
x = rng.standard_normal((12, 4)).astype("float32")
y = rng.integers(0, 2, 12)

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "model.keras")
    start = keras.Input((4,), name="start")
    model = keras.Model(start, layers.Dense(2, activation="softmax")(Scale(2.0, layers.Dense(5, bent))(start)))
    draw_weights(model)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=2, verbose=0, shuffle=False)
    model.save(path)
    loaded = keras.models.load_model(path)
    print("functional", same(model, loaded), loaded.optimizer.name, int(loaded.optimizer.iterations))
    for network in (model, loaded):  # the optimizer goes on where it was
        print("next", network.fit(x, y, epochs=1, verbose=0, shuffle=False).history["loss"])

    subclassed = Classifier(6)
    subclassed(x)
    draw_weights(subclassed)
    keras.saving.save_model(subclassed, path, overwrite=True)
    print("subclassed", same(subclassed, keras.saving.load_model(path)), subclassed.predict(x[:1], verbose=0))

    plain = keras.Sequential([keras.Input((4,)), Plain(), layers.Dense(1)])
    draw_weights(plain)
    plain.save(path)
    print("custom_objects", same(plain, keras.models.load_model(path, custom_objects={"Plain": Plain})))
    with keras.saving.custom_object_scope({"Plain": Plain}):
        print("scope", same(plain, keras.models.load_model(path, compile=False)))
    try:
        keras.models.load_model(path)
    except (TypeError, ValueError) as error:
        print("refused", "Plain" in str(error))

    weights = os.path.join(folder, "model.weights.h5")
    plain.save_weights(weights)
    fresh = keras.models.clone_model(plain)
    print("clone", same(plain, fresh))
    fresh.load_weights(weights)
    print("weights", same(plain, fresh))

    text = model.to_json()
    print("json", sorted(json.loads(text)), [layer.name for layer in keras.models.model_from_json(text).layers])
    config = layers.serialize(layers.Dense(3, activation="relu"))
    print("serialize", sorted(config), config["class_name"], layers.deserialize(config).units)
    print("registered", keras.saving.get_registered_name(Scale), keras.saving.get_registered_name(bent))
    optimizer = keras.optimizers.get({"class_name": "Adam", "config": {"learning_rate": 0.5}})
    print("get", float(optimizer.learning_rate), keras.losses.get("mse")(np.ones(2), np.zeros(2)) == 1)
