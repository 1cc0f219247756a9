"""ELU as a layer."""

from __future__ import annotations

from typing import Any

from pynn import activations
from pynn.graph.ir import Value
from pynn.layers.arguments import one_number
from pynn.layers.layer import Layer


class ELU(Layer):
    """``x`` where positive, else ``alpha * (exp(x) - 1)``.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> layers.ELU()(np.array([-1.0, 2.0])).round(3)
        array([-0.632,  2.   ], dtype=float32)
    """

    _stateless = True
    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.alpha = one_number(f"layer '{self.name}'", "alpha", alpha)

    def call(self, x: Value) -> Value:
        return activations.elu(x, self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}
