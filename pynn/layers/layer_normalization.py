"""Layer normalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.arguments import axes_shape, integer_axes
from pynn.layers.layer import Shape, refuse_unsupported
from pynn.layers.scaled_normalization import ScaledNormalization
from pynn.utils.arrays import as_float


class LayerNormalization(ScaledNormalization):
    """Gives every position of every example mean 0 and variance 1, then scales by ``gamma`` and shifts by ``beta``.

    It does the same while training and otherwise, and examples do not see each other.  (Ba et al., 2016.)

    Args:
        axis: the axis or axes over which mean and variance are taken.
        epsilon: added to the variance.
        center, scale: whether there are ``beta`` and ``gamma``.
        beta_initializer, gamma_initializer: how they begin.

    Shapes:
        The result has the input's shape; ``gamma`` and ``beta`` have the lengths of the input's axes ``axis``.

    Raises:
        ArgumentError: an argument is of the wrong kind, or not supported.
        ShapeError: ``axis`` is none of the input's.

    Example:
        >>> import numpy as np
        >>> y = LayerNormalization()(np.array([[1.0, 3.0], [10.0, 30.0]]))
        >>> bool(np.allclose(y, [[-1, 1], [-1, 1]], atol=1e-3))
        True
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        rms_scaling: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        where = f"layer '{self.name}'"
        refuse_unsupported(where, rms_scaling=rms_scaling or None)
        self.axis = integer_axes(where, axis)
        self._take_scaling(locals())

    def build(self, input_shape: Shape) -> None:
        shape = axes_shape(f"layer '{self.name}'", self.axis, input_shape)
        # As in Keras, a built layer's axes are a list.
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        self._add_scaling(shape)
        self.built = True

    def call(self, x: Value) -> Value:
        return ops.layer_normalization(as_float(x), self.gamma, self.beta, self.axis, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rms_scaling": False,
        }
