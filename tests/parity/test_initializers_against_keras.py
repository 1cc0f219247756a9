"""Initializers beside Keras's: their distributions by statistics, seeds, names, configs both ways."""

import inspect

import numpy as np
import pytest

import pynn
from pynn import initializers

#: Initializer -> arguments to try it with.
RANDOM = {
    "RandomNormal": [{}, {"mean": 1.0, "stddev": 0.5}],
    "RandomUniform": [{}, {"minval": 1.0, "maxval": 3.0}],
    "TruncatedNormal": [{"mean": 1.0, "stddev": 0.5}],
    "VarianceScaling": [
        {}, {"scale": 2.0, "mode": "fan_out", "distribution": "untruncated_normal"},
        {"mode": "fan_avg", "distribution": "uniform"}, {"input_axes": (0,), "output_axes": (1, 2, 3)},
    ],
    "GlorotUniform": [{}], "GlorotNormal": [{}], "HeNormal": [{}], "HeUniform": [{}], "LecunNormal": [{}],
    "LecunUniform": [{}], "Orthogonal": [{}, {"gain": 0.5}],
}  # fmt: skip
SHAPE = (3, 3, 20, 60)  # a kernel of a convolution: 180 inputs, 540 outputs

CASES = [(name, arguments) for name, several in RANDOM.items() for arguments in several]


def _both(keras, name, arguments):
    return getattr(keras.initializers, name)(**arguments), getattr(initializers, name)(**arguments)


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_distributions(keras, name, arguments):
    theirs, ours = (np.asarray(i(SHAPE), "float64") for i in _both(keras, name, {**arguments, "seed": 7}))
    n, std = ours.size, theirs.std()
    assert abs(ours.mean() - theirs.mean()) < 5 * std * np.sqrt(2 / n)
    assert ours.std() == pytest.approx(std, rel=0.03)
    # The shares beyond one deviation and near the ends tell normal from truncated and uniform.
    for x in (0.5, 1.0, 1.5, 2.2, 3.0):
        share = [(np.abs(w - theirs.mean()) > x * std).mean() for w in (ours, theirs)]
        assert share[0] == pytest.approx(share[1], abs=0.02)
    if "niform" in name or arguments.get("distribution") == "uniform" or "runcated" in name:
        for end in (np.min, np.max):
            assert end(ours) == pytest.approx(end(theirs), rel=0.01, abs=0.02 * std)
    if name == "Orthogonal":
        for w in (ours, theirs):
            w = w.reshape(-1, SHAPE[-1])
            np.testing.assert_allclose(w.T @ w, arguments.get("gain", 1.0) ** 2 * np.eye(60), atol=1e-5)


@pytest.mark.parametrize("name", RANDOM)
def test_seeds(keras, name):
    shape = (4, 6)
    for library, module in ((keras, keras.initializers), (pynn, initializers)):
        cls = getattr(module, name)

        def equal(a, b):
            return np.array_equal(np.asarray(a(shape)), np.asarray(b(shape)))

        seeded, unseeded = cls(seed=5), cls()
        assert equal(seeded, seeded)
        assert equal(seeded, cls(seed=5))
        assert equal(seeded, seeded.clone())
        assert not equal(seeded, cls(seed=6))
        assert equal(unseeded, unseeded)
        assert not equal(unseeded, cls())
        assert not equal(unseeded, unseeded.clone())
        counting = cls(seed=library.random.SeedGenerator(5))
        first, second = np.asarray(counting(shape)), np.asarray(counting(shape))
        assert not np.array_equal(first, second)
        # From the beginning again, also from a config.
        for again in (cls(seed=library.random.SeedGenerator(5)), module.deserialize(module.serialize(counting))):
            np.testing.assert_array_equal(np.asarray(again(shape)), first)
            np.testing.assert_array_equal(np.asarray(again(shape)), second)


FIXED = [
    ("Zeros", {}), ("Ones", {}), ("Constant", {"value": 2.5}), ("Constant", {"value": np.arange(4)}), ("Identity", {}),
    ("STFT", {}), ("STFT", {"window": None, "side": "imag"}), ("STFT", {"window": "hamming", "scaling": None}),
    ("STFT", {"window": np.hanning(8).astype("float32")}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), [*CASES, *((n, {**a, "seed": 3}) for n, a in CASES), *FIXED])
def test_configs_and_signatures(keras, name, arguments):
    theirs, ours = _both(keras, name, arguments)
    written = keras.initializers.serialize(theirs)
    if name != "Identity":  # Keras's own config leaves the gain out
        assert initializers.serialize(ours) == written
    assert initializers.serialize(initializers.deserialize(written)) == initializers.serialize(ours)
    assert keras.initializers.serialize(keras.initializers.deserialize(initializers.serialize(ours))) == written
    signatures = [{p.name: p.default for p in inspect.signature(type(i)).parameters.values()} for i in (ours, theirs)]
    assert signatures[0] == signatures[1]
    assert list(signatures[0]) == list(signatures[1])


def test_names(keras):
    names = [n for n in dir(keras.initializers) if not n.startswith("_") and n not in ("get", "serialize")]
    for name in names:
        if name in ("deserialize", "Initializer", "constant", "Constant"):  # Keras's constant has no default
            continue
        assert type(initializers.get(name)).__name__ == type(keras.initializers.get(name)).__name__
        assert getattr(initializers, name).__name__ == getattr(keras.initializers, name).__name__
    for alias in ("zero", "one", "normal", "uniform"):
        assert type(initializers.get(alias)).__name__ == type(keras.initializers.get(alias)).__name__
    for name in ("xavier", "he", "GLOROT_UNIFORM", "glorotuniform"):
        for library in (keras, pynn):
            with pytest.raises(ValueError, match=name):
                library.initializers.get(name)


@pytest.mark.parametrize(("name", "arguments", "shape"), [
    ("Identity", {"gain": 2.0}, (3, 5)), ("Constant", {"value": np.arange(3)}, (2, 3)), ("Zeros", {}, (2,)),
    ("Ones", {}, (2, 2)),
])  # fmt: skip
def test_fixed_values(keras, name, arguments, shape):
    theirs, ours = _both(keras, name, arguments)
    np.testing.assert_array_equal(ours(shape), np.asarray(theirs(shape)))


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("scaling", ["density", "spectrum", None])
@pytest.mark.parametrize(
    "window", ["hann", "hamming", "blackman", "nuttall", "blackmanharris", "boxcar", "cosine", "flattop", None]
)
def test_stft(keras, window, scaling, periodic):
    for side in ("real", "imag"):
        theirs, ours = _both(keras, "STFT", {"side": side, "window": window, "scaling": scaling, "periodic": periodic})
        for shape in ((8, 1, 5), (7, 1, 4)):
            np.testing.assert_allclose(ours(shape), np.asarray(theirs(shape)), atol=4e-6)
