"""Initializers: distributions, seeds, lookup by name, errors."""

import numpy as np
import pytest

from pynn import initializers, layers
from pynn.initializers.variance_scaling import compute_fans
from pynn.random import SeedGenerator
from pynn.utils import set_random_seed

RANDOM = [
    initializers.RandomNormal,
    initializers.RandomUniform,
    initializers.TruncatedNormal,
    initializers.VarianceScaling,
    initializers.GlorotUniform,
    initializers.GlorotNormal,
    initializers.HeNormal,
    initializers.HeUniform,
    initializers.LecunNormal,
    initializers.LecunUniform,
    initializers.Orthogonal,
]


@pytest.mark.parametrize(
    ("shape", "fans"), [((), (1, 1)), ((7,), (7, 7)), ((3, 5), (3, 5)), ((3, 3, 8, 16), (72, 144))]
)
def test_fans(shape, fans):
    assert compute_fans(shape) == fans


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / 500),
        ("glorot_normal", 2 / 500),
        ("he_normal", 2 / 300),
        ("he_uniform", 2 / 300),
        ("lecun_normal", 1 / 300),
        ("lecun_uniform", 1 / 300),
    ],
)
def test_variance_follows_from_fans(name, variance):
    set_random_seed(0)
    x = initializers.get(name)((300, 200))
    assert x.dtype == np.float32
    assert abs(x.mean()) < 3e-3
    assert x.var() == pytest.approx(variance, rel=0.03)


def test_truncated_normal_has_no_far_numbers():
    x = initializers.TruncatedNormal(mean=1.0, stddev=2.0, seed=3)((100, 100))
    assert x.min() >= -3
    assert x.max() <= 5


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (3, 3, 2, 5)])
def test_orthogonal(shape):
    q = initializers.Orthogonal(gain=2.0, seed=1)(shape).reshape(-1, shape[-1])
    small = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-5)


def test_constants():
    np.testing.assert_array_equal(initializers.Identity(2.0)((2, 3)), [[2, 0, 0], [0, 2, 0]])
    np.testing.assert_array_equal(initializers.Constant(3)((2,)), [3, 3])
    np.testing.assert_array_equal(initializers.Constant([1, 2])((2, 2)), [[1, 2], [1, 2]])
    assert initializers.Zeros()((2,), "int32").dtype == np.int32
    assert initializers.Ones()((2,)).sum() == 2


@pytest.mark.parametrize("cls", RANDOM)
def test_seeds(cls):
    a, b = cls(seed=5)((4, 4)), cls(seed=5)((4, 4))
    np.testing.assert_array_equal(a, b)
    set_random_seed(1)
    c = cls()((4, 4))
    d = cls()((4, 4))
    set_random_seed(1)
    np.testing.assert_array_equal(c, cls()((4, 4)))
    assert not np.array_equal(c, d)


def test_a_shared_unseeded_initializer_gives_each_weight_its_own_numbers():
    shared = initializers.GlorotUniform()
    assert not np.array_equal(initializers.get(shared)((4, 4)), initializers.get(shared)((4, 4)))


def test_initializers_of_users_need_no_config():
    class Filled(initializers.Initializer):
        def __init__(self, value):
            self.value = value

        def __call__(self, shape, dtype=None):
            return np.full(shape, self.value, dtype or "float32")

    layer = layers.Dense(2, kernel_initializer=Filled(3.0))
    layer.build((None, 2))
    np.testing.assert_array_equal(layer.get_weights()[0], np.full((2, 2), 3))


def test_seed_generators():
    initializer = initializers.RandomNormal(seed=SeedGenerator(4))
    first, second = initializer((3,)), initializer((3,))
    assert not np.array_equal(first, second)
    again = initializers.RandomNormal.from_config(initializer.get_config())
    np.testing.assert_array_equal(again((3,)), first)
    np.testing.assert_array_equal(initializer.clone()((3,)), first)


def test_a_transform_by_convolution():
    """The two convolutions together are NumPy's Fourier transform of each frame."""
    x = np.random.default_rng(0).standard_normal(16).astype("float32")
    window = np.hanning(8)
    frames = np.lib.stride_tricks.sliding_window_view(x, 8)[::4]
    expected = np.fft.rfft(frames * window)
    for side, part in (("real", expected.real), ("imag", expected.imag)):
        kernel = initializers.STFT(side, scaling=None)
        convolution = layers.Conv1D(5, 8, strides=4, use_bias=False, kernel_initializer=kernel)
        np.testing.assert_allclose(convolution(x[None, :, None])[0], part, atol=1e-5)


@pytest.mark.parametrize("cls", [*RANDOM, initializers.Zeros, initializers.Ones, initializers.Constant])
def test_config_round_trip(cls):
    again = initializers.deserialize(initializers.serialize(cls()))
    assert type(again) is cls
    assert again.get_config() == cls().get_config()


def test_serialized_form_is_keras_own():
    # keras.initializers.serialize(keras.initializers.HeNormal(seed=3)), Keras 3.15
    assert initializers.serialize(initializers.HeNormal(seed=3)) == {
        "module": "keras.initializers",
        "class_name": "HeNormal",
        "config": {"seed": 3, "input_axes": None, "output_axes": None},
        "registered_name": None,
    }


def test_get():
    assert initializers.get(None) is None
    assert isinstance(initializers.get("zeros"), initializers.Zeros)
    assert isinstance(initializers.get("HeNormal"), initializers.HeNormal)
    assert isinstance(initializers.get(initializers.Ones), initializers.Ones)
    function = lambda shape, dtype: np.full(shape, 7, dtype)  # noqa: E731
    assert initializers.get(function) is function


def test_kernels_of_a_fourier_transform():
    x = np.random.default_rng(0).normal(size=16)
    halves = [initializers.STFT(side, None, None)((16, 1, 9))[:, 0] for side in ("real", "imag")]
    np.testing.assert_allclose(x @ halves[0] + 1j * (x @ halves[1]), np.fft.rfft(x), atol=1e-5)
    for periodic, hann in ((True, np.hanning(17)[:-1]), (False, np.hanning(16))):
        for scaling, scale in (("density", np.sqrt((hann**2).sum())), ("spectrum", hann.sum()), (None, 1.0)):
            kernel = initializers.STFT("real", "hann", scaling, periodic)((16, 1, 9))
            np.testing.assert_allclose(kernel[:, 0], halves[0] * (hann / scale)[:, None], atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: initializers.get("glorot_unifrom"),
            "unknown initializer 'glorot_unifrom': did you mean 'glorot_uniform'",
        ),
        (lambda: initializers.get(3), "cannot make an initializer of 3"),
        (lambda: initializers.VarianceScaling(scale=-1), "VarianceScaling: scale must be positive, received -1"),
        (lambda: initializers.VarianceScaling(mode="x"), "mode must be one of fan_in, fan_out, fan_avg, received 'x'"),
        (lambda: initializers.VarianceScaling(distribution="x"), "distribution must be one of"),
        (lambda: initializers.RandomNormal(seed=-1), "RandomNormal: seed must be an integer"),
        (lambda: initializers.RandomNormal(stddev=float("nan")), "RandomNormal: stddev must be a finite number"),
        (lambda: initializers.STFT("left"), "STFT: side must be 'real' or 'imag'"),
        (lambda: initializers.STFT()((3, 3)), "STFT: makes kernels"),
        (lambda: initializers.Identity()((3, 3, 3)), "Identity: makes matrices only"),
        (lambda: initializers.STFT("left"), "STFT: side must be 'real' or 'imag', received 'left'"),
        (lambda: initializers.STFT(scaling="x"), "STFT: scaling must be 'density', 'spectrum' or None"),
        (lambda: initializers.STFT(window="x"), "STFT: .*'x'"),
        (lambda: initializers.STFT(window=[1, 2])((8, 1, 5)), "STFT: window must have 8 weights"),
        (lambda: initializers.STFT()((8, 2, 5)), "STFT: makes kernels"),
        (lambda: initializers.Orthogonal()((3,)), "Orthogonal: the weight must have at least 2 axes"),
        (lambda: initializers.Constant({"a": 1}), "Constant: value must be a number or an array of numbers, received"),
        (lambda: initializers.Constant([1, 2, 3])((2,)), r"Constant: value of shape \(3,\) does not fit"),
        (lambda: initializers.deserialize({"class_name": "os.system", "config": {}}), "unknown initializer class"),
        (lambda: set_random_seed("x"), "set_random_seed: seed must be an integer"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
