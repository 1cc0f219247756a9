"""MelSpectrogram against NumPy's Fourier transform; inside of models; errors."""

import numpy as np
import pytest

from pynn import Input, Sequential, layers
from pynn.errors import ArgumentError

SIGNAL = np.random.default_rng(0).normal(size=(2, 900)).astype("float32")
SMALL = {"fft_length": 64, "sequence_stride": 40, "sampling_rate": 8000, "num_mel_bins": 12}


def spectrogram(x, window, exponent):
    x = np.pad(x, ((0, 0), (32, 32)), mode="reflect")
    frames = np.stack([x[:, i : i + 64] for i in range(0, x.shape[1] - 63, 40)], 1)
    return np.abs(np.fft.rfft(frames * window)) ** exponent


@pytest.mark.parametrize("exponent", [1.0, 2.0])
def test_powers_of_pitches(exponent):
    layer = layers.MelSpectrogram(**SMALL, power_to_db=False, mag_exp=exponent)
    window = np.hanning(65)[:-1]
    powers = spectrogram(SIGNAL, window, exponent)
    mel = 1127 * np.log1p(np.linspace(0, 4000, 33) / 700)
    edges = np.linspace(1127 * np.log1p(20 / 700), 1127 * np.log1p(4000 / 700), 14)
    triangles = np.stack([np.interp(mel, edges[i : i + 3], [0, 1, 0]) for i in range(12)], -1)
    expected = np.swapaxes(powers @ triangles, 1, 2)
    np.testing.assert_allclose(np.array(layer(SIGNAL)), expected, rtol=1e-3, atol=1e-3)


def test_decibels_and_a_window_of_ones_own():
    window = np.linspace(0.1, 1, 40)
    power = np.array(layers.MelSpectrogram(**SMALL, sequence_length=40, window=window, power_to_db=False)(SIGNAL))
    layer = layers.MelSpectrogram(**SMALL, sequence_length=40, window=window, ref_power=4.0, top_db=15)
    decibels = 10 * np.log10(power / 4)
    np.testing.assert_allclose(np.array(layer(SIGNAL)), np.maximum(decibels, decibels.max() - 15), atol=1e-3)
    again = layers.MelSpectrogram.from_config(layer.get_config())
    np.testing.assert_array_equal(np.array(again(SIGNAL)), np.array(layer(SIGNAL)))


def test_in_a_model():
    hear = layers.MelSpectrogram(**SMALL)
    model = Sequential([Input((900,)), hear, layers.Flatten(), layers.Dense(1)])
    assert model.layers[0].output.shape == (None, 12, 23)
    model.compile("sgd", "mse")
    model.fit(SIGNAL, np.zeros((2, 1)), verbose=0)
    assert hear(SIGNAL[0]).shape == (12, 23)
    np.testing.assert_allclose(
        np.array(hear((SIGNAL * 100).astype("int32"))).max(), 40 + np.array(hear(SIGNAL)).max(), atol=0.2
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fft_length": 64, "sequence_length": 65}, "sequence_length must be at most fft_length=64"),
        ({"window": "triangle"}, "window must be 'hann', 'hamming'"),
        ({"window": [1.0, 2.0]}, "window must have 2048 weights"),
        ({"num_mel_bins": 0}, "num_mel_bins must be a positive integer"),
        ({"max_freq": 10.0}, "min_freq and max_freq must rise"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        layers.MelSpectrogram(**arguments)
