"""Layers that repeat steps, pixels or voxels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.arguments import choice, lengths
from pynn.layers.spatial import SpatialLayer
from pynn.utils.arrays import as_float


def _repeated(x: Value, times: Sequence[int]) -> Value:
    """Each position ``times[i]`` times along spatial axis ``i``."""
    n, *sizes, c = x.shape
    apart = [d for size in sizes for d in (size, 1)]
    wide = [d for size, t in zip(sizes, times, strict=True) for d in (size, t)]
    spread = ops.broadcast_to(ops.reshape(x, (n, *apart, c)), (n, *wide, c))
    return ops.reshape(spread, (n, *(size * t for size, t in zip(sizes, times, strict=True)), c))


class UpSampling1D(SpatialLayer):
    """Sequences whose every step comes ``size`` times.

    Example:
        >>> UpSampling1D(3)(np.ones((1, 4, 2))).shape
        (1, 12, 2)
    """

    _stateless = True
    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any):
        super().__init__("channels_last", **kwargs)
        (self.size,) = lengths(f"layer '{self.name}'", "size", size, 1)

    def compute(self, x: Value) -> Value:
        return _repeated(x, (self.size,))

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "size": self.size}
        del config["data_format"]
        return config


class UpSampling2D(SpatialLayer):
    """Images ``size`` times as large in both directions.

    Args:
        size: one number or (rows, columns).
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.
        interpolation: ``"nearest"`` repeats pixels; ``"bilinear"``, ``"bicubic"``, ``"lanczos3"`` and ``"lanczos5"``
            weight 2, 4, 6 or 10 neighbours in each direction.

    Example:
        >>> UpSampling2D((2, 3))(np.ones((1, 4, 4, 3))).shape
        (1, 8, 12, 3)
    """

    _stateless = True
    rank = 2

    def __init__(
        self,
        size: int | Sequence[int] = 2,
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ):
        super().__init__(data_format, **kwargs)
        where = f"layer '{self.name}'"
        self.size = lengths(where, "size", size, 2)
        self.interpolation = choice(where, "interpolation", interpolation, ("nearest", *_KERNELS))

    def compute(self, x: Value) -> Value:
        if self.interpolation == "nearest":
            return _repeated(x, self.size)
        h, w = x.shape[1:3]
        y = ops.einsum("ih,nhwc->niwc", _between(h, self.size[0], self.interpolation), as_float(x))
        return ops.einsum("jw,niwc->nijc", _between(w, self.size[1], self.interpolation), y)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "interpolation": self.interpolation}


class UpSampling3D(SpatialLayer):
    """Volumes ``size`` times as large in all directions.

    Args:
        size: one number or (depth, rows, columns).
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.

    Example:
        >>> UpSampling3D((1, 2, 3))(np.ones((1, 4, 4, 4, 3))).shape
        (1, 4, 8, 12, 3)
    """

    _stateless = True
    rank = 3

    def __init__(self, size: int | Sequence[int] = 2, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self.size = lengths(f"layer '{self.name}'", "size", size, 3)

    def compute(self, x: Value) -> Value:
        return _repeated(x, self.size)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


def _cubic(d: np.ndarray) -> np.ndarray:
    """Keys's cubic with a = -1/2."""
    near = (1.5 * d - 2.5) * d * d + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))


def _lanczos(d: np.ndarray, a: int) -> np.ndarray:
    return np.where(d < a, np.sinc(d) * np.sinc(d / a), 0.0)


#: The weight of a pixel whose centre is that many pixels away.
_KERNELS = {
    "bilinear": lambda d: np.maximum(0.0, 1.0 - d),
    "bicubic": _cubic,
    "lanczos3": lambda d: _lanczos(d, 3),
    "lanczos5": lambda d: _lanczos(d, 5),
}


def _between(length: int, times: int, interpolation: str) -> np.ndarray:
    """(length * times, length): how much of each pixel is in each of the interpolated ones.

    Result i lies at ``(i + 0.5) / times - 0.5`` among the pixels; weights beyond the border go to the others.
    """
    at = (np.arange(length * times) + 0.5) / times - 0.5
    weights = _KERNELS[interpolation](np.abs(at[:, None] - np.arange(length)))
    return (weights / weights.sum(axis=1, keepdims=True)).astype("float32")
