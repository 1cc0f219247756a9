"""Layers that disturb their input while training: noise that is added, multiplied, or keeps mean and variance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.layers.arguments import one_number, rate_number
from pynn.layers.layer import Layer
from pynn.layers.seed_generator import SeedGenerator
from pynn.utils.arrays import as_float


class Noise(Layer):
    """Base: ``call`` gives the input outside of training, else what ``_disturb(x)`` makes of it."""

    _stateless = True
    supports_masking = True

    def __init__(self, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Value, training: bool = False) -> Value:
        return self._disturb(as_float(inputs)) if training and self._strength() else inputs

    def _strength(self) -> float:
        raise NotImplementedError(f"layer '{self.name}': class {type(self).__name__} must define _strength()")

    def _disturb(self, x: Value) -> Value:
        raise NotImplementedError(f"layer '{self.name}': class {type(self).__name__} must define _disturb()")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


class GaussianNoise(Noise):
    """While training, adds normal noise with mean 0.

    Args:
        stddev: the noise's standard deviation, from 0.
        seed: for the same numbers in every run.

    Example:
        >>> import numpy as np
        >>> layer = GaussianNoise(0.1, seed=1)
        >>> y = layer(np.zeros((100, 100)), training=True)
        >>> round(float(y.std()), 2)
        0.1
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any):
        super().__init__(seed, **kwargs)
        if one_number(f"layer '{self.name}'", "stddev", stddev) < 0:
            raise ArgumentError(f"layer '{self.name}': stddev must not be negative, received {stddev!r}")
        self.stddev = stddev

    def _strength(self) -> float:
        return self.stddev

    def _disturb(self, x: Value) -> Value:
        return x + ops.random_normal(x.shape, self.seed_generator.next(), 0.0, self.stddev)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev}


class GaussianDropout(Noise):
    """While training, multiplies by normal noise with mean 1 and variance ``rate / (1 - rate)``, as dropout has.

    Args:
        rate: from 0 to below 1.
        seed: for the same numbers in every run.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> layers.GaussianDropout(0.2, seed=1)(np.ones((2, 3)))  # changes values only in training
        array([[1., 1., 1.],
               [1., 1., 1.]], dtype=float32)
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any):
        super().__init__(seed, **kwargs)
        self.rate = rate_number(f"layer '{self.name}'", rate)
        if rate == 1:
            raise ArgumentError(f"layer '{self.name}': rate must be below 1, received {rate!r}")

    def _strength(self) -> float:
        return self.rate

    def _disturb(self, x: Value) -> Value:
        stddev = (self.rate / (1.0 - self.rate)) ** 0.5
        return x * ops.random_normal(x.shape, self.seed_generator.next(), 1.0, stddev)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}


#: What SELU tends to for very negative numbers.
_SATURATED = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946


class AlphaDropout(Noise):
    """Dropout for networks of SELUs: keeps mean and variance of inputs with mean 0 and variance 1.

    Dropped numbers become SELU's negative limit, and the result is scaled and shifted.  (Klambauer et al., 2017.)

    Args:
        rate: fraction to drop, from 0 to below 1.
        noise_shape: shape of the decisions; None stands for the input's length there, 1 shares one along the axis.
        seed: for the same numbers in every run.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> layers.AlphaDropout(0.2, seed=1)(np.ones((2, 3)))  # changes values only in training
        array([[1., 1., 1.],
               [1., 1., 1.]], dtype=float32)
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed, **kwargs)
        self.rate = rate_number(f"layer '{self.name}'", rate)
        if self.rate == 1:
            raise ArgumentError(
                f"layer '{self.name}': rate must be below 1, received {rate!r}: nothing would be left whose mean and "
                "variance could be kept"
            )
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)

    def _strength(self) -> float:
        return self.rate

    def _disturb(self, x: Value) -> Value:
        shape = concrete_noise_shape(self.name, self.noise_shape, x.shape)
        drawn = ops.random_uniform(shape, self.seed_generator.next())
        kept = ops.cast(ops.greater_equal(drawn, self.rate), "float32")
        scale = ((1 - self.rate) * (1 + self.rate * _SATURATED**2)) ** -0.5
        return (x * kept + _SATURATED * (1.0 - kept)) * scale - scale * _SATURATED * self.rate

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape}


def concrete_noise_shape(layer: str, noise_shape: Sequence[int | None] | None, shape: Sequence[int]) -> tuple[int, ...]:
    """``noise_shape`` with the input's lengths in place of None."""
    if noise_shape is None:
        return tuple(shape)
    if len(noise_shape) != len(shape):
        raise ArgumentError(
            f"layer '{layer}': noise_shape {tuple(noise_shape)} must have as many axes as the input {tuple(shape)}"
        )
    return tuple(n if d is None else d for d, n in zip(noise_shape, shape, strict=True))
