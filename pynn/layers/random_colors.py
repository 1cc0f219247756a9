"""Layers that change the colours of images at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.layers.arguments import one_number
from pynn.layers.image_layer import RandomImageLayer, number_range


def _values(where: str, value: Any) -> Sequence[float]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ArgumentError(f"{where}: value_range must be a pair of numbers, received {value!r}")
    for v in value:
        one_number(where, "value_range", v)
    return value


class RandomBrightness(RandomImageLayer):
    """While training, adds a random number to each image, and keeps the results within ``value_range``.

    Args:
        factor: (lower, upper) of the number as a fraction of ``value_range``, from -1 to 1; one number f is (-f, f).
        value_range: (lowest, highest) of a pixel.
        seed: for the same numbers in every run.

    Example:
        >>> import numpy as np
        >>> RandomBrightness((0.2, 0.2))(np.full((1, 1, 2), 100.0), training=True)[0, 0]
        array([151., 151.], dtype=float32)
    """

    def __init__(self, factor: Any, value_range: Sequence[float] = (0, 255), seed: int | None = None, **kwargs: Any):
        super().__init__(seed=seed, **kwargs)
        where = f"layer '{self.name}'"
        self.factor = number_range(where, "factor", factor, -1, 1)
        self.value_range = sorted(_values(where, value_range))

    def augment(self, x: Value) -> Value:
        lowest, highest = self.value_range
        delta = self.draw((x.shape[0], 1, 1, 1), *self.factor) * float(highest - lowest)
        return ops.clip(x + delta, lowest, highest)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


class RandomContrast(RandomImageLayer):
    """While training, moves the pixels of each image away from its mean or towards it, by a random factor.

    ``(x - mean) * factor + mean``, with the mean of each channel of each image, kept within ``value_range``.

    Args:
        factor: (lower, upper) from 0 to 1: the random factor lies between ``1 - lower`` and ``1 + upper``; one number
            f is (0, f).
        value_range: (lowest, highest) of a pixel.
        seed: for the same numbers in every run.

    Example:
        >>> import numpy as np
        >>> RandomContrast(0.5)(np.ones((2, 4, 4, 3)), training=True).shape
        (2, 4, 4, 3)
    """

    def __init__(self, factor: Any, value_range: Sequence[float] = (0, 255), seed: int | None = None, **kwargs: Any):
        super().__init__(seed=seed, **kwargs)
        self.factor = number_range(f"layer '{self.name}'", "factor", factor, 0, 1, lowest=0)
        self.value_range = _values(f"layer '{self.name}'", value_range)

    def augment(self, x: Value) -> Value:
        factor = self.draw((x.shape[0], 1, 1, 1), 1.0 - self.factor[0], 1.0 + self.factor[1])
        mean = ops.mean(x, axis=(1, 2), keepdims=True)
        return ops.clip((x - mean) * factor + mean, *self.value_range)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}
