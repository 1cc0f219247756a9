"""Batch normalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import initializers, ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.layers.arguments import integer_axis, one_number
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Layer, Shape, refuse_unsupported
from pynn.utils.arrays import as_float


class BatchNormalization(Layer):
    """Gives every channel mean 0 and variance 1, then scales by ``gamma`` and shifts by ``beta``.

    While training it uses the batch's own statistics, which also move the averages that are used otherwise:
    ``moving = momentum * moving + (1 - momentum) * batch``.  With ``trainable = False`` it always uses the averages.
    (Ioffe and Szegedy, 2015.)

    Args:
        axis: the channels' axis.
        momentum: how slowly the moving averages follow.
        epsilon: added to the variance.
        center, scale: whether there are ``beta`` and ``gamma``.

    Shapes:
        The result has the input's shape; ``gamma``, ``beta`` and the two averages are ``(channels,)``.

    Example:
        >>> import numpy as np
        >>> x = np.array([[1.0, 10.0], [3.0, 30.0]])
        >>> y = BatchNormalization()(x, training=True)
        >>> bool(np.allclose(y, [[-1, -1], [1, 1]], atol=1e-3))
        True
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        where = f"layer '{self.name}'"
        refuse_unsupported(
            where,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            renorm=renorm or None,
            renorm_clipping=renorm_clipping,
            synchronized=synchronized or None,
        )
        self.axis = integer_axis(where, axis)
        self.momentum = one_number(where, "momentum", momentum)
        self.epsilon = one_number(where, "epsilon", epsilon)
        if not 0 <= self.momentum <= 1 or self.epsilon < 0:
            raise ArgumentError(
                f"{where}: momentum must lie between 0 and 1 and epsilon must not be negative, "
                f"received momentum={momentum!r}, epsilon={epsilon!r}"
            )
        self.center, self.scale = bool(center), bool(scale)
        self.renorm_momentum = renorm_momentum
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape: Shape) -> None:
        where, rank = f"layer '{self.name}'", len(input_shape)
        if rank < 2 or not -rank <= self.axis < rank or self.axis % rank == 0:
            raise ShapeError(
                f"{where}: axis {self.axis} is not a channel axis of an input of shape {tuple(input_shape)}"
            )
        channels = input_shape[self.axis]
        if channels is None:
            raise ShapeError(f"{where}: the length of axis {self.axis} must be known, received {tuple(input_shape)}")
        shape = (channels,)
        self.gamma = self.add_weight(shape, self.gamma_initializer, name="gamma") if self.scale else None
        self.beta = self.add_weight(shape, self.beta_initializer, name="beta") if self.center else None
        self.moving_mean = self.add_weight(shape, self.moving_mean_initializer, trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: channels})
        self.built = True

    def call(self, x: Value, training: bool = False, mask: Any = None) -> Value:
        refuse_unsupported(f"layer '{self.name}'", mask=mask)
        x = as_float(x)
        if not training or not self.trainable:
            return ops.batch_normalization(
                x, self.moving_mean, self.moving_variance, self.axis, self.beta, self.gamma, self.epsilon
            )
        channels = x.shape[self.axis]
        order = list(range(x.ndim))
        last = self.axis % x.ndim
        order[last], order[-1] = order[-1], order[last]  # a swap, so the same order swaps back
        gamma = self.gamma if self.gamma is not None else _filled(1.0, channels)
        beta = self.beta if self.beta is not None else _filled(0.0, channels)
        moved = last != x.ndim - 1
        y, mean, variance = ops.batch_norm_train(ops.transpose(x, order) if moved else x, gamma, beta, self.epsilon)
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            old = trace.current().read(moving)
            moving.assign(old * self.momentum + batch * (1.0 - self.momentum))
        return ops.transpose(y, order) if moved else y

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "beta_regularizer": None,
            "gamma_regularizer": None,
            "beta_constraint": None,
            "gamma_constraint": None,
            "synchronized": False,
            "renorm": False,
            "renorm_clipping": None,
            "renorm_momentum": self.renorm_momentum,
        }


def _filled(number: float, length: int) -> Value:
    return trace.current().constant(np.full(length, number), "float32")
