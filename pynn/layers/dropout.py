"""Dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.layers.arguments import rate_number
from pynn.layers.layer import Layer
from pynn.layers.noise import concrete_noise_shape
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
        self.rate = rate_number(f"layer '{self.name}'", rate)
        self.seed = seed
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, x: Value, training: bool = False) -> Value:
        if not training or self.rate == 0:
            return x
        x = as_float(x)
        state = self.seed_generator.next()
        shape = self._mask_shape(x.shape)
        if shape == x.shape:
            return ops.dropout(x, self.rate, state)
        ones = trace.as_value(1.0)
        mask = ops.dropout(ops.broadcast_to(ones, shape), self.rate, state)
        return x * mask

    def _mask_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The decisions' shape for an input of this shape."""
        return concrete_noise_shape(self.name, self.noise_shape, shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
            "noise_shape": self.noise_shape,
        }
