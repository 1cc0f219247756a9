"""Leaky ReLU as a layer."""

from __future__ import annotations

import warnings
from typing import Any

from pynn import activations
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.layers.arguments import one_number
from pynn.layers.layer import Layer
from pynn.utils.callers import users_line


class LeakyReLU(Layer):
    """``x`` where positive, else ``negative_slope * x``.

    Example:
        >>> import numpy as np
        >>> LeakyReLU(0.5)(np.array([[-1.0, 2.0]]))
        array([[-0.5,  2. ]], dtype=float32)
    """

    _stateless = True
    supports_masking = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any):
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
            warnings.warn(
                "LeakyReLU(alpha=...) is the way of older Keras versions; write negative_slope=... instead",
                DeprecationWarning,
                stacklevel=users_line(),
            )
        super().__init__(**kwargs)
        if one_number(f"layer '{self.name}'", "negative_slope", negative_slope) < 0:
            raise ArgumentError(
                f"layer '{self.name}': negative_slope must not be negative, received {negative_slope!r}"
            )
        self.negative_slope = negative_slope

    def call(self, x: Value) -> Value:
        return activations.leaky_relu(x, self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "negative_slope": self.negative_slope}
