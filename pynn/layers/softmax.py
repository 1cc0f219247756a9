"""Softmax as a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import activations, ops
from pynn.errors import ShapeError
from pynn.graph.ir import Value
from pynn.layers.arguments import integer_axes
from pynn.layers.layer import Layer
from pynn.utils.arrays import as_float

#: What a place that does not count has before the exponential.
_LOWEST = -1e9


class Softmax(Layer):
    """``exp(x) / sum(exp(x))`` along ``axis``, one or several.

    With ``mask=``, places where it is false get 0.

    Example:
        >>> import numpy as np
        >>> Softmax()(np.array([[1.0, 1.0]]))
        array([[0.5, 0.5]], dtype=float32)
    """

    _stateless = True
    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = integer_axes(f"layer '{self.name}'", axis)

    def call(self, inputs: Value, mask: Any = None) -> Value:
        x = as_float(inputs)
        if mask is not None:
            counts = ops.cast(mask, "bool")
            if len(counts.shape) > x.ndim or any(
                m not in (1, n) for m, n in zip(counts.shape[::-1], x.shape[::-1], strict=False)
            ):
                raise ShapeError(
                    f"layer '{self.name}': expected a mask that can be stretched to the input {x.shape}, "
                    f"received {counts.shape}"
                )
            x = ops.where(counts, x, _LOWEST)
        y = self._softmax(x)
        return y if mask is None else ops.where(counts, y, 0.0)

    def _softmax(self, x: Value) -> Value:
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        if len(axes) == 1:
            return activations.softmax(x, axes[0])
        powers = ops.exp(x - ops.stop_gradient(ops.max(x, axis=tuple(axes), keepdims=True)))
        return powers / ops.sum(powers, axis=tuple(axes), keepdims=True)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
