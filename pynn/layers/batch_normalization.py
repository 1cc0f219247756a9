"""Batch normalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import initializers, ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.layers.arguments import channels_at, integer_axis, one_number
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Shape, refuse_unsupported
from pynn.layers.scaled_normalization import ScaledNormalization
from pynn.utils.arrays import as_float

#: Keeps a batch that is masked altogether from dividing by 0.
_EPSILON = 1e-7


class BatchNormalization(ScaledNormalization):
    """Gives every channel mean 0 and variance 1, then scales by ``gamma`` and shifts by ``beta``.

    While training it uses the batch's own statistics, which also move the averages that are used otherwise:
    ``moving = momentum * moving + (1 - momentum) * batch``.  With ``trainable = False`` it always uses the averages.
    (Ioffe and Szegedy, 2015.)

    Args:
        axis: the channels' axis.
        momentum: how slowly the moving averages follow.
        epsilon: added to the variance.
        center, scale: whether there are ``beta`` and ``gamma``.
        synchronized: whether the batch is the whole one, also where several processes have a part of it each
            (:mod:`pynn.distribute`), whatever ``DataParallel(batch_norm=...)`` says.
        renorm: not supported.

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
        refuse_unsupported(where, renorm=renorm or None, renorm_clipping=renorm_clipping)
        self.synchronized = bool(synchronized)
        self.axis = integer_axis(where, axis)
        self.momentum = one_number(where, "momentum", momentum)
        if not 0 <= self.momentum <= 1:
            raise ArgumentError(f"{where}: momentum must lie between 0 and 1, received {momentum!r}")
        self._take_scaling(locals())
        self.renorm_momentum = renorm_momentum
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape: Shape) -> None:
        channels = channels_at(f"layer '{self.name}'", self.axis, input_shape)
        shape = (channels,)
        self._add_scaling(shape)
        self.moving_mean = self.add_weight(shape, self.moving_mean_initializer, trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})
        self.built = True

    def call(self, x: Value, training: bool = False, mask: Any = None) -> Value:
        x = as_float(x)
        if not training or not self.trainable:
            return ops.batch_normalization(
                x, self.moving_mean, self.moving_variance, self.axis, self.beta, self.gamma, self.epsilon
            )
        if mask is not None:
            return self._masked(x, mask)
        replica = trace.current().replica
        if replica is not None and (replica.synchronizes or self.synchronized):
            return self._synchronized_over(replica, x)
        channels = x.shape[self.axis]
        order = list(range(x.ndim))
        last = self.axis % x.ndim
        order[last], order[-1] = order[-1], order[last]  # a swap, so the same order swaps back
        gamma = self.gamma if self.gamma is not None else _filled(1.0, channels)
        beta = self.beta if self.beta is not None else _filled(0.0, channels)
        moved = last != x.ndim - 1
        y, mean, variance = ops.batch_norm_train(ops.transpose(x, order) if moved else x, gamma, beta, self.epsilon)
        self._move(mean, variance)
        return ops.transpose(y, order) if moved else y

    def _move(self, mean: Value, variance: Value) -> None:
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            old = trace.current().read(moving)
            moving.assign(old * self.momentum + batch * (1.0 - self.momentum))

    def _synchronized_over(self, replica: Any, x: Value) -> Value:
        """Training with the statistics of the rows of all processes."""
        others, wide = self._axes(x)
        mean = replica.mean(ops.mean(x, axis=others))
        variance = replica.mean(ops.mean(ops.square(x - ops.reshape(mean, wide)), axis=others))
        self._move(mean, variance)
        return ops.batch_normalization(x, mean, variance, self.axis, self.beta, self.gamma, self.epsilon)

    def _axes(self, x: Value) -> tuple[tuple[int, ...], list[int]]:
        """All axes but the channels', and the shape in which a number per channel broadcasts."""
        last = self.axis % x.ndim
        return tuple(i for i in range(x.ndim) if i != last), [n if i == last else 1 for i, n in enumerate(x.shape)]

    def _masked(self, x: Value, mask: Any) -> Value:
        """Training with a mask: statistics of the places that count only."""
        weights = ops.cast(mask, "float32")
        if weights.shape != x.shape[: weights.ndim]:
            raise ShapeError(
                f"layer '{self.name}': expected a mask of the first axes of the input {x.shape}, "
                f"received {weights.shape}"
            )
        weights = ops.reshape(weights, (*weights.shape, *[1] * (x.ndim - weights.ndim)))
        weights = ops.broadcast_to(weights, x.shape)
        others, wide = self._axes(x)
        replica = trace.current().replica
        if replica is not None and (replica.synchronizes or self.synchronized):
            total = lambda values: replica.mean(ops.mean(values, axis=others))  # noqa: E731
        else:
            total = lambda values: ops.sum(values, axis=others)  # noqa: E731
        count = total(weights) + _EPSILON  # (channels,)
        mean = total(x * weights) / count
        variance = total(ops.square(x - ops.reshape(mean, wide)) * weights) / count
        self._move(mean, variance)
        return ops.batch_normalization(x, mean, variance, self.axis, self.beta, self.gamma, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "synchronized": self.synchronized,
            "renorm": False,
            "renorm_clipping": None,
            "renorm_momentum": self.renorm_momentum,
        }


def _filled(number: float, length: int) -> Value:
    return trace.current().constant(np.full(length, number), "float32")
