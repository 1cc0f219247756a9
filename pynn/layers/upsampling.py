"""Layers that repeat steps, pixels or voxels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.arguments import choice, lengths
from pynn.layers.spatial import SpatialLayer
from pynn.ops.image_sampling import INTERPOLATIONS, resize_images
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
        >>> import numpy as np
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
        >>> import numpy as np
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
        self.interpolation = choice(where, "interpolation", interpolation, INTERPOLATIONS)

    def compute(self, x: Value) -> Value:
        if self.interpolation == "nearest":
            return _repeated(x, self.size)
        h, w = x.shape[1:3]
        return resize_images(as_float(x), (h * self.size[0], w * self.size[1]), self.interpolation)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "interpolation": self.interpolation}


class UpSampling3D(SpatialLayer):
    """Volumes ``size`` times as large in all directions.

    Args:
        size: one number or (depth, rows, columns).
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.

    Example:
        >>> import numpy as np
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
