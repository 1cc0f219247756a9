"""Rescaling of inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import settings
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.layers.layer import Layer
from pynn.utils.arrays import as_float


class Rescaling(Layer):
    """``x * scale + offset``, in training and in inference: ``Rescaling(1 / 255)`` makes pixels numbers from 0 to 1.

    Args:
        scale: a number, or one for each channel.
        offset: a number, or one for each channel.

    Example:
        >>> Rescaling(1 / 127.5, offset=-1)(np.array([[0, 255]], "uint8"))
        array([[-1.,  1.]], dtype=float32)
    """

    _stateless = True
    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale = self._numbers("scale", scale)
        self.offset = self._numbers("offset", offset)

    def _numbers(self, argument: str, value: Any) -> Any:
        """Plain Python numbers, as the config holds them."""
        try:
            array = np.asarray(value, np.float32)
        except (TypeError, ValueError):
            array = None
        if array is None or array.ndim > 3:
            raise ArgumentError(
                f"layer '{self.name}': {argument} must be a number or a list of them, received {value!r}"
            )
        return value.tolist() if isinstance(value, np.ndarray | np.generic) else value

    def call(self, x: Value) -> Value:
        x = as_float(x)
        scale = np.asarray(self.scale, np.float32)
        if scale.ndim and settings.image_data_format() == "channels_first":
            scale = scale.reshape(scale.shape + (1,) * (3 - scale.ndim))
        return x * as_value(scale, x.dtype) + as_value(np.asarray(self.offset, np.float32), x.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}
