"""Layers that blur and sharpen images at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.layers.arguments import lengths
from pynn.layers.image_layer import RandomImageLayer, number_range
from pynn.layers.random_colors import value_pair

#: A pixel weighs 5, its neighbours 1: the smoothing of Pillow's ``ImageEnhance.Sharpness``.
_SMOOTHING = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], "float32") / 13


def _filtered(x: Value, kernel: Any) -> Value:
    """Each channel of ``(n, h, w, c)`` with the same kernel ``(rows, columns)``, zeros around the images."""
    rows, columns = kernel.shape
    kernel = ops.broadcast_to(ops.reshape(kernel, (rows, columns, 1, 1)), (rows, columns, x.shape[-1], 1))
    return ops.depthwise_conv(x, kernel, padding="same", data_format="channels_last")


class RandomSharpness(RandomImageLayer):
    """While training, makes each image blurred or sharper, by a random factor.

    ``smooth + 2 f (x - smooth)``, kept within ``value_range``, where ``smooth`` is the image blurred by 3 x 3 pixels.

    Args:
        factor: (lower, upper) of f from 0 to 1: 0 is blurred, 0.5 leaves the image, 1 is sharper; one number f is
            (0, f).
        value_range: (lowest, highest) of a pixel.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.
        seed: for the same factors in every run.

    Example:
        >>> RandomSharpness(0.9)(np.ones((2, 8, 8, 3)), training=True).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Any,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        where = f"layer '{self.name}'"
        self.factor = number_range(where, "factor", factor, 0, 1, lowest=0)
        self.value_range = sorted(value_pair(where, value_range))

    def decide(self, x: Value) -> Value:
        return self.draw((x.shape[0], 1, 1, 1), *self.factor)

    def augment(self, x: Value, decided: Any) -> Value:
        smooth = _filtered(x, _SMOOTHING)
        return ops.clip(smooth + (x - smooth) * (decided * 2.0), *self.value_range)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


class RandomGaussianBlur(RandomImageLayer):
    """While training, blurs images with a Gaussian bell of a random width.

    Args:
        factor: (lower, upper) of the probability that an image is blurred, from 0 to 1; one number f is (0, f).
        kernel_size: how many pixels are mixed, an odd number, or a pair (width, height).
        sigma: (lower, upper) of the bell's standard deviation in pixels, from 0 to 1; one number s is (0, s).  As in
            Keras one is drawn for the columns and one for the rows of all images of a batch.
        value_range: (lowest, highest) of a pixel.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.
        seed: for the same numbers in every run.

    Example:
        >>> RandomGaussianBlur(kernel_size=5)(np.ones((2, 8, 8, 3)), training=True).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        where = f"layer '{self.name}'"
        self.factor = number_range(where, "factor", factor, 0, 1, lowest=0)
        self.kernel_size = lengths(where, "kernel_size", kernel_size, 2)
        if any(k % 2 == 0 for k in self.kernel_size):
            raise ArgumentError(f"{where}: kernel_size must be odd, received {kernel_size!r}")
        self.sigma = number_range(where, "sigma", sigma, 0, 1, lowest=0)
        self.value_range = value_pair(where, value_range)

    def decide(self, x: Value) -> tuple[Value, Value]:
        columns, rows = (self._bell(size) for size in self.kernel_size)
        return self.chosen(x.shape[0], self.factor), ops.expand_dims(rows, 1) * columns

    def _bell(self, size: int) -> Value:
        """``size`` weights whose sum is 1."""
        distances = np.arange(size, dtype="float32") - size // 2
        sigma = ops.maximum(self.draw((1,), *self.sigma), 1e-6)
        weights = ops.exp(ops.square(distances / sigma) * -0.5)
        return weights / ops.sum(weights)

    def augment(self, x: Value, decided: Any) -> Value:
        blurred, kernel = decided
        return ops.clip(ops.where(blurred, _filtered(x, kernel), x), *self.value_range)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "factor": self.factor,
            "kernel_size": self.kernel_size,
            "sigma": self.sigma,
            "value_range": self.value_range,
        }
