"""Files of Keras 2, written by hand as it wrote them: old names, nodes as lists, weights by layer."""

import json

import numpy as np
import pytest

import pynn as keras
from pynn import layers
from pynn.errors import ShapeError
from pynn.saving.serialization import DeserializationError

h5py = pytest.importorskip("h5py")
rng = np.random.default_rng(0)


def dense(name, units, **more):
    """A layer's config by Keras 2.15."""
    seed = {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": None},
            "registered_name": None}  # fmt: skip
    config = {"name": name, "trainable": True, "dtype": "float32", "units": units, "activation": "relu",
              "use_bias": True, "kernel_initializer": seed, "bias_initializer": {"class_name": "Zeros", "config": {}},
              "kernel_regularizer": None, "bias_regularizer": None, "activity_regularizer": None,
              "kernel_constraint": None, "bias_constraint": None, **more}  # fmt: skip
    return {"class_name": "Dense", "config": config}


def entry(name, shape):
    config = {"batch_input_shape": [None, *shape], "dtype": "float32", "sparse": False, "ragged": False, "name": name}
    return {"class_name": "InputLayer", "config": config, "name": name, "inbound_nodes": []}


def write(path, config, weights, training=None):
    """``weights``: layer -> list of (name, array)."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.15.0"
        file.attrs["backend"] = b"tensorflow"
        file.attrs["model_config"] = json.dumps(config).encode()
        if training is not None:
            file.attrs["training_config"] = json.dumps(training).encode()
        group = file.create_group("model_weights")
        # So many layers that Keras would have spread their names over several attributes.
        names = np.array([name.encode() for name in weights])
        for i, part in enumerate(np.array_split(names, 2)):
            group.attrs[f"layer_names{i}"] = part
        for layer, arrays in weights.items():
            inner = group.create_group(layer)
            inner.attrs["weight_names"] = np.array([name.encode() for name, _ in arrays], "S")
            for name, array in arrays:
                inner[name] = array
    return path


def of_dense(name, shape):
    kernel, bias = rng.random(shape).astype("float32"), rng.random(shape[1]).astype("float32")
    return [(f"{name}/kernel:0", kernel), (f"{name}/bias:0", bias)]


def relu(x, arrays):
    return np.maximum(x @ arrays[0][1] + arrays[1][1], 0.0)


def test_a_stack_without_an_input_layer(tmp_path):
    stack = [dense("a", 5, batch_input_shape=[None, 4]), dense("b", 2)]
    weights = {"a": of_dense("a", (4, 5)), "b": of_dense("b", (5, 2))}
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": stack}}
    training = {"loss": "mse",
                "optimizer_config": {"class_name": "Adam", "config": {
                    "name": "Adam", "learning_rate": 0.25, "decay": 0.0, "beta_1": 0.9, "beta_2": 0.999,
                    "epsilon": 1e-07, "amsgrad": False, "jit_compile": True,
                    "is_legacy_optimizer": False}}}  # fmt: skip
    model = keras.saving.load_model(write(tmp_path / "m.h5", config, weights, training))
    x = rng.random((3, 4)).astype("float32")
    expected = relu(relu(x, weights["a"]), weights["b"])
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5)
    assert float(model.optimizer.learning_rate) == 0.25
    training["optimizer_config"]["config"]["decay"] = 0.1
    with pytest.warns(UserWarning, match=r"decay=0\.1, which is gone"):
        keras.saving.load_model(write(tmp_path / "m.h5", config, weights, training))


def test_a_graph_with_a_shared_layer_and_a_model_inside(tmp_path):
    inner = {"name": "inner", "layers": [entry("in", [3]), {**dense("deep", 3), "name": "deep",
                                                           "inbound_nodes": [[["in", 0, 0, {}]]]}],
             "input_layers": [["in", 0, 0]], "output_layers": [["deep", 0, 0]]}  # fmt: skip
    nodes = [["twice", 1, 0, {"y": ["twice", 0, 0]}]]
    function = {"name": "tf.math.add", "trainable": True, "dtype": "float32", "function": "math.add"}
    tf_add = {"class_name": "TFOpLambda", "name": "tf.math.add", "inbound_nodes": nodes, "config": function}
    outer = {"name": "outer", "trainable": True, "layers": [
        entry("x", [3]),
        {**dense("twice", 3), "name": "twice", "inbound_nodes": [[["x", 0, 0, {}]], [["twice", 0, 0, {}]]]},
        tf_add,
        # Keras 2 counts the calls of a model inside from 1.
        {"class_name": "Functional", "config": inner, "name": "inner",
         "inbound_nodes": [[["tf.math.add", 0, 0, {}]], [["inner", 1, 0, {}]]]},
        {"class_name": "Concatenate", "config": {"name": "join", "trainable": True, "dtype": "float32", "axis": -1},
         "name": "join", "inbound_nodes": [[["inner", 2, 0, {}], ["x", 0, 0, {}]]]},
    ], "input_layers": [["x", 0, 0]], "output_layers": [["join", 0, 0]]}  # fmt: skip
    weights = {"x": [], "twice": of_dense("twice", (3, 3)), "inner": of_dense("deep", (3, 3)), "join": []}
    path = write(tmp_path / "m.h5", {"class_name": "Functional", "config": outer}, weights)
    model = keras.saving.load_model(path, compile=False)
    x = rng.random((2, 3)).astype("float32")
    once = relu(x, weights["twice"])
    deep = relu(relu(relu(once, weights["twice"]) + once, weights["inner"]), weights["inner"])
    np.testing.assert_allclose(model.predict(x, verbose=0), np.concatenate([deep, x], -1), rtol=1e-4)


def test_weights_by_name(tmp_path):
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [dense("a", 5), dense("b", 2)]}}
    weights = {"a": of_dense("a", (4, 5)), "b": of_dense("b", (5, 2))}
    path = write(tmp_path / "w.h5", config, weights)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(5, name="a"), layers.Dense(7, name="new"),
                              layers.Dense(3, name="b")])  # fmt: skip
    before = model.get_weights()
    with pytest.raises(ShapeError, match="holds 2 layers with weights, the model has 3"):
        model.load_weights(path)
    with pytest.raises(ShapeError, match=r"holds shape \(5, 2\) for 'sequential_\d+/b/kernel'"):
        model.load_weights(path, by_name=True)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    with pytest.warns(UserWarning, match="left out layers that do not fit: layer 'b'"):
        model.load_weights(path, by_name=True, skip_mismatch=True)
    np.testing.assert_array_equal(model.get_weights()[0], weights["a"][0][1])
    np.testing.assert_array_equal(model.get_weights()[4], before[4])


def test_steps_in_front_are_refused(tmp_path):
    """Keras 2 could read (steps, batch, features); without that argument a layer would compute something else."""
    lstm = {"name": "l", "units": 2, "time_major": False, "batch_input_shape": [None, 3, 4]}
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name": "LSTM", "config": lstm}]}}
    arrays = [rng.random(shape).astype("float32") for shape in ((4, 8), (2, 8), (8,))]
    weights = {"l": list(zip(("l/kernel:0", "l/recurrent_kernel:0", "l/bias:0"), arrays, strict=True))}
    model = keras.models.load_model(write(tmp_path / "fine.h5", config, weights), compile=False)
    np.testing.assert_array_equal(model.get_weights()[1], arrays[1])
    lstm["time_major"] = True
    with pytest.raises(DeserializationError, match=r"LSTM 'l' was saved with time_major=True.*transpose its input"):
        keras.models.load_model(write(tmp_path / "not.h5", config, weights))
