"""Global maximum pooling."""

from __future__ import annotations

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.global_average_pooling2d import GlobalAveragePooling2D
from pynn.utils.arrays import as_float


class GlobalMaxPooling2D(GlobalAveragePooling2D):
    """The largest number of each channel over the whole image.

    Args:
        keepdims: keep height and width as axes of length 1.

    Shapes:
        ``(batch, h, w, c)`` -> ``(batch, c)``.

    Example:
        >>> import numpy as np
        >>> GlobalMaxPooling2D()(np.ones((2, 7, 7, 3))).shape
        (2, 3)
    """

    def call(self, x: Value) -> Value:
        return ops.max(as_float(x), axis=(1, 2), keepdims=self.keepdims)
