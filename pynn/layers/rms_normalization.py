"""RMS normalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.arguments import axes_shape, epsilon_number, integer_axes
from pynn.layers.layer import Layer, Shape
from pynn.utils.arrays import as_float


class RMSNormalization(Layer):
    """Gives every position of every example mean square 1, then multiplies by ``scale``.

    Like layer normalization without subtracting the mean and without an offset.  (Zhang and Sennrich, 2019.)

    Args:
        axis: the axis or axes over which the mean square is taken.
        epsilon: added to the mean square.

    Shapes:
        The result has the input's shape; ``scale`` has the lengths of the input's axes ``axis``.

    Raises:
        ArgumentError: an argument is of the wrong kind.
        ShapeError: ``axis`` is none of the input's.

    Example:
        >>> import numpy as np
        >>> y = RMSNormalization()(np.array([[3.0, 4.0]]))
        >>> bool(np.allclose(y, [[3 / 12.5**0.5, 4 / 12.5**0.5]]))
        True
    """

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any):
        super().__init__(**kwargs)
        where = f"layer '{self.name}'"
        self.axis = integer_axes(where, axis)
        self.epsilon = epsilon_number(where, epsilon)

    def build(self, input_shape: Shape) -> None:
        shape = axes_shape(f"layer '{self.name}'", self.axis, input_shape)
        # As in Keras, a built layer's axes are a list.
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        self.scale = self.add_weight(shape, "ones", name="scale")
        self.built = True

    def call(self, x: Value) -> Value:
        return ops.rms_normalization(as_float(x), self.scale, self.axis, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
