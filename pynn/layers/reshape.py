"""Reshape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.layers.layer import Layer


class Reshape(Layer):
    """Gives every sample another shape.

    Args:
        target_shape: without the batch axis; one length may be -1 and follows from the others.

    Example:
        >>> Reshape((2, -1))(np.ones((5, 6))).shape
        (5, 2, 3)
    """

    _stateless = True

    def __init__(self, target_shape: Sequence[int], **kwargs: Any):
        super().__init__(**kwargs)
        where = f"layer '{self.name}'"
        if not isinstance(target_shape, list | tuple) or any(
            isinstance(d, bool) or not isinstance(d, int | np.integer) or d < -1 for d in target_shape
        ):
            raise ArgumentError(f"{where}: target_shape must be a tuple of integers, received {target_shape!r}")
        if list(target_shape).count(-1) > 1:
            raise ArgumentError(f"{where}: target_shape may contain one -1 only, received {tuple(target_shape)}")
        self.target_shape = tuple(int(d) for d in target_shape)

    def call(self, x: Value) -> Value:
        size = math.prod(x.shape[1:])
        known = math.prod(d for d in self.target_shape if d != -1)
        fits = size == known if -1 not in self.target_shape else known > 0 and size % known == 0
        if not fits:
            raise ShapeError(
                f"layer '{self.name}': cannot give samples of shape {x.shape[1:]} ({size} numbers) the shape "
                f"{self.target_shape} ({known} numbers{' times -1' if -1 in self.target_shape else ''})"
            )
        shape = tuple(size // known if d == -1 else d for d in self.target_shape)
        return ops.reshape(x, (x.shape[0], *shape))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": self.target_shape}
