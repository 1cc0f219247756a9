"""Sound as a picture of its pitches over time."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.layers.arguments import one_number, positive_int
from pynn.layers.layer import Layer
from pynn.utils.arrays import as_float
from pynn.utils.windows import window_values


class MelSpectrogram(Layer):
    """How strong each of ``num_mel_bins`` pitches is over time, in decibels.

    Short-time Fourier transform of the signal (mirrored at its ends), its power summed in triangles that are equally
    wide on the mel scale, ``1127 log(1 + f / 700)``, and the logarithm of that.

    Args:
        fft_length: samples in one transform.
        sequence_stride: samples from one transform to the next.
        sequence_length: samples under the window, in the middle of the transform; ``fft_length`` by default.
        window: ``"hann"``, ``"hamming"``, the weights themselves, or None for none.
        sampling_rate: samples in a second.
        num_mel_bins: how many pitches.
        min_freq, max_freq: Hertz; the highest is half of ``sampling_rate`` by default.
        power_to_db: give ``10 log10(power / ref_power)``.
        top_db: what is weaker than the strongest of all by more than this many decibels is lifted to there.
        mag_exp: 2 sums powers, 1 magnitudes.
        min_power: the least power that decibels are made of.
        ref_power: the power of 0 decibels.

    Shapes:
        ``(batch, samples)`` -> ``(batch, num_mel_bins, times)``, or the same without a batch.

    Example:
        >>> tone = np.sin(np.arange(8000) * 2 * np.pi * 440 / 8000)
        >>> picture = MelSpectrogram(fft_length=512, sequence_stride=256, sampling_rate=8000, num_mel_bins=32)(tone)
        >>> picture.shape, int(picture.mean(-1).argmax())
        ((32, 32), 7)
    """

    _stateless = True

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        where = f"layer '{self.name}'"
        self.fft_length = positive_int(where, "fft_length", fft_length)
        self.sequence_stride = positive_int(where, "sequence_stride", sequence_stride)
        self.sequence_length = positive_int(where, "sequence_length", sequence_length or fft_length)
        if self.sequence_length > self.fft_length:
            raise ArgumentError(
                f"{where}: sequence_length must be at most fft_length={fft_length}, received {sequence_length}"
            )
        if isinstance(window, str) and window not in ("hann", "hamming"):
            raise ArgumentError(f"{where}: window must be 'hann', 'hamming', weights or None, received {window!r}")
        self.window = window
        self.sampling_rate = positive_int(where, "sampling_rate", sampling_rate)
        self.num_mel_bins = positive_int(where, "num_mel_bins", num_mel_bins)
        self.min_freq = one_number(where, "min_freq", min_freq)
        self.max_freq = one_number(where, "max_freq", max_freq or int(self.sampling_rate / 2))
        if not 0 <= self.min_freq < self.max_freq:
            raise ArgumentError(
                f"{where}: min_freq and max_freq must rise from 0 on, received {min_freq!r} and {self.max_freq!r}"
            )
        self.power_to_db = bool(power_to_db)
        self.top_db, self.mag_exp = one_number(where, "top_db", top_db), one_number(where, "mag_exp", mag_exp)
        self.min_power = one_number(where, "min_power", min_power)
        self.ref_power = one_number(where, "ref_power", ref_power)
        self._fourier = self._waves()

    def _waves(self) -> np.ndarray:
        """(fft_length, 2 bins): the window times cosines, and times sines."""
        weights = window_values(f"layer '{self.name}'", self.window, self.sequence_length, periodic=True)
        before = (self.fft_length - self.sequence_length) // 2
        weights = np.pad(weights, (before, self.fft_length - self.sequence_length - before))
        bins = self.fft_length // 2 + 1
        turns = 2 * np.pi / self.fft_length * np.outer(np.arange(self.fft_length), np.arange(bins))
        waves = np.concatenate([np.cos(turns), np.sin(turns)], axis=1)
        return (weights[:, None] * waves).astype("float32")

    def _triangles(self) -> np.ndarray:
        """(bins, num_mel_bins): how much of each frequency is in each pitch; frequency 0 in none."""
        frequencies = np.linspace(0, self.sampling_rate / 2, self.fft_length // 2 + 1)
        edges = np.linspace(_mel(self.min_freq), _mel(self.max_freq), self.num_mel_bins + 2)
        left, middle, right = edges[:-2], edges[1:-1], edges[2:]
        at = _mel(frequencies)[:, None]
        weights = np.maximum(0, np.minimum((at - left) / (middle - left), (right - at) / (right - middle)))
        weights[0] = 0
        return weights.astype("float32")

    def call(self, inputs: Value) -> Value:
        x = as_float(inputs)
        if x.ndim < 1 or x.shape[-1] < 2:
            raise ShapeError(f"layer '{self.name}': expected a signal (..., samples), received shape {x.shape}")
        samples, half = x.shape[-1], self.fft_length // 2
        # Which sample stands at each place of the mirrored signal.
        mirrored = np.pad(np.arange(samples), (half, half), mode="reflect")
        times = 1 + (len(mirrored) - self.fft_length) // self.sequence_stride
        starts = self.sequence_stride * np.arange(times)[:, None]
        places = mirrored[starts + np.arange(self.fft_length)].astype("int32")  # (times, fft_length)
        waves = ops.matmul(ops.take(x, as_value(places), axis=-1), as_value(self._fourier))
        real, imaginary = ops.split(waves, 2, axis=-1)
        power = ops.square(real) + ops.square(imaginary)
        if self.mag_exp != 2:
            power = ops.power(power, self.mag_exp / 2)
        heard = ops.swapaxes(ops.matmul(power, as_value(self._triangles())), -1, -2)
        return self._decibels(heard) if self.power_to_db else heard

    def _decibels(self, power: Value) -> Value:
        decibels = ops.log(ops.maximum(power, self.min_power)) * (10 / np.log(10))
        decibels = decibels - 10 * float(np.log10(max(self.ref_power, self.min_power)))
        return ops.maximum(decibels, ops.max(decibels) - self.top_db)

    def get_config(self) -> dict[str, Any]:
        plain = self.window is None or isinstance(self.window, str)
        return {
            **super().get_config(),
            "fft_length": self.fft_length,
            "sequence_stride": self.sequence_stride,
            "sequence_length": self.sequence_length,
            "window": self.window if plain else np.asarray(self.window).tolist(),
            "sampling_rate": self.sampling_rate,
            "num_mel_bins": self.num_mel_bins,
            "min_freq": self.min_freq,
            "max_freq": self.max_freq,
            "power_to_db": self.power_to_db,
            "top_db": self.top_db,
            "mag_exp": self.mag_exp,
            "min_power": self.min_power,
            "ref_power": self.ref_power,
        }


def _mel(frequency: Any) -> Any:
    return 1127.0 * np.log1p(np.asarray(frequency) / 700.0)
