"""Initializers that draw nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.initializers.base import Initializer, checked_number, checked_shape


class Zeros(Initializer):
    """All 0.

    Example:
        >>> from pynn import initializers
        >>> initializers.Zeros()((2,))
        array([0., 0.], dtype=float32)
    """

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> np.ndarray:
        return np.zeros(*checked_shape(self, shape, dtype))


class Ones(Initializer):
    """All 1.

    Example:
        >>> from pynn import initializers
        >>> initializers.Ones()((2,))
        array([1., 1.], dtype=float32)
    """

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> np.ndarray:
        return np.ones(*checked_shape(self, shape, dtype))


class Constant(Initializer):
    """All ``value``; an array is broadcast to the shape.

    Example:
        >>> from pynn import initializers
        >>> initializers.Constant(0.5)((2,))
        array([0.5, 0.5], dtype=float32)
    """

    def __init__(self, value: Any = 0.0):
        try:
            kind = np.asarray(value).dtype.kind
        except ValueError:  # rows of different lengths
            kind = "O"
        if kind not in "fiub":
            raise ArgumentError(f"Constant: value must be a number or an array of numbers, received {value!r}")
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> np.ndarray:
        shape, dtype = checked_shape(self, shape, dtype)
        try:
            return np.array(np.broadcast_to(np.asarray(self.value, dtype), shape))
        except ValueError:
            raise ArgumentError(
                f"Constant: value of shape {np.shape(self.value)} does not fit the weight's shape {shape}"
            ) from None

    def get_config(self) -> dict[str, Any]:
        from pynn.saving.serialization import serialize_keras_object

        return {"value": serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constant:
        """An initializer with this value."""
        from pynn.saving.serialization import deserialize_keras_object

        return cls(deserialize_keras_object(config.get("value", 0.0)))


class Identity(Initializer):
    """``gain`` on the diagonal of a matrix, 0 elsewhere.

    Example:
        >>> from pynn import initializers
        >>> initializers.Identity()((2, 2))
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0):
        self.gain = checked_number(self, "gain", gain)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> np.ndarray:
        shape, dtype = checked_shape(self, shape, dtype)
        if len(shape) != 2:
            raise ArgumentError(f"Identity: makes matrices only (2 axes), received shape {shape}")
        return (self.gain * np.eye(*shape)).astype(dtype)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}
