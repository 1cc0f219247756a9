"""Core layers beside Keras: regularizers, constraints, masks, noise, normalization, the layer base."""

import json

import numpy as np
import pytest

import pynn

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

LAYERS = [
    ("PReLU", {"alpha_initializer": "ones"}, (4, 5)),
    ("PReLU", {"shared_axes": [1], "alpha_regularizer": "l2", "alpha_constraint": "non_neg"}, (4, 5, 3)),
    ("GroupNormalization", {"groups": 3}, (4, 5, 5, 6)),
    ("GroupNormalization", {"groups": -1, "scale": False}, (4, 5, 6)),
    ("GroupNormalization", {"groups": 1, "center": False}, (4, 6)),
    ("GroupNormalization", {"groups": 2, "axis": 1, "gamma_regularizer": "l1"}, (4, 6, 5)),
    ("UnitNormalization", {}, (4, 6)),
    ("UnitNormalization", {"axis": [1, 2]}, (4, 3, 2)),
    ("Identity", {}, (4, 6)),
    ("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, (4, 6)),
    ("Softmax", {"axis": [1, 2]}, (4, 3, 2)),
    ("Masking", {"mask_value": 1.0}, (4, 3, 2)),
    ("Dense", {"units": 3, "kernel_regularizer": "l1", "bias_regularizer": "l2"}, (4, 5)),
    ("Dense", {"units": 3, "activity_regularizer": "l2", "activation": "tanh"}, (4, 5)),
    ("Dense", {"units": 3, "kernel_regularizer": "orthogonal_regularizer"}, (4, 5)),
    ("Dense", {"units": 3, "kernel_constraint": "max_norm", "bias_constraint": "non_neg"}, (4, 5)),
    ("Dense", {"units": 3, "kernel_constraint": "unit_norm"}, (4, 5)),
    ("Dense", {"units": 3, "kernel_constraint": "min_max_norm"}, (4, 5)),
    ("BatchNormalization", {"gamma_regularizer": "l2", "beta_constraint": "non_neg"}, (4, 5)),
    ("LayerNormalization", {"gamma_regularizer": "l2", "beta_constraint": "non_neg"}, (4, 5)),
    (
        "EinsumDense",
        {
            "equation": "ab,bc->ac",
            "output_shape": 3,
            "bias_axes": "c",
            "kernel_regularizer": "l2",
            "bias_constraint": "non_neg",
            "activity_regularizer": "l1",
        },
        (4, 5),
    ),
    (
        "Conv2D",
        {"filters": 2, "kernel_size": 2, "kernel_regularizer": "l2", "bias_constraint": "non_neg"},
        (3, 4, 4, 2),
    ),
    (
        "Conv1D",
        {"filters": 2, "kernel_size": 2, "kernel_constraint": "max_norm", "activity_regularizer": "l2"},
        (3, 4, 2),
    ),
    (
        "SeparableConv2D",
        {"filters": 2, "kernel_size": 2, "depthwise_regularizer": "l1", "pointwise_constraint": "unit_norm"},
        (3, 4, 4, 2),
    ),
    ("GaussianNoise", {"stddev": 0.0}, (4, 5)),
    ("GaussianDropout", {"rate": 0.0}, (4, 5)),
    ("AlphaDropout", {"rate": 0.0}, (4, 5)),
]


@pytest.mark.filterwarnings("ignore:.*does not support mask:UserWarning")  # the Flatten behind Masking
@pytest.mark.parametrize(("name", "arguments", "shape"), LAYERS, ids=str)
def test_layers(keras, check_layer, name, arguments, shape):
    check_layer(name, arguments, shape)


def objects(library):
    """The same regularizers and constraints of both libraries."""
    reg, con = library.regularizers, library.constraints
    return [
        {"kernel_regularizer": reg.L1(0.03)},
        {"kernel_regularizer": reg.L1L2(0.03, 0.02)},
        {"kernel_regularizer": reg.l1_l2(l1=0.1, l2=0.1), "bias_regularizer": reg.l2(0.1)},
        {"kernel_regularizer": reg.OrthogonalRegularizer(0.3, mode="columns")},
        {"kernel_constraint": con.MaxNorm(0.5, axis=[0])},
        {"kernel_constraint": con.MinMaxNorm(0.2, 0.5, rate=0.7, axis=1)},
        {"kernel_constraint": con.unit_norm(axis=0), "kernel_regularizer": reg.l1(0.01)},
    ]


@pytest.mark.parametrize("case", range(7))
def test_regularizers_and_constraints_in_training(keras, case):
    models = []
    for library in (keras, pynn):
        layers = [library.Input((5,)), library.layers.Dense(4, **objects(library)[case]), library.layers.Dense(2)]
        models.append(library.Sequential(layers))
    theirs, ours = models
    ours.set_weights(theirs.get_weights())
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((6, 5)).astype("float32"), rng.standard_normal((6, 2)).astype("float32")
    for model, library in ((theirs, keras), (ours, pynn)):
        model.compile(library.optimizers.SGD(0.3, momentum=0.5), "mse")
    assert ours.evaluate(x, y, verbose=0) == pytest.approx(float(theirs.evaluate(x, y, verbose=0)), rel=1e-5)
    for _ in range(3):
        assert ours.train_on_batch(x, y) == pytest.approx(float(theirs.train_on_batch(x, y)), rel=1e-4)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("case", range(7))
def test_configs_are_exchanged(keras, case):
    theirs = keras.layers.Dense(4, name="d", **objects(keras)[case])
    ours = pynn.layers.Dense(4, name="d", **objects(pynn)[case])
    expected = json.loads(json.dumps(theirs.get_config()))
    config = json.loads(json.dumps(ours.get_config()))
    assert rounded(config) == rounded(expected)
    assert rounded(keras.layers.Dense.from_config(config).get_config()) == rounded(expected)
    assert rounded(pynn.layers.Dense.from_config(expected).get_config()) == rounded(config)


def rounded(config):
    """Keras keeps some factors as float32."""
    if isinstance(config, dict):
        return {k: rounded(v) for k, v in config.items()}
    if isinstance(config, list | tuple):
        return [rounded(v) for v in config]
    return round(config, 6) if isinstance(config, float) else config


@pytest.mark.parametrize(
    ("name", "arguments"),
    [(name, arguments) for name, arguments, _ in LAYERS]
    + [
        ("GaussianNoise", {"stddev": 0.5, "seed": 3}),
        ("GaussianDropout", {"rate": 0.5}),
        ("AlphaDropout", {"rate": 0.5, "noise_shape": (None, 1)}),
        ("SpatialDropout1D", {"rate": 0.5}),
        ("SpatialDropout2D", {"rate": 0.5, "data_format": "channels_first"}),
        ("SpatialDropout3D", {"rate": 0.5, "seed": 1}),
        ("Embedding", {"input_dim": 3, "output_dim": 2, "mask_zero": True, "embeddings_regularizer": "l1"}),
    ],
    ids=str,
)
def test_configs(keras, name, arguments):
    theirs = getattr(keras.layers, name)(name="x", **arguments)
    ours = getattr(pynn.layers, name)(name="x", **arguments)
    expected = rounded(json.loads(json.dumps(theirs.get_config())))
    config = json.loads(json.dumps(ours.get_config()))
    # Where a class of Keras leaves something out, ours may say it.
    missing = {key: config[key] for key in config if key not in expected}
    assert set(missing) <= {"trainable", "dtype"}
    assert {key: value for key, value in rounded(config).items() if key in expected} == expected
    again = type(ours).from_config(config)
    assert json.loads(json.dumps(again.get_config())) == config


WORDS = np.array([[3, 1, 0, 0], [2, 0, 4, 0], [1, 2, 3, 4]])


def averaging(library):
    class MaskedMean(library.layers.Layer):
        def call(self, x, mask=None):
            weights = library.ops.expand_dims(library.ops.cast(mask, "float32"), -1)
            return library.ops.sum(x * weights, axis=1) / library.ops.sum(weights, axis=1)

    return library.Sequential(
        [
            library.Input((4,), dtype="int32"),
            library.layers.Embedding(5, 3, mask_zero=True),
            library.layers.Dropout(0.0),
            MaskedMean(),
            library.layers.Dense(1, activation="sigmoid"),
        ]
    )


def tagging(library):
    return library.Sequential(
        [
            library.Input((4,), dtype="int32"),
            library.layers.Embedding(5, 3, mask_zero=True),
            library.layers.BatchNormalization(momentum=0.5),
            library.layers.Dense(2, activation="softmax"),
        ]
    )


@pytest.mark.filterwarnings("ignore:Layer 'masked_mean' .* was passed an input with a mask:UserWarning")
@pytest.mark.filterwarnings("ignore:layer 'masked_mean.*' .* does not support masks:UserWarning")
def test_a_mask_from_the_embedding_to_the_layer_that_uses_it(keras):
    theirs, ours = averaging(keras), averaging(pynn)
    targets = np.array([[1.0], [0.0], [1.0]], "float32")
    train_alike(keras, theirs, ours, WORDS, targets, "binary_crossentropy")


def test_the_mask_of_the_outputs_weighs_the_loss(keras):
    targets = np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]])
    train_alike(keras, tagging(keras), tagging(pynn), WORDS, targets, "sparse_categorical_crossentropy")


@pytest.mark.filterwarnings("ignore:.*does not support mask:UserWarning")
@pytest.mark.parametrize("functional", [False, True])
def test_a_mask_given_to_a_model(keras, functional):
    x = np.random.default_rng(0).standard_normal((2, 4, 3)).astype("float32")
    mask = np.array([[True, False, True, False], [True, True, True, False]])
    results = []
    for library in (keras, pynn):

        class Masked(library.layers.Layer):
            def call(self, x, mask=None):
                return x * library.ops.expand_dims(library.ops.cast(mask, "float32"), -1)  # noqa: B023

        entrance = library.Input((4, 3))
        if functional:
            with_mask = library.layers.Masking(mask_value=7.0)(entrance)
            model = library.Model(entrance, Masked()(with_mask))
            results.append(np.asarray(model(x)))
        else:

            class Own(library.Model):
                def __init__(self):
                    super().__init__()
                    self.masked = Masked()

                def call(self, x, mask=None):
                    return self.masked(x, mask=mask)

            results.append(np.asarray(Own()(x, mask=mask)))
    np.testing.assert_array_equal(results[1], results[0])


def train_alike(keras, theirs, ours, x, y, loss):
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-4, atol=1e-6)
    for model, library in ((theirs, keras), (ours, pynn)):
        model.compile(library.optimizers.SGD(0.5), loss)
    for _ in range(3):
        assert ours.train_on_batch(x, y) == pytest.approx(float(theirs.train_on_batch(x, y)), rel=1e-4)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


def test_masking_of_vectors(keras):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 4, 2)).astype("float32")
    x[0, 2:] = 0
    theirs, ours = keras.layers.Masking(), pynn.layers.Masking()
    np.testing.assert_array_equal(ours(x), np.asarray(theirs(x)))
    np.testing.assert_array_equal(np.asarray(ours(x)._keras_mask), np.asarray(theirs(x)._keras_mask))


@pytest.mark.parametrize("name", ["Add", "Multiply", "Maximum", "Average", "Concatenate"])
def test_masks_of_merging_layers(keras, name):
    results = []
    for library in (keras, pynn):
        layers = library.layers
        make = lambda: layers.Embedding(5, 3, mask_zero=True)(WORDS)  # noqa: E731, B023
        other = layers.Embedding(5, 3, mask_zero=True)(WORDS[::-1].copy())
        results.append(np.asarray(getattr(layers, name)()([make(), other])._keras_mask))
    np.testing.assert_array_equal(results[1], results[0])


def test_masks_one_after_the_other(keras):
    results = []
    for library in (keras, pynn):
        layers = library.layers
        pair = [layers.Embedding(5, 3, mask_zero=True)(WORDS), np.ones((3, 2, 3), "float32")]
        if library is keras:
            pair[1] = keras.ops.convert_to_tensor(pair[1])
        results.append(np.asarray(layers.Concatenate(axis=1)(pair)._keras_mask))
    np.testing.assert_array_equal(results[1], results[0])


def test_batch_normalization_with_a_mask(keras):
    x = np.random.default_rng(0).standard_normal((2, 3, 4)).astype("float32")
    mask = np.array([[True, True, False], [True, False, False]])
    theirs, ours = keras.layers.BatchNormalization(momentum=0.5), pynn.layers.BatchNormalization(momentum=0.5)
    np.testing.assert_allclose(
        ours(x, training=True, mask=mask), np.asarray(theirs(x, training=True, mask=mask)), rtol=1e-4, atol=1e-5
    )
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_softmax_with_a_mask(keras):
    x = np.random.default_rng(0).standard_normal((2, 4)).astype("float32")
    mask = np.array([[True, True, False, True], [False, False, False, False]])
    expected = np.asarray(keras.layers.Softmax()(x, mask=mask))
    np.testing.assert_allclose(pynn.layers.Softmax()(x, mask=mask), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("inner", ["Dense", "Conv2D"])
def test_spectral_normalization(keras, inner):
    shape = (2, 6, 6, 4) if inner == "Conv2D" else (2, 4)
    arguments = (3, 3) if inner == "Conv2D" else (3,)
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    theirs, ours = (
        library.layers.SpectralNormalization(getattr(library.layers, inner)(*arguments), power_iterations=2)
        for library in (keras, pynn)
    )
    theirs(x)
    ours(x)
    ours.set_weights(theirs.get_weights())
    for _ in range(2):
        expected = np.asarray(theirs(x, training=True))
        np.testing.assert_allclose(ours(x, training=True), expected, rtol=1e-4, atol=1e-5)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def variational(library):
    """A network with a loss from inside of a layer, and one of its own with ``add_loss``."""
    ops = library.ops

    class Spread(library.layers.Layer):
        def __init__(self, factor=0.1, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, inputs):
            mean, log_variance = inputs
            kl = -0.5 * ops.mean(1 + log_variance - ops.square(mean) - ops.exp(log_variance))
            self.add_loss(self.factor * kl)
            return mean + 0.1 * ops.exp(0.5 * log_variance)

    entrance = library.Input((6,))
    hidden = library.layers.Dense(5, activation="tanh")(entrance)
    z = Spread()([library.layers.Dense(2)(hidden), library.layers.Dense(2)(hidden)])
    return library.Model(entrance, library.layers.Dense(6)(z))


def test_add_loss_in_training(keras):
    x = np.random.default_rng(0).standard_normal((8, 6)).astype("float32")
    train_alike(keras, variational(keras), variational(pynn), x, x, "mse")


def test_losses_of_a_layer(keras):
    x = np.random.default_rng(0).standard_normal((8, 6)).astype("float32")
    found = []
    for library in (keras, pynn):
        layer = library.layers.Dense(
            3, kernel_initializer="ones", kernel_regularizer="l1", activity_regularizer="l2", bias_regularizer="l2"
        )
        layer(x)
        found.append([float(value) for value in layer.losses])
    assert found[1] == pytest.approx(found[0], rel=1e-5)


def custom(library):
    class Scale(library.layers.Layer):
        def __init__(self, factor, offset=1, labels=("a", "b"), **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, x):
            return x * self.factor

    return Scale(2, name="s", trainable=False)


def test_automatic_config(keras):
    expected = json.loads(json.dumps(custom(keras).get_config()))
    assert json.loads(json.dumps(custom(pynn).get_config())) == expected


def block(library):
    class Block(library.layers.Layer):
        def __init__(self):
            super().__init__()
            self.parts = [library.layers.Dense(2, name="p0")]
            self.last = library.layers.Dense(2, name="last")
            self.by_name = {"b": library.layers.Dense(2, name="b"), "a": library.layers.BatchNormalization(name="a")}
            self.parts.append(library.layers.Dense(2, name="p1"))

        def build(self, input_shape):
            self.counter = self.add_weight(shape=(), trainable=False, name="counter", initializer="zeros")
            self.gain = self.add_weight(shape=(2,), name="gain", initializer="ones")

        def call(self, x):
            for part in (*self.parts, self.last, *self.by_name.values()):
                x = part(x)
            return x * self.gain

    return Block()


@pytest.mark.parametrize("which", ["weights", "trainable_weights", "non_trainable_weights", "variables"])
def test_order_of_weights(keras, which):
    names = []
    for library in (keras, pynn):
        layer = block(library)
        layer(np.ones((3, 2), "float32"))
        names.append(["/".join(v.path.split("/")[-2:]).replace("block/", "") for v in getattr(layer, which)])
    names = [[n.split("/")[-1] if n.split("/")[0].startswith("block") else n for n in own] for own in names]
    assert names[1] == names[0]
