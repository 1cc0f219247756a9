"""An activation as a layer of its own."""

from __future__ import annotations

from typing import Any

from pynn import activations
from pynn.graph.ir import Value
from pynn.layers.layer import Layer


class Activation(Layer):
    """Applies an activation function.

    Args:
        activation: name, or function written in ``pynn.ops``.

    Example:
        >>> import numpy as np
        >>> Activation("relu")(np.array([[-1.0, 2.0]]))
        array([[0., 2.]], dtype=float32)
    """

    _stateless = True
    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, x: Value) -> Value:
        return self.activation(x)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}
