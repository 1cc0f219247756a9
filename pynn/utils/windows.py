"""Windows: weights that let a piece of a signal fade in and out."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.errors import ArgumentError

#: Name -> coefficients of ``a0 - a1 cos t + a2 cos 2t``, t from 0 to a full turn.
_COSINE_SUMS = {"boxcar": (1.0,), "hann": (0.5, 0.5), "hamming": (0.54, 0.46), "blackman": (0.42, 0.5, 0.08)}


def window_values(where: str, window: Any, length: int, periodic: bool) -> np.ndarray:
    """``length`` weights.

    Args:
        where: names the caller in errors.
        window: ``"hann"``, ``"hamming"``, ``"blackman"``, ``"boxcar"``, or any name of ``scipy.signal.windows`` if
            SciPy is installed; the weights themselves; None for all 1.
        periodic: the last weight is the one before the first, of the next period; else the first again.

    Raises:
        ArgumentError: an unknown name, or weights of another length.

    Example:
        >>> window_values("here", "hann", 4, periodic=True)
        array([0. , 0.5, 1. , 0.5])
    """
    if window is None:
        return np.ones(length)
    if not isinstance(window, str):
        values = np.asarray(window, "float64")
        if values.shape != (length,):
            raise ArgumentError(f"{where}: window must have {length} weights, received shape {values.shape}")
        return values
    if window not in _COSINE_SUMS:
        return _from_scipy(where, window, length, periodic)
    turn = 2 * np.pi * np.arange(length) / max(length if periodic else length - 1, 1)
    terms = [(-1) ** k * a * np.cos(k * turn) for k, a in enumerate(_COSINE_SUMS[window])]
    return np.ones(1) if length == 1 else np.sum(terms, axis=0)


def _from_scipy(where: str, name: str, length: int, periodic: bool) -> np.ndarray:
    try:
        from scipy.signal import get_window
    except ImportError:
        raise ArgumentError(
            f"{where}: window must be {', '.join(map(repr, _COSINE_SUMS))}, weights or None, received {name!r}; "
            "with SciPy installed all windows of scipy.signal.windows are known"
        ) from None
    try:
        return np.asarray(get_window(name, length, fftbins=periodic))
    except ValueError as error:
        raise ArgumentError(f"{where}: unknown window {name!r}: {error}") from None
