"""A penalty on what passes through."""

from __future__ import annotations

from typing import Any

from pynn import regularizers
from pynn.errors import ArgumentError
from pynn.layers.layer import Layer


class ActivityRegularization(Layer):
    """Gives its input, and adds ``(l1 * sum(|x|) + l2 * sum(x²)) / batch`` to the loss.

    Args:
        l1, l2: factors of the two penalties, from 0.

    Example:
        >>> import numpy as np
        >>> layer = ActivityRegularization(l1=0.5)
        >>> y = layer(np.array([[1.0, -2.0], [0.0, 1.0]]))
        >>> layer.losses
        [array(1., dtype=float32)]
    """

    _stateless = True
    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any):
        if kwargs.pop("activity_regularizer", None) is not None:
            raise ArgumentError("ActivityRegularization: give l1 and l2 in place of activity_regularizer")
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = l1, l2

    def call(self, inputs: Any) -> Any:
        return inputs

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("activity_regularizer")
        return {**config, "l1": self.l1, "l2": self.l2}
