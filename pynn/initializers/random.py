"""Initializers that draw from one distribution, whatever the weight's size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.initializers.base import RandomInitializer, checked_number, checked_shape


def truncated_normal(rng: np.random.Generator, shape: Sequence[int], mean: float, stddev: float) -> np.ndarray:
    """Normal numbers; those further than two standard deviations from the mean are drawn again."""
    x = rng.standard_normal(tuple(shape))
    while (far := np.abs(x) > 2).any():
        x[far] = rng.standard_normal(int(far.sum()))
    return mean + stddev * x


class RandomNormal(RandomInitializer):
    """Normal distribution.

    Example:
        >>> from pynn import initializers
        >>> w = initializers.RandomNormal(mean=2.0, stddev=0.1, seed=1)((100, 100))
        >>> round(float(w.mean()), 2), round(float(w.std()), 2)
        (2.0, 0.1)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None):
        super().__init__(seed)
        self.mean, self.stddev = checked_number(self, "mean", mean), checked_number(self, "stddev", stddev)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> np.ndarray:
        shape, dtype = checked_shape(self, shape, dtype)
        return (self.mean + self.stddev * self.rng().standard_normal(shape)).astype(dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    """Normal distribution without what lies further than two standard deviations from the mean.

    Example:
        >>> from pynn import initializers
        >>> w = initializers.TruncatedNormal(stddev=0.1, seed=1)((100, 100))
        >>> bool(abs(w).max() <= 0.2)
        True
    """

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> np.ndarray:
        shape, dtype = checked_shape(self, shape, dtype)
        return truncated_normal(self.rng(), shape, self.mean, self.stddev).astype(dtype)


class RandomUniform(RandomInitializer):
    """Uniform distribution over ``[minval, maxval)``.

    Example:
        >>> from pynn import initializers
        >>> w = initializers.RandomUniform(-1.0, 1.0, seed=1)((100, 100))
        >>> bool(w.min() >= -1 and w.max() < 1)
        True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None):
        super().__init__(seed)
        self.minval, self.maxval = checked_number(self, "minval", minval), checked_number(self, "maxval", maxval)
        if self.minval > self.maxval:
            raise ArgumentError(f"RandomUniform: minval must not be above maxval, received {minval!r} and {maxval!r}")

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> np.ndarray:
        shape, dtype = checked_shape(self, shape, dtype)
        return self.rng().uniform(self.minval, self.maxval, shape).astype(dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


class Orthogonal(RandomInitializer):
    """A random matrix whose rows (or columns, if there are fewer of them) are orthogonal and of length ``gain``.

    A weight of more than two axes is seen as a matrix ``(product of all axes but the last, last axis)``.

    Example:
        >>> from pynn import initializers
        >>> w = initializers.Orthogonal(seed=1)((3, 3))
        >>> abs(w @ w.T).round(3)
        array([[1., 0., 0.],
               [0., 1., 0.],
               [0., 0., 1.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None):
        super().__init__(seed)
        self.gain = checked_number(self, "gain", gain)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> np.ndarray:
        shape, dtype = checked_shape(self, shape, dtype)
        if len(shape) < 2:
            raise ArgumentError(f"Orthogonal: the weight must have at least 2 axes, received shape {shape}")
        rows, cols = int(np.prod(shape[:-1])), shape[-1]
        q, r = np.linalg.qr(self.rng().standard_normal((max(rows, cols), min(rows, cols))))
        # Without this choice of signs, q would not be uniform over all orthogonal matrices.
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
        return (self.gain * (q if rows >= cols else q.T)).reshape(shape).astype(dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gain": self.gain}
