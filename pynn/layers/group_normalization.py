"""Group normalization."""

from __future__ import annotations

from typing import Any

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.layers.arguments import channels_at, integer_axis
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Shape
from pynn.layers.scaled_normalization import ScaledNormalization
from pynn.utils.arrays import as_float


class GroupNormalization(ScaledNormalization):
    """Gives every group of channels of every example mean 0 and variance 1, then scales and shifts each channel.

    It does the same while training and otherwise, and examples do not see each other.  (Wu and He, 2018.)

    Args:
        groups: number of groups; -1 for one per channel (instance normalization), 1 for one of all.
        axis: the channels' axis.
        epsilon: added to the variance.
        center, scale: whether there are ``beta`` and ``gamma``.
        beta_initializer, gamma_initializer: how they begin; likewise regularizers and constraints.

    Shapes:
        The result has the input's shape; ``gamma`` and ``beta`` are ``(channels,)``.

    Raises:
        ArgumentError: an argument is of the wrong kind.
        ShapeError: the number of channels is not a multiple of ``groups``.

    Example:
        >>> import numpy as np
        >>> y = GroupNormalization(2)(np.array([[1.0, 3.0, 10.0, 30.0]]))
        >>> bool(np.allclose(y, [[-1, 1, -1, 1]], atol=1e-3))
        True
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        where = f"layer '{self.name}'"
        if isinstance(groups, bool) or not isinstance(groups, int) or (groups < 1 and groups != -1):
            raise ArgumentError(f"{where}: groups must be a positive integer or -1, received {groups!r}")
        self.groups = groups
        self.axis = integer_axis(where, axis)
        self._take_scaling(locals())

    def build(self, input_shape: Shape) -> None:
        where = f"layer '{self.name}'"
        channels = channels_at(where, self.axis, input_shape)
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            raise ShapeError(
                f"{where}: the number of channels ({channels}) must be a multiple of groups ({self.groups}); "
                "choose other groups="
            )
        self._add_scaling((channels,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Value) -> Value:
        x = as_float(inputs)
        axis = self.axis % x.ndim
        in_group = x.shape[axis] // self.groups
        grouped = ops.reshape(x, (*x.shape[:axis], self.groups, in_group, *x.shape[axis + 1 :]))
        axes = tuple(i for i in range(1, grouped.ndim) if i != axis)
        centred = grouped - ops.mean(grouped, axis=axes, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=axes, keepdims=True)
        y = ops.reshape(centred * ops.rsqrt(variance + self.epsilon), x.shape)
        wide = [n if i == axis else 1 for i, n in enumerate(x.shape)]
        if self.gamma is not None:
            y = y * ops.reshape(self.gamma, wide)
        if self.beta is not None:
            y = y + ops.reshape(self.beta, wide)
        return y

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "groups": self.groups,
        }
