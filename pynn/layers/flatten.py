"""Flatten."""

from __future__ import annotations

import math
from typing import Any

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.arguments import image_order
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Layer


class Flatten(Layer):
    """All axes of a sample in one: ``(batch, h, w, c)`` -> ``(batch, h * w * c)``.

    Args:
        data_format: with ``"channels_first"`` inputs are ``(batch, c, h, w)``; the result is the same.

    Example:
        >>> import numpy as np
        >>> Flatten()(np.ones((2, 5, 5, 3))).shape
        (2, 75)
    """

    _stateless = True

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = image_order(f"layer '{self.name}'", data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, x: Value) -> Value:
        if self.data_format == "channels_first" and x.ndim > 2:  # the same order of numbers as with channels last
            x = ops.transpose(x, (0, *range(2, x.ndim), 1))
        return ops.reshape(x, (x.shape[0], math.prod(x.shape[1:])))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}
