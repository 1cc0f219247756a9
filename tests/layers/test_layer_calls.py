"""How layers of one's own are called, built, described: what scripts do with the base class."""

import numpy as np
import pytest

import pynn
from pynn import layers, metrics, ops
from pynn.utils import clear_session


@pytest.fixture(autouse=True)
def _fresh_names():
    clear_session(free_memory=False)  # a collection takes longer than a test


class Mix(layers.Layer):
    def build(self, query_shape, value_shape):
        self.shapes = (query_shape, value_shape)
        self.scale = self.add_weight(shape=(value_shape[-1], query_shape[-1]), initializer="ones", name="scale")

    def call(self, query, value=None, sign=1.0, training=False):
        return query + sign * ops.matmul(value, self.scale)


A, B = np.ones((2, 3), "float32"), np.full((2, 4), 2.0, "float32")


def test_build_takes_the_shapes_of_several_inputs():
    x, y = pynn.Input((3,)), pynn.Input((4,))
    layer = Mix()
    model = pynn.Model([x, y], layer(x, value=y))
    assert layer.shapes == ((None, 3), (None, 4))
    assert layer.get_build_config() == {"shapes_dict": {"query_shape": (None, 3), "value_shape": (None, 4)}}
    np.testing.assert_array_equal(model.predict([A, B], verbose=0), A + 8)
    again = Mix.from_config(layer.get_config())
    again.build_from_config(layer.get_build_config())
    assert [w.shape for w in again.weights] == [(4, 3)]


@pytest.mark.parametrize(
    "call",
    [
        lambda layer: layer(A, B),
        lambda layer: layer(A, value=B),
        lambda layer: layer(query=A, value=B),
        lambda layer: layer(A, B, 1.0),
        lambda layer: layer(A, B, 1.0, True),
        lambda layer: layer(A, B, training=True),
    ],
)
def test_ways_to_give_arguments(call):
    np.testing.assert_array_equal(call(Mix()), A + 8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.Dense(2)(A, foo=1), r"layer 'dense': call\(\) got an unexpected argument 'foo'; it takes x"),
        (lambda: Mix()(A, B, value=B), r"layer 'mix': call\(\) got two values for the argument 'value'"),
        (lambda: Mix()(A, B, 1.0, True, 5), r"layer 'mix': call\(\) takes 4 arguments .* received 5"),
        (lambda: layers.Dense(2)(None), "layer 'dense': expected an input, received None"),
        (lambda: Mix()(value=B), "layer 'mix': called without an input; it takes query, value"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


class Forgetful(layers.Layer):
    def __init__(self):
        self.units = 3

    def call(self, x):
        return x


@pytest.mark.parametrize("use", [lambda v: v(A), lambda v: v.weights, repr, lambda v: v.get_config()])
def test_forgetting_super_init(use):
    with pytest.raises(RuntimeError, match=r"class 'Forgetful': you forgot to call super\(\).__init__\(\)"):
        use(Forgetful())


def test_attributes_may_come_before_super_init():
    class Early(layers.Layer):
        def __init__(self):
            self.dense = layers.Dense(2)
            super().__init__()

        def call(self, x):
            return self.dense(x)

    assert Early()(A).shape == (2, 2)
    with pytest.raises(AttributeError, match="'Early' object has no attribute 'kernel'"):
        _ = Early().kernel


class Scale(layers.Layer):
    def __init__(self, factor, offset=1, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return x * self.factor


def test_automatic_config():
    layer = Scale(2, name="s", trainable=False)
    config = layer.get_config()
    assert {k: v for k, v in config.items() if k != "dtype"} == {
        "name": "s", "trainable": False, "factor": 2, "offset": 1,
    }  # fmt: skip
    assert Scale.from_config(config).get_config() == config
    with pytest.raises(NotImplementedError, match=r"layer 's': class Scale was given factor=<Dense .* get_config"):
        Scale(layers.Dense(2), name="s").get_config()


def test_a_build_without_an_end_still_counts_as_built():
    class Own(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1],), name="w")

        def call(self, x):
            return x * self.w

    layer = Own()
    layer.build((None, 3))
    assert layer.built
    layer(A)
    assert len(layer.weights) == 1
    assert layer.get_build_config() == {"input_shape": (None, 3)}


def test_add_weight_in_the_way_of_keras_2():
    layer = layers.Layer()
    with pytest.warns(DeprecationWarning, match=r"write add_weight\(shape=..., name='w'\)"):
        weight = layer.add_weight("w", (2, 3))
    assert (weight.name, weight.shape) == ("w", (2, 3))
    made = layer.add_weight(shape=(2,), initializer=lambda shape, dtype=None: np.full(shape, 7.0), name="v")
    np.testing.assert_array_equal(made.numpy(), [7, 7])
    with pytest.raises(ValueError, match="layer 'layer': the shape of the weight 'u' must be a tuple, received 3"):
        layer.add_weight(shape=3, name="u")


def test_metrics_and_late_layers_are_found():
    class Watched(layers.Layer):
        def __init__(self):
            super().__init__()
            self.blocks = []
            self.head = layers.Dense(2, name="head")
            self.seen = metrics.Mean(name="seen")
            self.blocks.append(layers.Dense(3, name="block"))

        def call(self, x):
            self.seen.update_state(ops.mean(x))
            return self.head(self.blocks[0](x))

    layer = Watched()
    layer(A)
    assert [m.name for m in layer.metrics] == ["seen"]
    assert float(layer.seen.result()) == 1.0
    # In the order in which they came: the head was there before the list was filled.
    assert [w.path for w in layer.weights] == [
        f"watched/{path}" for path in ("head/kernel", "head/bias", "block/kernel", "block/bias")
    ]
    assert len(layer.metrics_variables) == 2


def test_stateless_call():
    layer = layers.BatchNormalization(momentum=0.5)
    layer.build((None, 3))
    before = layer.get_weights()
    gamma = [np.full(3, 2.0), np.ones(3)]
    y, states = layer.stateless_call(gamma, layer.non_trainable_variables, A, training=True)
    np.testing.assert_allclose(y, 1.0)
    np.testing.assert_allclose(states[0], 0.5)
    for a, b in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match=r"stateless_call\(\) received 1 trainable_variables, expected 2"):
        layer.stateless_call(gamma[:1], [], A)


def test_stateless_call_has_gradients():
    layer = layers.Dense(1, use_bias=False, kernel_regularizer="l2")
    layer.build((None, 3))
    kernel = np.ones((3, 1), "float32")
    w = ops.multiply(kernel, 1.0)
    with pynn.GradientTape() as tape:
        tape.watch(w)
        y, _, losses = layer.stateless_call([w], [], A, return_losses=True)
        loss = ops.sum(y) + losses[0]
    np.testing.assert_allclose(tape.gradient(loss, w), A.sum(0)[:, None] + 0.02 * kernel, rtol=1e-5)


def test_shapes_before_there_are_arrays():
    spec = layers.Dense(5).compute_output_spec(pynn.Input((3,)))
    assert (spec.shape, spec.dtype) == ((None, 5), "float32")
    with pytest.raises(ValueError, match=r"quantize\(mode='int8'\) is not supported"):
        layers.Dense(5).quantize("int8")
    with pytest.raises(ValueError, match="trainable must be True or False, received 'yes'"):
        layers.Dense(5, trainable="yes")


def test_several_input_specs():
    class Two(layers.Layer):
        def __init__(self):
            super().__init__()
            self.input_spec = [layers.InputSpec(ndim=2), layers.InputSpec(axes={-1: 4})]

        def call(self, inputs):
            return inputs[0]

    assert Two()([A, B]).shape == (2, 3)
    with pytest.raises(ValueError, match="expected 2 inputs, received 1"):
        Two()(A)
    with pytest.raises(ValueError, match="expected input with length 4 on axis -1"):
        Two()([A, A])
