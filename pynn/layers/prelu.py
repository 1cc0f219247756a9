"""ReLU with a learned slope."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Shape
from pynn.layers.weight_options import WeightOptions
from pynn.utils.arrays import as_float


class PReLU(WeightOptions):
    """``x`` where positive, else ``alpha * x`` with a learned ``alpha`` for each place of a sample.  (He et al., 2015.)

    Args:
        alpha_initializer: how the slopes begin.
        alpha_regularizer, alpha_constraint: a penalty on them, and what they must satisfy.
        shared_axes: axes along which one slope is shared: ``[1, 2]`` gives images one per channel.

    Raises:
        ArgumentError: ``shared_axes`` are no axes of a sample.
        ShapeError: the input's shape is not known.

    Example:
        >>> import numpy as np
        >>> PReLU("ones")(np.array([[-1.0, 2.0]]))
        array([[-1.,  2.]], dtype=float32)
    """

    supports_masking = True
    roles = ("alpha",)

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self._take_options(locals())
        self.shared_axes: list[int] | None = None
        if shared_axes is not None:
            axes: list[Any] = list(shared_axes) if isinstance(shared_axes, list | tuple) else [shared_axes]
            if not all(isinstance(a, int) and a > 0 for a in axes):
                raise ArgumentError(
                    f"layer '{self.name}': shared_axes must be axes of a sample, counted from 1, "
                    f"received {shared_axes!r}"
                )
            self.shared_axes = axes

    def build(self, input_shape: Shape) -> None:
        shared = self.shared_axes or []
        if any(axis >= len(input_shape) for axis in shared):
            raise ShapeError(
                f"layer '{self.name}': shared_axes {shared} are not all axes of an input of shape {tuple(input_shape)}"
            )
        shape = [1 if axis in shared else n for axis, n in enumerate(input_shape) if axis]
        if None in shape:
            raise ShapeError(
                f"layer '{self.name}': every length of a sample must be known or in shared_axes, "
                f"received {tuple(input_shape)}"
            )
        self.alpha = self._add_weight_of("alpha", shape)
        own = {axis: n for axis, n in enumerate(input_shape) if axis and axis not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=own if shared else {})

    def call(self, inputs: Value) -> Value:
        x = as_float(inputs)
        return ops.relu(x) - self.alpha * ops.relu(-x)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **self._options_config(),
            "shared_axes": self.shared_axes,
        }
