"""Layer normalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import constraints, initializers, ops, regularizers
from pynn.graph.ir import Value
from pynn.layers.arguments import axes_shape, epsilon_number, integer_axes
from pynn.layers.layer import Layer, Shape, refuse_unsupported
from pynn.layers.scale_and_offset import scale_and_offset
from pynn.utils.arrays import as_float


class LayerNormalization(Layer):
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
        ArgumentError: an argument is of the wrong kind, or not supported (regularizers, constraints).
        ShapeError: ``axis`` is none of the input's.

    Example:
        >>> import numpy as np
        >>> y = LayerNormalization()(np.array([[1.0, 3.0], [10.0, 30.0]]))
        >>> bool(np.allclose(y, [[-1, 1], [-1, 1]], atol=1e-3))
        True
    """

    supports_masking = True

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
        refuse_unsupported(
            where,
            rms_scaling=rms_scaling or None,
        )
        self.axis = integer_axes(where, axis)
        self.epsilon = epsilon_number(where, epsilon)
        self.center, self.scale = bool(center), bool(scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def build(self, input_shape: Shape) -> None:
        shape = axes_shape(f"layer '{self.name}'", self.axis, input_shape)
        # As in Keras, a built layer's axes are a list.
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        self.gamma, self.beta = scale_and_offset(self, shape)
        self.built = True

    def call(self, x: Value) -> Value:
        return ops.layer_normalization(as_float(x), self.gamma, self.beta, self.axis, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "rms_scaling": False,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }
