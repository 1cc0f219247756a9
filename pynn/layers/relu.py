"""ReLU with its options, as a layer."""

from __future__ import annotations

from typing import Any

from pynn import activations
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.layers.arguments import one_number
from pynn.layers.layer import Layer


class ReLU(Layer):
    """``x`` above ``threshold``, else ``negative_slope * (x - threshold)``; at most ``max_value``.

    Example:
        >>> import numpy as np
        >>> ReLU(max_value=6.0)(np.array([[-1.0, 2.0, 9.0]]))
        array([[0., 2., 6.]], dtype=float32)
    """

    _stateless = True
    supports_masking = True

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        for argument, value in (
            ("max_value", 0 if max_value is None else max_value),
            ("negative_slope", negative_slope),
            ("threshold", threshold),
        ):
            if one_number(f"layer '{self.name}'", argument, value) < 0:
                raise ArgumentError(f"layer '{self.name}': {argument} must not be negative, received {value!r}")
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold

    def call(self, x: Value) -> Value:
        return activations.relu(x, self.negative_slope, self.max_value, self.threshold)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }
