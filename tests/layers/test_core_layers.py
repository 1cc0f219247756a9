"""Small layers: noise, masking, learned slopes, normalizations, wrappers, functions as layers."""

import numpy as np
import pytest

import pynn
from pynn import layers, ops

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("layer", "mean", "variance"),
    [
        (layers.GaussianNoise(0.5, seed=1), 1.0, 0.25),
        (layers.GaussianDropout(0.2, seed=1), 1.0, 0.25),
        (layers.Dropout(0.2, seed=1), 1.0, 0.25),
        (layers.SpatialDropout1D(0.5, seed=1), 1.0, 1.0),
    ],
    ids=lambda v: getattr(v, "name", ""),
)
def test_noise_in_training_only(layer, mean, variance):
    x = np.ones((400, 5, 50), "float32")
    np.testing.assert_array_equal(layer(x), x)
    first, second = layer(x, training=True), layer(x, training=True)
    assert np.any(first != second)
    assert first.mean() == pytest.approx(mean, abs=0.02)
    assert first.var() == pytest.approx(variance, abs=0.03)


def test_alpha_dropout_keeps_mean_and_variance():
    x = RNG.standard_normal((300, 300)).astype("float32")
    y = layers.AlphaDropout(0.3, seed=1)(x, training=True)
    assert y.mean() == pytest.approx(0.0, abs=0.02)
    assert y.var() == pytest.approx(1.0, abs=0.03)
    shared = layers.AlphaDropout(0.5, noise_shape=(None, 1), seed=1)(np.zeros((20, 4)), training=True)
    assert np.all(shared == shared[:, :1])
    assert len(np.unique(shared)) == 2


@pytest.mark.parametrize(
    ("layer", "shape", "axes"),
    [
        (layers.SpatialDropout1D(0.5), (4, 6, 30), 1),
        (layers.SpatialDropout2D(0.5), (4, 3, 3, 30), (1, 2)),
        (layers.SpatialDropout2D(0.5, data_format="channels_first"), (4, 30, 3, 3), (2, 3)),
        (layers.SpatialDropout3D(0.5), (4, 2, 3, 2, 30), (1, 2, 3)),
    ],
)
def test_spatial_dropout_drops_whole_channels(layer, shape, axes):
    y = np.asarray(layer(np.ones(shape), training=True))
    np.testing.assert_array_equal(y.min(axis=axes), y.max(axis=axes))
    assert set(np.unique(y)) == {0.0, 2.0}


def test_noise_differs_from_step_to_step_of_training():
    class Keep(layers.Layer):
        def __init__(self):
            super().__init__()
            self.noise = layers.GaussianNoise(1.0, seed=3)

        def call(self, x, training=False):
            y = self.noise(x, training=training)
            self.add_loss(ops.mean(y))
            return y

    model = pynn.Sequential([pynn.Input((3,)), Keep(), layers.Dense(1)])
    model.compile(pynn.optimizers.SGD(0.0), "mse")
    x, y = np.zeros((4, 3), "float32"), np.zeros((4, 1), "float32")
    assert model.train_on_batch(x, y) != model.train_on_batch(x, y)


def test_group_normalization():
    x = RNG.standard_normal((3, 4, 4, 6)).astype("float32") * 5 + 2
    y = np.asarray(layers.GroupNormalization(2)(x)).reshape(3, 16, 2, 3)
    np.testing.assert_allclose(y.mean(axis=(1, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(y.var(axis=(1, 3)), 1, atol=1e-3)


def test_prelu_learns_its_slope():
    model = pynn.Sequential([pynn.Input((4,)), layers.PReLU()])
    model.compile(pynn.optimizers.SGD(1.0), "mse")
    x = -np.ones((8, 4), "float32")
    for _ in range(30):
        model.train_on_batch(x, 0.5 * x)
    np.testing.assert_allclose(model.get_weights()[0], 0.5, atol=1e-2)


def test_spectral_normalization_of_a_kernel_of_zeros():
    layer = layers.SpectralNormalization(layers.Dense(2, kernel_initializer="zeros"))
    np.testing.assert_array_equal(layer(np.ones((1, 3)), training=True), [[0, 0]])


def test_lambda():
    assert layers.Lambda(lambda x, power: x**power, arguments={"power": 2})([[3.0]]) == [[9]]
    switch = layers.Lambda(lambda x, training: x + (1.0 if training else 0.0))
    assert (switch([[1.0]], training=True), switch([[1.0]])) == ([[2]], [[1]])
    doubled = layers.Lambda(lambda x, mask: x * ops.expand_dims(ops.cast(mask, "float32"), -1), mask=lambda x, m: m)
    words = layers.Embedding(5, 2, mask_zero=True)(np.array([[1, 0]]))
    y = doubled(words)
    np.testing.assert_array_equal(y[0, 1], [0, 0])
    np.testing.assert_array_equal(np.asarray(y._keras_mask), [[True, False]])


def test_lambda_of_a_named_function_has_a_config():
    layer = layers.Lambda(pynn.activations.relu, name="l")
    again = layers.deserialize(layers.serialize(layer))
    np.testing.assert_array_equal(again([[-1.0, 2.0]]), [[0, 2]])


def test_lambdas_are_refused_in_configs_unless_allowed():
    config = layers.serialize(layers.Lambda(lambda x: x + 1, name="l"))
    with pytest.raises(ValueError, match="it was refused"):
        layers.deserialize(config)
    try:
        pynn.config.enable_unsafe_deserialization()
        assert layers.deserialize(config)([[1.0]]) == [[2.0]]
    finally:
        pynn.settings._unsafe_deserialization = False


def test_input_from_a_tensor():
    x = pynn.Input((4,))
    hidden = layers.Dense(3)(x)
    entrance = layers.InputLayer(input_tensor=hidden)
    assert entrance.batch_shape == (None, 3)
    assert pynn.Input(tensor=hidden) is hidden
    with pytest.raises(ValueError, match=r"shape=\(4,\) does not fit the tensor, whose shape is \(3,\)"):
        pynn.Input((4,), tensor=hidden)
    with pytest.raises(ValueError, match="tensor must be a symbolic tensor, received 3"):
        pynn.Input(tensor=3)


def test_input_spec():
    spec = layers.InputSpec(shape=(None, 3), name="a")
    spec.check("l", (5, 3))
    assert spec.get_config() == {
        "dtype": None, "shape": (None, 3), "ndim": 2, "max_ndim": None, "min_ndim": None, "axes": {}, "optional": False,
    }  # fmt: skip
    assert layers.InputSpec.from_config(spec.get_config()) == layers.InputSpec(shape=(None, 3))
    layers.InputSpec(shape=(None, 3, 1), allow_last_axis_squeeze=True).check("l", (5, 3))
    layers.InputSpec(ndim=2, optional=True).check("l", None)
    for make, message in [
        (lambda: spec.check("l", (5, 4)), r"layer 'l': expected input with shape \(None, 3\), received shape \(5, 4\)"),
        (lambda: layers.InputSpec(ndim=2, axes={2: 3}), "axis 2 is not among 2 axes"),
        (lambda: layers.InputSpec(axes=3), "axes must be a dictionary of integers, received 3"),
        (lambda: layers.InputSpec(ndim=2).check("l", None), "expected an input, received None"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()
    with pytest.raises(TypeError, match="expected input of dtype int32, received float32"):
        layers.InputSpec(dtype="int32").check("l", (1,), "float32")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.GaussianNoise(-1.0), "stddev must not be negative"),
        (lambda: layers.GaussianDropout(1), "rate must be below 1, received 1"),
        (lambda: layers.AlphaDropout("a"), "rate must be a number from 0 to 1, received 'a'"),
        (lambda: layers.SpatialDropout2D(0.5, "last"), "data_format must be 'channels_last' or 'channels_first'"),
        (lambda: layers.SpatialDropout1D(0.5)(np.ones((2, 3))), r"expected input with 3 axes \(batch included\)"),
        (lambda: layers.GroupNormalization(0), "groups must be a positive integer or -1, received 0"),
        (lambda: layers.GroupNormalization(4)(np.ones((2, 6))), r"channels \(6\) must be a multiple of groups \(4\)"),
        (lambda: layers.GroupNormalization(1, axis=0)(np.ones((2, 6))), "axis 0 is not a channel axis"),
        (lambda: layers.UnitNormalization(3)(np.ones((2, 6))), "axis 3 does not name different axes"),
        (lambda: layers.PReLU(shared_axes=[0]), "shared_axes must be axes of a sample, counted from 1"),
        (lambda: layers.PReLU(shared_axes=3)(np.ones((2, 6))), r"shared_axes \[3\] are not all axes of an input"),
        (lambda: layers.PReLU().build((None, None, 3)), "every length of a sample must be known or in shared_axes"),
        (lambda: layers.SpectralNormalization(layers.Flatten())(np.ones((2, 6))), "must have a kernel or embeddings"),
        (lambda: layers.SpectralNormalization(layers.Dense(1), 0), "power_iterations must be a positive integer"),
        (lambda: layers.Wrapper(3), "layer must be a layer, received 3"),
        (lambda: layers.Lambda(3), "function must be a function of the input, received 3"),
        (lambda: layers.ActivityRegularization(l1=-1), "L1L2: l1 must be a number from 0"),
        (lambda: layers.Softmax()(np.ones((2, 3)), mask=np.ones((2, 2))), r"expected a mask .* input \(2, 3\)"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
