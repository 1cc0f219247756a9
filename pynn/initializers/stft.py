"""Kernels of a convolution that computes a short-time Fourier transform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.initializers.base import Initializer, checked_shape
from pynn.utils.windows import window_values


class STFT(Initializer):
    """The real or the imaginary half of the Fourier transform of windows of a signal.

    For a kernel ``(length, 1, bins)``: ``w[n] cos(2 pi n k / N)``, or ``-w[n] sin(2 pi n k / N)``, N = 2 (bins - 1).

    Args:
        side: ``"real"`` or ``"imag"``.
        window: ``"hann"``, ``"hamming"`` or another name (see :func:`pynn.utils.windows.window_values`), the weights
            themselves, or None for none.
        scaling: ``"density"`` divides by the root of the sum of the window's squares, ``"spectrum"`` by the sum of its
            absolute values; None does neither.
        periodic: whether the window is one period of a longer one, rather than symmetric.

    Example:
        >>> STFT("real", window=None, scaling=None)((4, 1, 3))[:, 0].round(6) + 0.0
        array([[ 1.,  1.,  1.],
               [ 1.,  0., -1.],
               [ 1., -1.,  1.],
               [ 1.,  0., -1.]], dtype=float32)
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ):
        if side not in ("real", "imag"):
            raise ArgumentError(f"STFT: side must be 'real' or 'imag', received {side!r}")
        if scaling not in ("density", "spectrum", None):
            raise ArgumentError(f"STFT: scaling must be 'density', 'spectrum' or None, received {scaling!r}")
        if isinstance(window, str):
            window_values("STFT", window, 4, periodic)  # an unknown name is an error here
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, bool(periodic)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> np.ndarray:
        shape, dtype = checked_shape(self, shape, dtype)
        if len(shape) != 3 or shape[1] != 1 or shape[2] < 2:
            raise ArgumentError(f"STFT: makes kernels (length, 1, bins) with at least 2 bins, received shape {shape}")
        length, _, bins = shape
        weights = window_values("STFT", self.window, length, self.periodic)
        if self.window is not None and self.scaling is not None:
            weights = weights / (np.sqrt(np.sum(weights**2)) if self.scaling == "density" else np.abs(weights).sum())
        turns = np.pi / (bins - 1) * np.outer(np.arange(length), np.arange(bins))
        wave = np.cos(turns) if self.side == "real" else -np.sin(turns)
        return (weights[:, None] * wave).reshape(shape).astype(dtype)

    def get_config(self) -> dict[str, Any]:
        from pynn.saving.serialization import serialize_keras_object

        window = serialize_keras_object(self.window)
        return {"side": self.side, "window": window, "periodic": self.periodic, "scaling": self.scaling}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> STFT:
        """An initializer with this window, which may be an array."""
        from pynn.saving.serialization import deserialize_keras_object

        return cls(**{**config, "window": deserialize_keras_object(config.get("window", "hann"))})
