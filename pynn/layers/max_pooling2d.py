"""Max pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.conv2d import check_window_fits
from pynn.layers.pooling2d import Pooling2D
from pynn.utils.arrays import as_float


class MaxPooling2D(Pooling2D):
    """The largest number of each window.

    Args:
        pool_size: the window, one number or (height, width).
        strides: step of the window; its own size by default.
        padding: ``"valid"`` or ``"same"``.

    Shapes:
        ``(batch, h, w, c)`` -> ``(batch, oh, ow, c)``.

    Example:
        >>> import numpy as np
        >>> x = np.arange(16.0).reshape(1, 4, 4, 1)
        >>> MaxPooling2D()(x)[0, :, :, 0]
        array([[ 5.,  7.],
               [13., 15.]], dtype=float32)
    """

    def __init__(
        self,
        pool_size: int | Sequence[int] = (2, 2),
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    def call(self, x: Value) -> Value:
        check_window_fits(f"layer '{self.name}'", x.shape, self.pool_size, self.padding)
        return ops.max_pool(as_float(x), self.pool_size, self.strides, self.padding)
