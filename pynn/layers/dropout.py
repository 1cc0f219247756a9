"""Dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.layers.layer import Layer
from pynn.layers.seed_generator import SeedGenerator
from pynn.utils.arrays import as_float


class Dropout(Layer):
    """While training, sets a fraction ``rate`` of the numbers to 0 and scales the others by ``1 / (1 - rate)``.

    Args:
        rate: fraction to drop, from 0 to 1.
        noise_shape: shape of the mask, e.g. ``(None, 1, 1, channels)`` to drop whole channels; None stands for the
            input's length there, 1 shares one decision along the axis.
        seed: for the same numbers in every run; by default drawn from the global seed.

    Example:
        >>> import numpy as np
        >>> layer = Dropout(0.5, seed=1)
        >>> layer(np.ones((1, 3)))  # outside of training nothing is dropped
        array([[1., 1., 1.]], dtype=float32)
        >>> sorted(set(layer(np.ones((1, 100)), training=True)[0].tolist()))
        [0.0, 2.0]
    """

    _stateless = True
    supports_masking = True

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise ArgumentError(f"layer '{self.name}': rate must be a number from 0 to 1, received {rate!r}")
        self.rate = rate
        self.seed = seed
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, x: Value, training: bool = False) -> Value:
        if not training or self.rate == 0:
            return x
        x = as_float(x)
        state = self.seed_generator.next()
        if self.noise_shape is None:
            return ops.dropout(x, self.rate, state)
        if len(self.noise_shape) != x.ndim:
            raise ArgumentError(
                f"layer '{self.name}': noise_shape {self.noise_shape} must have as many axes as the input {x.shape}"
            )
        shape = tuple(n if d is None else d for d, n in zip(self.noise_shape, x.shape, strict=True))
        ones = trace.as_value(1.0)
        mask = ops.dropout(ops.broadcast_to(ones, shape), self.rate, state)
        return x * mask

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
            "noise_shape": self.noise_shape,
        }
