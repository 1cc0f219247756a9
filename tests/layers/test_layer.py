"""The layer base class: names, weights, building, calling, config, errors."""

import numpy as np
import pytest

from pynn import layers, ops
from pynn.graph.variable import Variable
from pynn.utils import clear_session


@pytest.fixture(autouse=True)
def _fresh_names():
    clear_session(free_memory=False)  # a collection takes longer than a test


class Scale(layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False, name="steps")

    def call(self, x):
        return x * self.scale


class Block(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = [layers.Dense(4), Scale()]
        self.drop = layers.Dropout(0.5, seed=1)
        self.bonus = Variable(np.zeros(2, "float32"), name="bonus")

    def call(self, x, training=False):
        for part in self.parts:
            x = part(x)
        return self.drop(x)


def test_names():
    assert [layers.Dense(1).name for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    assert layers.MaxPooling2D().name == "max_pooling2d"
    assert layers.BatchNormalization().name == "batch_normalization"
    assert layers.Dense(1, name="out").name == "out"
    assert repr(layers.Dense(1, name="out")) == "<Dense name=out, built=False>"
    assert repr(layers.Flatten()) == "<Flatten name=flatten, built=True>"


def test_weights_of_a_layer_made_of_layers():
    block = Block()
    block(np.ones((2, 3), "float32"))
    names = [v.path for v in block.weights]
    assert names == ["bonus", "block/dense/kernel", "block/dense/bias", "block/scale/scale", "block/scale/steps"]
    assert [v.path for v in block.non_trainable_weights] == ["block/scale/steps"]
    # The random state is a variable, but not a weight, as in Keras.
    assert [v.path for v in block.non_trainable_variables] == [
        "block/scale/steps",
        "seed_generator/seed_generator_state",
    ]
    assert block.count_params() == 2 + 12 + 4 + 4 + 1


def test_trainable_reaches_the_layers_inside_and_comes_back():
    block = Block()
    block(np.ones((2, 3), "float32"))
    block.trainable = False
    assert block.trainable_weights == []
    assert not block.parts[0].trainable
    assert len(block.non_trainable_weights) == 5
    block.trainable = True
    assert [v.path for v in block.trainable_weights] == [
        "bonus",
        "block/dense/kernel",
        "block/dense/bias",
        "block/scale/scale",
    ]
    block.parts[0].trainable = False
    assert [v.path for v in block.trainable_weights] == ["bonus", "block/scale/scale"]


def test_a_frozen_layer_builds_frozen_weights():
    dense = layers.Dense(2, trainable=False)
    dense.build((None, 3))
    assert dense.trainable_weights == []
    dense.trainable = True
    assert len(dense.trainable_weights) == 2


def test_training_is_inherited():
    seen = []

    class Spy(layers.Layer):
        def call(self, x, training=False):
            seen.append(training)
            return x

    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.spy = Spy()

        def call(self, x):
            return self.spy(x)

    outer = Outer()
    outer(np.ones((1, 2)), training=True)
    outer(np.ones((1, 2)))
    assert seen == [True, False]


def test_get_and_set_weights():
    dense = layers.Dense(2)
    dense.build((None, 3))
    new = [np.arange(6.0).reshape(3, 2), np.ones(2)]
    dense.set_weights(new)
    copies = dense.get_weights()
    np.testing.assert_array_equal(copies[0], new[0])
    copies[0][:] = 7
    np.testing.assert_array_equal(dense.get_weights()[0], new[0])


def test_compute_output_shape():
    assert layers.Dense(3).compute_output_shape((None, 4)) == (None, 3)
    assert layers.Flatten().compute_output_shape((None, 2, 3)) == (None, 6)
    assert layers.Reshape((2, -1)).compute_output_shape((None, 4)) == (None, 2, 2)
    assert layers.Dense(3).compute_output_shape((5, 7, 4)) == (5, 7, 3)


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [({"input_shape": (4,)}, (None, 4)), ({"input_dim": 4}, (None, 4)), ({"batch_input_shape": (8, 4)}, (8, 4))],
)
def test_legacy_arguments(arguments, shape):
    with pytest.warns(DeprecationWarning, match=r"older Keras versions; write Input\(\(4,\)\) as the model's first"):
        layer = layers.Dense(2, **arguments)
    assert layer._legacy_input_shape == shape


# layer.get_config() of Keras 3.15, without name, trainable and dtype
GLOROT = {
    "module": "keras.initializers",
    "class_name": "GlorotUniform",
    "config": {"seed": None, "input_axes": None, "output_axes": None},
    "registered_name": None,
}
ZEROS = {"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": None}
ONES = {**ZEROS, "class_name": "Ones"}
CONFIGS = [
    (layers.Dense(3), {"units": 3, "activation": "linear", "use_bias": True, "kernel_initializer": GLOROT,
                       "bias_initializer": ZEROS, "kernel_regularizer": None, "bias_regularizer": None,
                       "kernel_constraint": None, "bias_constraint": None, "quantization_config": None}),
    (layers.Conv2D(3, 3), {"filters": 3, "kernel_size": (3, 3), "strides": (1, 1), "padding": "valid",
                           "data_format": "channels_last", "dilation_rate": (1, 1), "groups": 1,
                           "activation": "linear", "use_bias": True, "kernel_initializer": GLOROT,
                           "bias_initializer": ZEROS, "kernel_regularizer": None, "bias_regularizer": None,
                           "activity_regularizer": None, "kernel_constraint": None, "bias_constraint": None}),
    (layers.MaxPooling2D(), {"pool_size": (2, 2), "padding": "valid", "strides": (2, 2),
                             "data_format": "channels_last"}),
    (layers.AveragePooling2D(2), {"pool_size": (2, 2), "padding": "valid", "strides": (2, 2),
                                  "data_format": "channels_last"}),
    (layers.GlobalAveragePooling2D(), {"data_format": "channels_last", "keepdims": False}),
    (layers.Flatten(), {"data_format": "channels_last"}),
    (layers.Reshape((3,)), {"target_shape": (3,)}),
    (layers.Dropout(0.1), {"rate": 0.1, "seed": None, "noise_shape": None}),
    (layers.BatchNormalization(), {
        "axis": -1, "momentum": 0.99, "epsilon": 0.001, "center": True, "scale": True, "beta_initializer": ZEROS,
        "gamma_initializer": ONES, "moving_mean_initializer": ZEROS, "moving_variance_initializer": ONES,
        "beta_regularizer": None, "gamma_regularizer": None, "beta_constraint": None, "gamma_constraint": None,
        "synchronized": False, "renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99}),
    (layers.Activation("relu"), {"activation": "relu"}),
    (layers.ReLU(), {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}),
    (layers.LeakyReLU(), {"negative_slope": 0.3}),
    (layers.ELU(), {"alpha": 1.0}),
    (layers.Softmax(), {"axis": -1}),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "config"), CONFIGS, ids=lambda v: getattr(v, "name", ""))
def test_config(layer, config):
    dtype = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
    expected = {"name": layer.name, "trainable": True, "dtype": dtype, **config}
    assert layer.get_config() == expected
    again = layers.deserialize(layers.serialize(layer))
    assert type(again) is type(layer)
    assert again.get_config() == expected


def test_input():
    entrance = layers.InputLayer((784,), name="pixels")
    # keras.layers.InputLayer((784,), name="pixels").get_config(), Keras 3.15
    assert entrance.get_config() == {
        "batch_shape": (None, 784), "dtype": "float32", "sparse": False, "ragged": False, "name": "pixels",
        "optional": False,
    }  # fmt: skip
    assert layers.Input((3, None), batch_size=2).shape == (2, 3, None)
    assert layers.Input(batch_shape=(None, 5)).shape == (None, 5)


class Lazy(layers.Layer):
    pass


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Dense(3, foo=1), "Dense: unknown argument foo=1; it takes units, activation, .*trainable"),
        (lambda: layers.Flatten(unit=1), "Flatten: unknown argument unit=1; it takes data_format"),
        (lambda: layers.Dense(3, name=5), "Dense: name must be a string"),
        (lambda: layers.Dense(3, name="a/b"), "Dense: name must not contain '/'"),
        (lambda: layers.Dense(3, kernel_regularizer="l3"), "unknown regularizer 'l3'"),
        (lambda: layers.Dense(3).count_params(), "layer 'dense' is not built"),
        (lambda: layers.Dense(3).set_weights([1]), r"received 1 arrays, expected 0 \(none: call build"),
        (lambda: Lazy()(np.ones((1, 2))), "layer 'lazy': class Lazy must define call"),
        (lambda: layers.Dense(3)(np.array([["a"]])), "layer 'dense': expected an array of numbers"),
        (lambda: layers.Dense(3)([[1.0], [1.0, 2.0]]), "rows of different lengths"),
        (lambda: layers.Input(784), r"shape must be a tuple of integers, received 784; write \(784,\)"),
        (lambda: layers.Input(), r"give shape, for example Input\(\(784,\)\)"),
        (lambda: layers.Input((2.5,)), "shape must hold lengths"),
        (lambda: layers.deserialize({"class_name": "Popen", "config": {}}), "unknown layer class 'Popen'"),
        (lambda: layers.deserialize({"config": {}}), "cannot make a layer of"),
    ],
)
def test_errors(make, message):
    with pytest.raises((ValueError, TypeError, NotImplementedError), match=message):
        make()


def test_set_weights_that_do_not_fit_change_nothing():
    dense = layers.Dense(2)
    dense.build((None, 3))
    before = dense.get_weights()
    with pytest.raises(
        ValueError, match=r"'dense': set_weights\(\) received 1 arrays, expected 2 \(dense/kernel \(3, 2\)"
    ):
        dense.set_weights([np.zeros((3, 2))])
    with pytest.raises(ValueError, match=r"received shape \(3,\) for 'dense/bias', expected \(2,\)"):
        dense.set_weights([np.zeros((3, 2)), np.zeros(3)])
    np.testing.assert_array_equal(dense.get_weights()[0], before[0])


def test_unsupported_dtype():
    with pytest.raises(TypeError, match=r"layer 'dense': dtype must be 'float32', a policy .*, received 'float16'"):
        layers.Dense(2, dtype="float16")


def test_ops_in_a_custom_layer_of_one_line():
    class Double(layers.Layer):
        def call(self, x):
            return ops.add(x, x)

    np.testing.assert_array_equal(Double()([[1.0, 2.0]]), [[2, 4]])


@pytest.mark.parametrize("layer", [layers.Dense, layers.LSTM, lambda n, **kw: layers.Conv2D(n, 3, **kw)])
def test_warnings_point_to_the_line_of_the_user(layer):
    """Python shows a DeprecationWarning only there."""
    with pytest.warns(DeprecationWarning, match="write Input") as caught:
        layer(4, input_shape=(8, 8, 1))
    assert [w.filename for w in caught] == [__file__]
