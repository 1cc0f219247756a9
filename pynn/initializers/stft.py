"""Kernels of a convolution that computes a short-time Fourier transform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.initializers.base import Initializer, checked_shape

#: Windows that are sums of cosines: ``a_0 - a_1 cos(x) + a_2 cos(2 x) - ...`` for x from 0 to 2 pi (Harris, 1978).
_COSINE_SUMS: dict[str, tuple[float, ...]] = {
    "boxcar": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}


class STFT(Initializer):
    """The real or the imaginary part of a short-time Fourier transform, as the kernel of a ``Conv1D``.

    Column ``k`` of the kernel ``(frame length, 1, frequencies)`` holds ``cos(2 pi n k / N)`` (``real``) or
    ``-sin(2 pi n k / N)`` (``imag``), times the window; ``N = 2 * (frequencies - 1)``.

    Args:
        side: ``"real"`` or ``"imag"``.
        window: a name of ``scipy.signal.windows`` (hann, hamming, blackman ... need no SciPy), the window's numbers, or
            None for no window.
        scaling: divide the window by its length, ``"density"`` (root of the sum of squares) or ``"spectrum"`` (sum of
            sizes);
            or None.
        periodic: the window's first number would be the next after its last.

    Raises:
        ArgumentError: an unknown side, scaling or window, a window of another length than the frames, or a shape that
            is not that of a kernel with one channel.

    Example:
        >>> STFT("real", window=None)((4, 1, 3))[:, 0].round(3).tolist()
        [[1.0, 1.0, 1.0], [1.0, 0.0, -1.0], [1.0, -1.0, 1.0], [1.0, -0.0, -1.0]]
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ):
        if side not in ("real", "imag"):
            raise ArgumentError(f"STFT: side must be 'real' or 'imag', received {side!r}")
        if scaling not in (None, "density", "spectrum"):
            raise ArgumentError(f"STFT: scaling must be None, 'density' or 'spectrum', received scaling={scaling!r}")
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, bool(periodic)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> np.ndarray:
        shape, dtype = checked_shape(self, shape, dtype)
        if len(shape) != 3 or shape[1] != 1:
            raise ArgumentError(f"STFT: the shape must be (frame length, 1, frequencies), received {shape}")
        length, _, frequencies = shape
        n = np.arange(length)[:, None] * np.arange(frequencies)  # whole turns are multiples of 2 (frequencies - 1)
        angle = np.pi * n / max(frequencies - 1, 1)
        wave = np.cos(angle) if self.side == "real" else -np.sin(angle)
        return (wave * self._window(length)[:, None])[:, None, :].astype(dtype)

    def _window(self, length: int) -> np.ndarray:
        if self.window is None:
            return np.ones(length)
        window = self._named(length) if isinstance(self.window, str) else np.asarray(self.window, "float64")
        if window.shape != (length,):
            raise ArgumentError(f"STFT: the window must have the frames' length, {length}, received {window.shape}")
        if self.scaling == "density":
            return window / np.sqrt(np.sum(window**2))
        return window / np.abs(window).sum() if self.scaling == "spectrum" else window

    def _named(self, length: int) -> np.ndarray:
        if self.window in _COSINE_SUMS:
            x = 2 * np.pi * np.arange(length) / max(length if self.periodic else length - 1, 1)
            factors = _COSINE_SUMS[self.window]
            return np.sum([(-1) ** k * a * np.cos(k * x) for k, a in enumerate(factors)], axis=0)
        try:
            from scipy.signal import get_window

            return np.asarray(get_window(self.window, length, fftbins=self.periodic))
        except (ImportError, ValueError) as error:
            raise ArgumentError(
                f"STFT: unknown window {self.window!r} ({error}); give one of {', '.join(_COSINE_SUMS)}, another of "
                "scipy.signal.windows (with SciPy installed), or the window's numbers"
            ) from error

    def get_config(self) -> dict[str, Any]:
        own = {"side": self.side, "window": self.window, "periodic": self.periodic, "scaling": self.scaling}
        if isinstance(self.window, np.ndarray):
            from pynn.saving.serialization import serialize_keras_object

            own["window"] = serialize_keras_object(self.window)
        return own

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> STFT:
        """An initializer with these arguments."""
        from pynn.saving.serialization import deserialize_keras_object

        return cls(**{**config, "window": deserialize_keras_object(config.get("window"))})
