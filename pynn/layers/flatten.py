"""Flatten."""

from __future__ import annotations

import math
from typing import Any

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.arguments import channels_last
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Layer


class Flatten(Layer):
    """All axes of a sample in one: ``(batch, h, w, c)`` -> ``(batch, h * w * c)``.

    Example:
        >>> import numpy as np
        >>> Flatten()(np.ones((2, 5, 5, 3))).shape
        (2, 75)
    """

    _stateless = True

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = channels_last(f"layer '{self.name}'", data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, x: Value) -> Value:
        return ops.reshape(x, (x.shape[0], math.prod(x.shape[1:])))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}
