"""Objects to configs and back: pynn's own, those of users, and what no config may name."""

import importlib
import inspect
import json

import numpy as np
import pytest

import pynn as keras
from pynn import activations, initializers, layers, losses, metrics, optimizers
from pynn.saving import (
    CustomObjectScope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    registry,
    serialize_keras_object,
)

FAMILIES = {
    "initializers": initializers.Initializer,
    "layers": layers.Layer,
    "losses": losses.Loss,
    "metrics": metrics.Metric,
    "optimizers": optimizers.Optimizer,
}


@pytest.fixture(autouse=True)
def _forget():
    before = dict(get_custom_objects())
    yield
    get_custom_objects().clear()
    get_custom_objects().update(before)


def through_json(obj, **options):
    return deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(obj))), **options)


def public_classes():
    for family, base in FAMILIES.items():
        package = importlib.import_module(f"pynn.{family}")
        for name, cls in vars(package).items():
            if inspect.isclass(cls) and issubclass(cls, base) and not name.startswith("_"):
                yield pytest.param(family, cls, id=f"{family}.{name}")


@pytest.mark.parametrize(("family", "cls"), list(public_classes()))
def test_every_public_class_can_be_named(family, cls):
    """There is no second list to keep: what a package exports, configs can name."""
    assert registry.public_module(cls) == f"keras.{family}"
    assert registry.find_class(cls.__name__, family) is cls


def test_the_form_of_a_config():
    config = serialize_keras_object(layers.Dense(3, activation="relu", name="hidden"))
    assert (config["module"], config["class_name"], config["registered_name"]) == ("keras.layers", "Dense", None)
    assert config["config"]["kernel_initializer"]["module"] == "keras.initializers"
    assert config["config"]["activation"] == "relu"


def test_plain_values_and_those_that_json_lacks():
    value = {"a": [1, 2.5, None, "x", True], "b": slice(1, None), "c": ..., "d": b"bytes", "e": np.arange(3.0)}
    back = through_json(value)
    np.testing.assert_array_equal(back.pop("e"), value.pop("e"))
    assert back == value
    assert serialize_keras_object((1, np.float32(2))) == (1, 2.0)


def test_functions_go_by_name():
    assert through_json(activations.tanh) is activations.tanh
    assert through_json(losses.mean_squared_error) is losses.mean_squared_error


def test_registered_classes_and_functions():
    @register_keras_serializable("shapes")
    class Scale(layers.Layer):
        def __init__(self, by, **kwargs):
            super().__init__(**kwargs)
            self.by = by

        def call(self, x):
            return x * self.by

        def get_config(self):
            return {**super().get_config(), "by": self.by}

    @register_keras_serializable(name="twice")
    def double(x):
        return x * 2.0

    assert get_registered_name(Scale) == "shapes>Scale"
    assert get_registered_object("Custom>twice") is double
    assert through_json(Scale(3)).by == 3
    assert through_json(layers.Dense(2, activation=double)).activation is double
    assert activations.get("Custom>twice") is double


def test_custom_objects_by_argument_and_scope():
    class Mine(layers.Layer):
        def call(self, x):
            return x

    def loss(y_true, y_pred):
        return y_pred

    config = serialize_keras_object(Mine(name="m"))
    with pytest.raises(TypeError, match=r"cannot locate the class 'Mine'.*register_keras_serializable"):
        deserialize_keras_object(config)
    assert type(deserialize_keras_object(config, custom_objects={"Mine": Mine})) is Mine
    assert type(layers.deserialize(config, custom_objects={"Mine": Mine})) is Mine
    with CustomObjectScope({"Mine": Mine, "loss": loss}):
        assert type(deserialize_keras_object(config)) is Mine
        assert losses.get("loss") is loss
        with CustomObjectScope({"more": loss}):
            assert losses.get("more") is loss
    with pytest.raises(ValueError, match="unknown loss 'loss'"):
        losses.get("loss")


def test_a_custom_name_does_not_replace_pynns_own():
    class Dense(layers.Layer):
        def call(self, x):
            return x

    with CustomObjectScope({"Dense": Dense}):
        assert type(through_json(layers.Dense(3))) is layers.Dense


def test_layers_inside_layers():
    layer = layers.Bidirectional(layers.LSTM(3, return_sequences=True))
    back = through_json(layers.TimeDistributed(layers.Dense(2)))
    assert back.layer.units == 2
    assert through_json(layer).forward_layer.units == 3


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"module": "os", "class_name": "system", "config": {}}, "cannot locate the class 'system'"),
        ({"module": "builtins", "class_name": "function", "config": "eval"}, "cannot locate the function 'eval'"),
        ({"module": "keras.utils", "class_name": "function", "config": "get_file"}, "cannot locate the function"),
        ({"module": "keras.losses", "class_name": "function", "config": "get"}, "cannot locate the function 'get'"),
        ({"module": "keras.saving", "class_name": "load_model", "config": {}}, "cannot locate the class 'load_model'"),
        ({"module": "keras.layers", "class_name": "__init__", "config": {}}, "unknown kind of value"),
        ({"module": "pynn.saving.atomic", "class_name": "Path", "config": {}}, "cannot locate the class 'Path'"),
        ({"module": "keras.layers", "class_name": "Dense", "config": []}, "must be a dictionary"),
        ({"module": "keras.layers", "class_name": ["Dense"], "config": {}}, "class_name must be a string"),
        ({"class_name": "__numpy__", "config": {"value": ["x"], "dtype": "object"}}, "expected numbers"),
        (
            {"class_name": "__lambda__", "config": {"code": "4wAA", "defaults": None, "closure": None}},
            "safe_mode=False",
        ),
    ],
)
def test_what_no_config_may_name(config, message):
    with pytest.raises((ValueError, TypeError), match=message):
        deserialize_keras_object(config)


def test_nesting_is_bounded():
    config = 1
    for _ in range(5000):
        config = [config]
    with pytest.raises(ValueError, match="nested more than"):
        deserialize_keras_object(config)


def test_errors_of_writing():
    with pytest.raises(TypeError, match="has no get_config"):
        serialize_keras_object(object())
    with pytest.raises(ValueError, match=r"has no get_config\(\), so no config"):
        register_keras_serializable()(type("A", (), {}))


def test_all_names_are_where_keras_has_them():
    for name in ("CustomObjectScope", "register_keras_serializable", "serialize_keras_object", "get_custom_objects"):
        assert getattr(keras.utils, name) is getattr(keras.saving, name)
