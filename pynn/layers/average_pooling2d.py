"""Average pooling."""

from __future__ import annotations

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.conv2d import check_window_fits
from pynn.layers.pooling2d import Pooling2D
from pynn.utils.arrays import as_float


class AveragePooling2D(Pooling2D):
    """The mean of each window.

    Args:
        pool_size: the window, one number or (height, width).
        strides: step of the window; its own size by default.
        padding: ``"valid"`` or ``"same"``.

    Shapes:
        ``(batch, h, w, c)`` -> ``(batch, oh, ow, c)``.

    Example:
        >>> import numpy as np
        >>> x = np.arange(16.0).reshape(1, 4, 4, 1)
        >>> AveragePooling2D(2)(x)[0, :, :, 0]
        array([[ 2.5,  4.5],
               [10.5, 12.5]], dtype=float32)
    """

    def call(self, x: Value) -> Value:
        check_window_fits(f"layer '{self.name}'", x.shape, self.pool_size, self.padding)
        return ops.average_pool(as_float(x), self.pool_size, self.strides, self.padding)
