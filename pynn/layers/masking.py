"""Where the mask of a sequence of vectors begins."""

from __future__ import annotations

from typing import Any

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.arguments import one_number
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Layer
from pynn.utils.arrays import as_float


class Masking(Layer):
    """Steps whose numbers are all ``mask_value`` are padding: they become 0 and get no place in the mask.

    Args:
        mask_value: what padding is made of.

    Shapes:
        ``(batch, steps, ..., features)`` -> the same; the mask is ``(batch, steps, ...)``.

    Example:
        >>> import numpy as np
        >>> y = Masking(9.0)(np.array([[[1.0, 9.0], [9.0, 9.0]]]))
        >>> y
        array([[[1., 9.],
                [0., 0.]]], dtype=float32)
        >>> y._keras_mask
        array([[ True, False]])
    """

    _stateless = True
    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.mask_value = one_number(f"layer '{self.name}'", "mask_value", mask_value)
        self.input_spec = InputSpec(min_ndim=2, hint="sequences are (batch, steps, features)")

    def call(self, inputs: Value) -> Value:
        counts = ops.expand_dims(self.compute_mask(inputs), -1)
        return ops.where(counts, as_float(inputs), 0.0)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Where some number of a step is not ``mask_value``."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mask_value": self.mask_value}
