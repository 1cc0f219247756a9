"""Softmax as a layer."""

from __future__ import annotations

from typing import Any

from pynn import activations
from pynn.graph.ir import Value
from pynn.layers.arguments import integer_axis
from pynn.layers.layer import Layer


class Softmax(Layer):
    """``exp(x) / sum(exp(x))`` along ``axis``.

    Example:
        >>> import numpy as np
        >>> Softmax()(np.array([[1.0, 1.0]]))
        array([[0.5, 0.5]], dtype=float32)
    """

    _stateless = True
    supports_masking = True

    def __init__(self, axis: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = integer_axis(f"layer '{self.name}'", axis)

    def call(self, x: Value) -> Value:
        return activations.softmax(x, self.axis)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
