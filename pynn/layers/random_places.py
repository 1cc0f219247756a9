"""Layers that flip, move, turn and zoom images at random."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.arguments import choice, one_number
from pynn.layers.image_layer import RandomImageLayer, number_range
from pynn.ops.image_sampling import FILL_MODES, affine_images, read_pixels
from pynn.utils.arrays import as_float

_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


class RandomFlip(RandomImageLayer):
    """While training, flips every second image, on average.

    Args:
        mode: ``"horizontal"`` (left and right change places), ``"vertical"``, or ``"horizontal_and_vertical"``: an
            image is flipped in both directions or in none, as in Keras.
        seed: for the same flips in every run.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.

    Example:
        >>> RandomFlip("horizontal")(np.ones((2, 4, 4, 3)), training=True).shape
        (2, 4, 4, 3)
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.mode = choice(f"layer '{self.name}'", "mode", mode, _MODES)

    def decide(self, x: Value) -> Value:
        return ops.cast(ops.less_equal(self.draw((x.shape[0], 1), 0.0, 1.0), 0.5), "float32")

    def augment(self, x: Value, decided: Any) -> Value:
        flipped, (h, w) = decided, x.shape[1:3]
        rows, columns = (v.reshape(1, -1).astype("float32") for v in np.mgrid[:h, :w])
        # Of k places, place i becomes k - 1 - i.
        down = rows + flipped * ((h - 1 - 2 * rows) * float("vertical" in self.mode))
        across = columns + flipped * ((w - 1 - 2 * columns) * float("horizontal" in self.mode))
        return ops.reshape(read_pixels(x, down, across), x.shape)

    def augment_masks(self, masks: Value, decided: Any) -> Value:
        return self.augment(as_float(masks), decided)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mode": self.mode}


class RandomAffine(RandomImageLayer):
    """Base of layers that read images at other places, which ``places`` draws."""

    def __init__(
        self,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        where = f"layer '{self.name}'"
        self.fill_mode = choice(where, "fill_mode", fill_mode, FILL_MODES)
        self.interpolation = choice(where, "interpolation", interpolation, ("nearest", "bilinear"))
        self.fill_value = one_number(where, "fill_value", fill_value)

    def places(self, n: int, h: int, w: int) -> tuple[Any, Any, Any, Any, Any, Any]:
        """``a0, a1, a2, b0, b1, b2``: pixel (x, y) of the result is the image at
        ``(a0 x + a1 y + a2, b0 x + b1 y + b2)``."""
        raise NotImplementedError(f"layer '{self.name}': class {type(self).__name__} must define places()")

    def decide(self, x: Value) -> Any:
        return self.places(*x.shape[:3])

    def augment(self, x: Value, decided: Any) -> Value:
        return affine_images(x, decided, self.interpolation, self.fill_mode, self.fill_value)

    def augment_masks(self, masks: Value, decided: Any) -> Value:
        moved = affine_images(as_float(masks), decided, "nearest", self.fill_mode, self.fill_value)
        return ops.cast(moved, masks.dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "fill_mode": self.fill_mode,
            "interpolation": self.interpolation,
            "fill_value": self.fill_value,
        }


class RandomTranslation(RandomAffine):
    """While training, moves each image down and to the right by random distances.

    Args:
        height_factor: (lower, upper) of the distance down as a fraction of the height, from -1 to 1; one number f is
            (-f, f).
        width_factor: the same for the distance to the right.
        fill_mode: what comes in from outside: ``"reflect"`` (c b a | a b c), ``"wrap"``, ``"nearest"`` or
            ``"constant"`` (``fill_value``).
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: for the same distances in every run.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.

    Example:
        >>> RandomTranslation(0.1, 0.2)(np.ones((2, 8, 8, 3)), training=True).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height = number_range(f"layer '{self.name}'", "height_factor", height_factor, -1, 1)
        self._width = number_range(f"layer '{self.name}'", "width_factor", width_factor, -1, 1)

    def places(self, n: int, h: int, w: int) -> tuple[Any, Any, Any, Any, Any, Any]:
        down = self.draw((n, 1), *self._height) * float(h)
        right = self.draw((n, 1), *self._width) * float(w)
        return 1.0, 0.0, -right, 0.0, 1.0, -down

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor}


class RandomRotation(RandomAffine):
    """While training, turns each image around its middle by a random angle.

    Args:
        factor: (lower, upper) of the angle, counterclockwise, as a fraction of a full turn, from -1 to 1; one number
            f is (-f, f).

    The other arguments are those of :class:`RandomTranslation`.

    Example:
        >>> RandomRotation((0.25, 0.25))(np.arange(4.0).reshape(2, 2, 1), training=True)[..., 0].round(4)
        array([[1., 3.],
               [0., 2.]], dtype=float32)
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor = number_range(f"layer '{self.name}'", "factor", factor, -1, 1)

    def places(self, n: int, h: int, w: int) -> tuple[Any, Any, Any, Any, Any, Any]:
        lower, upper = (2 * math.pi * f for f in self.factor)
        angle = self.draw((n, 1), lower, upper)
        cos, sin = ops.cos(angle), ops.sin(angle)
        x, y = (w - 1) / 2, (h - 1) / 2  # the middle
        return cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


class RandomZoom(RandomAffine):
    """While training, makes what each image shows smaller or larger, by random factors.

    Args:
        height_factor: (lower, upper) from -1 to 1; one number f is (-f, f).  With 0.2 a window of 1.2 times the
            height is shown (things become smaller), with -0.2 one of 0.8 times.
        width_factor: the same for the width; None keeps the ratio of height to width.

    The other arguments are those of :class:`RandomTranslation`.

    Example:
        >>> RandomZoom(0.2)(np.ones((2, 8, 8, 3)), training=True).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        where = f"layer '{self.name}'"
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height = number_range(where, "height_factor", height_factor, -1, 1)
        self._width = None if width_factor is None else number_range(where, "width_factor", width_factor, -1, 1)

    def places(self, n: int, h: int, w: int) -> tuple[Any, Any, Any, Any, Any, Any]:
        down = self.draw((n, 1), 1 + self._height[0], 1 + self._height[1])
        across = down if self._width is None else self.draw((n, 1), 1 + self._width[0], 1 + self._width[1])
        return across, 0.0, (w - 1) / 2 * (1.0 - across), 0.0, down, (h - 1) / 2 * (1.0 - down)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor}


class RandomShear(RandomAffine):
    """While training, slants each image: rows move sideways by more the further down they are, or columns.

    Args:
        x_factor: (lower, upper) from 0 to 1 of how far a row moves against the one above it; one number f is
            (-f, f).
        y_factor: the same for columns.  Half of the images are slanted to the other side, in both directions.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_mode: what comes in from outside: see :class:`RandomTranslation`.
        fill_value: with ``fill_mode="constant"``.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.
        seed: for the same factors in every run.

    Example:
        >>> RandomShear(0.2)(np.ones((2, 8, 8, 3)), training=True).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        where = f"layer '{self.name}'"
        # What from_config() gives back of a single number is a pair.
        self.x_factor, self.y_factor = (
            value if _is_mirrored(value) else number_range(where, argument, value, 0, 1)
            for argument, value in (("x_factor", x_factor), ("y_factor", y_factor))
        )

    def places(self, n: int, h: int, w: int) -> tuple[Any, Any, Any, Any, Any, Any]:
        side = ops.where(ops.less(self.draw((n, 1), 0.0, 1.0), 0.5), -1.0, 1.0)
        across, down = (self.draw((n, 1), *f) * side for f in (self.x_factor, self.y_factor))
        return 1.0, across, 0.0, down, 1.0, 0.0

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "x_factor": self.x_factor, "y_factor": self.y_factor}


def _is_mirrored(value: Any) -> bool:
    """Whether it is (-f, f)."""
    pair = isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(v, int | float) for v in value)
    return pair and 0 <= value[1] <= 1 and value[0] == -value[1]
