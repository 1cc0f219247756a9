"""A layer that does nothing."""

from __future__ import annotations

from typing import Any

from pynn.layers.layer import Layer


class Identity(Layer):
    """Gives its input, whatever it is: a placeholder, or a name for a place in a model.

    Example:
        >>> import numpy as np
        >>> Identity()(np.array([[1.0, 2.0]]))
        array([[1., 2.]], dtype=float32)
    """

    _stateless = True
    supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs
