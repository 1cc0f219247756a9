"""Global average pooling."""

from __future__ import annotations

from typing import Any

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.arguments import channels_last
from pynn.layers.conv2d import IMAGE_SPEC
from pynn.layers.layer import Layer
from pynn.utils.arrays import as_float


class GlobalAveragePooling2D(Layer):
    """The mean of each channel over the whole image.

    Args:
        keepdims: keep height and width as axes of length 1.

    Shapes:
        ``(batch, h, w, c)`` -> ``(batch, c)``.

    Example:
        >>> import numpy as np
        >>> GlobalAveragePooling2D()(np.ones((2, 7, 7, 3))).shape
        (2, 3)
    """

    _stateless = True

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = channels_last(f"layer '{self.name}'", data_format)
        self.keepdims = bool(keepdims)
        self.input_spec = IMAGE_SPEC

    def call(self, x: Value) -> Value:
        return ops.mean(as_float(x), axis=(1, 2), keepdims=self.keepdims)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}
