"""Layers that put zeros around images, cut their borders off, or repeat their pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.layers.arguments import channels_last, choice, pair
from pynn.layers.conv2d import IMAGE_SPEC
from pynn.layers.layer import Layer
from pynn.utils.arrays import as_float

Sides = tuple[tuple[int, int], tuple[int, int]]


def _sides(where: str, argument: str, value: Any) -> Sides:
    """((top, bottom), (left, right)) from one number, two, or four."""

    def whole(n: Any) -> bool:
        return isinstance(n, int | np.integer) and not isinstance(n, bool) and bool(n >= 0)

    rows = (value, value) if whole(value) else value
    if isinstance(rows, list | tuple) and len(rows) == 2:
        sides = [(side, side) if whole(side) else side for side in rows]
        if all(isinstance(s, list | tuple) and len(s) == 2 and whole(s[0]) and whole(s[1]) for s in sides):
            return (int(sides[0][0]), int(sides[0][1])), (int(sides[1][0]), int(sides[1][1]))
    raise ArgumentError(
        f"{where}: {argument} must be a number, (rows, columns) or ((top, bottom), (left, right)), received {value!r}"
    )


class ZeroPadding2D(Layer):
    """Zeros around images.

    Args:
        padding: one number, (rows, columns), or ((top, bottom), (left, right)).

    Example:
        >>> ZeroPadding2D(((0, 1), (2, 0)))(np.ones((1, 4, 4, 3))).shape
        (1, 5, 6, 3)
    """

    _stateless = True

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.padding = _sides(f"layer '{self.name}'", "padding", padding)
        self.data_format = channels_last(f"layer '{self.name}'", data_format)
        self.input_spec = IMAGE_SPEC

    def call(self, x: Value) -> Value:
        return ops.pad(as_float(x), ((0, 0), *self.padding, (0, 0)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding, "data_format": self.data_format}


class Cropping2D(Layer):
    """Images without their borders.

    Args:
        cropping: one number, (rows, columns), or ((top, bottom), (left, right)).

    Example:
        >>> Cropping2D(1)(np.ones((1, 4, 5, 3))).shape
        (1, 2, 3, 3)
    """

    _stateless = True

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.cropping = _sides(f"layer '{self.name}'", "cropping", cropping)
        self.data_format = channels_last(f"layer '{self.name}'", data_format)
        self.input_spec = IMAGE_SPEC

    def call(self, x: Value) -> Value:
        n, h, w, c = x.shape
        (top, bottom), (left, right) = self.cropping
        if h <= top + bottom or w <= left + right:
            raise ShapeError(f"layer '{self.name}': cropping {self.cropping} leaves nothing of images of {h} x {w}")
        return ops.slice(as_float(x), (0, top, left, 0), (n, h - top - bottom, w - left - right, c))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cropping": self.cropping, "data_format": self.data_format}


class UpSampling2D(Layer):
    """Images ``size`` times as large in both directions.

    Args:
        size: one number or (rows, columns).
        interpolation: ``"nearest"``, or ``"bilinear"``: between the pixels' centres along straight lines.

    Example:
        >>> UpSampling2D((2, 3))(np.ones((1, 4, 4, 3))).shape
        (1, 8, 12, 3)
    """

    _stateless = True

    def __init__(
        self,
        size: int | Sequence[int] = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        where = f"layer '{self.name}'"
        self.size = pair(where, "size", size)
        self.data_format = channels_last(where, data_format)
        self.interpolation = choice(where, "interpolation", interpolation, ("nearest", "bilinear"))
        self.input_spec = IMAGE_SPEC

    def call(self, x: Value) -> Value:
        n, h, w, c = x.shape
        rows, columns = self.size
        if self.interpolation == "bilinear":
            y = ops.einsum("ih,nhwc->niwc", _between(h, rows), as_float(x))
            return ops.einsum("jw,niwc->nijc", _between(w, columns), y)
        spread = ops.broadcast_to(ops.reshape(as_float(x), (n, h, 1, w, 1, c)), (n, h, rows, w, columns, c))
        return ops.reshape(spread, (n, h * rows, w * columns, c))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "size": self.size,
            "data_format": self.data_format,
            "interpolation": self.interpolation,
        }


def _between(length: int, times: int) -> np.ndarray:
    """(length * times, length): how much of each pixel is in each of the interpolated ones.

    Result i lies at ``(i + 0.5) / times - 0.5`` among the pixels; those beyond the border are the border.
    """
    at = np.clip((np.arange(length * times) + 0.5) / times - 0.5, 0, length - 1)
    return np.maximum(0.0, 1.0 - np.abs(at[:, None] - np.arange(length))).astype("float32")
