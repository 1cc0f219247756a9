"""The base of layers that change images without weights, and of those that do so at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.layers.arguments import image_order
from pynn.layers.layer import Layer
from pynn.layers.seed_generator import SeedGenerator
from pynn.utils.arrays import as_float


class ImageLayer(Layer):
    """Base of layers for one image or a batch of them, ``(h, w, c)`` or ``(batch, h, w, c)``; of any numbers.

    A subclass defines ``transform``, which sees a batch of float images with the channels last.
    """

    _stateless = True

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = image_order(f"layer '{self.name}'", data_format)

    def transform(self, x: Value, training: bool) -> Value:
        """The layer's formula for ``(batch, h, w, c)``."""
        raise NotImplementedError(f"layer '{self.name}': class {type(self).__name__} must define transform()")

    def call(self, x: Value, training: bool = True) -> Value:
        if x.ndim not in (3, 4):
            raise ShapeError(
                f"layer '{self.name}': expected an image (height, width, channels) or a batch of images, "
                f"received shape {x.shape}"
            )
        y = as_float(x)
        if x.ndim == 3:
            y = ops.expand_dims(y, 0)
        if self.data_format == "channels_first":
            y = ops.transpose(self.transform(ops.transpose(y, (0, 2, 3, 1)), training), (0, 3, 1, 2))
        else:
            y = self.transform(y, training)
        return ops.squeeze(y, 0) if x.ndim == 3 else y

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


class RandomImageLayer(ImageLayer):
    """Base of layers that change images at random while training, and leave them as they are in inference.

    Called by itself a layer augments, as in Keras; in a model it does so in ``fit`` alone.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def augment(self, x: Value) -> Value:
        """Other images of the same shape, ``(batch, h, w, c)``."""
        raise NotImplementedError(f"layer '{self.name}': class {type(self).__name__} must define augment()")

    def transform(self, x: Value, training: bool) -> Value:
        return self.augment(x) if training else x

    def draw(self, shape: Sequence[int], low: float, high: float) -> Value:
        """New numbers for each step, uniform between ``low`` and ``high``, which may be equal."""
        if low == high:
            return ops.broadcast_to(as_value(float(low)), shape)
        return ops.random_uniform(shape, self.seed_generator.next(), low, high)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


def number_range(
    where: str, argument: str, value: Any, least: float, most: float, lowest: float | None = None
) -> tuple[float, float]:
    """(lower, upper) from a pair, or from one number f for (-f, f), cut off at ``lowest``.

    Raises:
        ArgumentError: it is neither, or numbers are outside of ``least`` .. ``most``.
    """
    several = isinstance(value, list | tuple)
    values = list(value) if several else [value]
    numbers = all(isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in values)
    if not numbers or len(values) != (2 if several else 1) or not all(least <= v <= most for v in values):
        raise ArgumentError(
            f"{where}: {argument} must be a number or a pair of numbers from {least} to {most}, received {value!r}"
        )
    if several:
        lower, upper = sorted(values)
        return lower, upper
    return max(-abs(value), -np.inf if lowest is None else lowest), abs(value)
