"""Vectors of length 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.arguments import axes_shape, integer_axes
from pynn.layers.layer import Layer, Shape
from pynn.utils.arrays import as_float


class UnitNormalization(Layer):
    """Divides every example by its length, taken over ``axis``, so that the squares sum to 1.

    Args:
        axis: the axis or axes over which lengths are taken.

    Raises:
        ArgumentError: ``axis`` is not an integer or a list of integers.
        ShapeError: ``axis`` is none of the input's.

    Example:
        >>> import numpy as np
        >>> UnitNormalization()(np.array([[3.0, 4.0]]))
        array([[0.6, 0.8]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = integer_axes(f"layer '{self.name}'", axis)

    def build(self, input_shape: Shape) -> None:
        known = [1 if n is None else n for n in input_shape]  # lengths do not matter, only that the axes are there
        axes_shape(f"layer '{self.name}'", self.axis, known)

    def call(self, inputs: Value) -> Value:
        x = as_float(inputs)
        axes = self.axis if isinstance(self.axis, int) else tuple(self.axis)
        return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=axes, keepdims=True), 1e-24))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
