"""Layers that change the colours of images at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.layers.arguments import one_number
from pynn.layers.image_layer import RandomImageLayer, number_range
from pynn.ops.images import hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv


def value_pair(where: str, value: Any) -> Sequence[float]:
    """``value_range`` if it is a pair of numbers."""
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
        self.value_range = sorted(value_pair(where, value_range))

    def accept(self, x: Value, training: bool) -> Value:
        return ops.cast(x, "int32") if training and x.dtype == "bool" else x

    def decide(self, x: Value) -> Value:
        return self.draw((x.shape[0], 1, 1, 1), *self.factor)

    def augment(self, x: Value, decided: Any) -> Value:
        lowest, highest = self.value_range
        delta = decided * float(highest - lowest)
        if x.spec.is_float:
            return ops.clip(x + delta, lowest, highest)
        # Whole numbers stay such, and the least of uint8 does not become the greatest.
        moved = ops.clip(ops.cast(x, "int32") + ops.cast(delta, "int32"), int(lowest), int(highest))
        return ops.saturate_cast(moved, x.dtype)

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

    _floats_in_inference = False

    def __init__(self, factor: Any, value_range: Sequence[float] = (0, 255), seed: int | None = None, **kwargs: Any):
        super().__init__(seed=seed, **kwargs)
        self.factor = number_range(f"layer '{self.name}'", "factor", factor, 0, 1, lowest=0)
        self.value_range = value_pair(f"layer '{self.name}'", value_range)

    def decide(self, x: Value) -> Value:
        return self.draw((x.shape[0], 1, 1, 1), 1.0 - self.factor[0], 1.0 + self.factor[1])

    def augment(self, x: Value, decided: Any) -> Value:
        mean = ops.mean(x, axis=(1, 2), keepdims=True)
        return ops.clip((x - mean) * decided + mean, *self.value_range)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


class _Colours(RandomImageLayer):
    """Base of layers that see red, green and blue together."""

    _floats_in_inference = False

    def accept(self, x: Value, training: bool) -> Value:
        if training and x.shape[-1] != 3:
            raise ShapeError(f"layer '{self.name}': expected images with 3 channels, received shape {x.shape}")
        return super().accept(x, training)


class RandomHue(_Colours):
    """While training, turns the colours of each image around the circle of hues, by a random angle to either side.

    Args:
        factor: (lower, upper) of the angle as a fraction of half a turn, from 0 to 1; one number f is (0, f).
        value_range: (lowest, highest) of a pixel.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.
        seed: for the same angles in every run.

    Shapes:
        ``(batch, h, w, 3)``, or one image; the same comes out.

    Example:
        >>> import numpy as np
        >>> RandomHue((1.0, 1.0))(np.array([[[255.0, 0.0, 0.0]]]), training=True)[0, 0]  # red becomes cyan
        array([  0., 255., 255.], dtype=float32)
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
        self.value_range = value_pair(where, value_range)

    def decide(self, x: Value) -> Value:
        n = x.shape[0]
        side = ops.where(ops.less(self.draw((n, 1, 1, 1), 0.0, 1.0), 0.5), -0.5, 0.5)
        return self.draw((n, 1, 1, 1), *self.factor) * side

    def augment(self, x: Value, decided: Any) -> Value:
        lowest, highest = self.value_range
        span = float(highest - lowest)
        hue, rest = ops.split(rgb_to_hsv((x - lowest) / span, "channels_last"), [1], axis=-1)
        turned = hsv_to_rgb(ops.concatenate([ops.mod(hue + decided, 1.0), rest], axis=-1), "channels_last")
        return ops.clip(turned * span + lowest, lowest, highest)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


class RandomSaturation(_Colours):
    """While training, makes the colours of each image paler or stronger, by a random factor.

    The saturation of each pixel is multiplied by ``f / (1 - f)`` and kept within ``value_range``.

    Args:
        factor: (lower, upper) of f, to 1: 0 makes an image grey, 0.5 leaves it, 1 gives the strongest colours.  One
            number f is (-f, f), and what is below 0 makes grey.
        value_range: (lowest, highest).
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.
        seed: for the same factors in every run.

    Shapes:
        ``(batch, h, w, 3)``, or one image; the same comes out.

    Example:
        >>> import numpy as np
        >>> RandomSaturation((0.0, 0.0))(np.array([[[255.0, 0.0, 51.0]]]), training=True)[0, 0]
        array([255., 255., 255.], dtype=float32)
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
        self.factor = number_range(where, "factor", factor, -1, 1)
        self.value_range = sorted(value_pair(where, value_range))

    def decide(self, x: Value) -> Value:
        f = self.draw((x.shape[0], 1, 1, 1), *self.factor)
        return f / (1.0 - f + 1e-7)

    def augment(self, x: Value, decided: Any) -> Value:
        hue, saturation, value = ops.split(rgb_to_hsv(x, "channels_last"), 3, axis=-1)
        saturation = ops.clip(saturation * decided, *self.value_range)
        return hsv_to_rgb(ops.concatenate([hue, saturation, value], axis=-1), "channels_last")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


class RandomGrayscale(RandomImageLayer):
    """While training, makes images grey, each with the same probability.

    ``0.2989 red + 0.587 green + 0.114 blue`` in all three channels.

    Args:
        factor: the probability, from 0 to 1.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.
        seed: for the same images in every run.

    Shapes:
        ``(batch, h, w, 3)``, or 1 channel, or one image; the same comes out, of the same kind of numbers.

    Example:
        >>> import numpy as np
        >>> RandomGrayscale(1.0)(np.array([[[100.0, 0.0, 0.0]]]), training=True)[0, 0].round(2)
        array([29.89, 29.89, 29.89], dtype=float32)
    """

    def __init__(self, factor: float = 0.5, data_format: str | None = None, seed: int | None = None, **kwargs: Any):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        where = f"layer '{self.name}'"
        self.factor = one_number(where, "factor", factor)
        if not 0 <= factor <= 1:
            raise ArgumentError(f"{where}: factor must be a number from 0 to 1, received {factor!r}")

    def accept(self, x: Value, training: bool) -> Value:
        return x

    def decide(self, x: Value) -> Value:
        return ops.less(self.draw((x.shape[0], 1, 1, 1), 0.0, 1.0), self.factor)

    def augment(self, x: Value, decided: Any) -> Value:
        return ops.where(decided, rgb_to_grayscale(x, "channels_last"), x)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "factor": self.factor}
        if self.seed is None:
            del config["seed"]  # Keras has none there
        return config


class RandomColorJitter(RandomImageLayer):
    """While training, changes brightness, contrast, saturation and hue of each image, in this order.

    Args:
        value_range: (lowest, highest) of a pixel.
        brightness_factor: of :class:`RandomBrightness`; None leaves the step out, and so do the following.
        contrast_factor: of :class:`RandomContrast`.
        saturation_factor: of :class:`RandomSaturation`.
        hue_factor: of :class:`RandomHue`.
        seed: for the same changes in every run.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.

    Example:
        >>> import numpy as np
        >>> jitter = RandomColorJitter(brightness_factor=(0.2, 0.2))
        >>> jitter(np.full((1, 1, 1), 100.0), training=True)[0, 0]
        array([151.], dtype=float32)
    """

    _floats_in_inference = False

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = value_pair(f"layer '{self.name}'", value_range)
        self.brightness_factor, self.contrast_factor = brightness_factor, contrast_factor
        self.saturation_factor, self.hue_factor = saturation_factor, hue_factor
        steps: list[tuple[type[RandomImageLayer], Any]] = [
            (RandomBrightness, brightness_factor),
            (RandomContrast, contrast_factor),
            (RandomSaturation, saturation_factor),
            (RandomHue, hue_factor),
        ]
        own: dict[str, Any] = {"value_range": value_range, "seed": seed, "data_format": "channels_last"}
        self._steps = [make(factor, **own) for make, factor in steps if factor is not None]

    def augment(self, x: Value, decided: Any) -> Value:
        for step in self._steps:
            x = step(x, training=True)
        return x

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "value_range": self.value_range,
            "brightness_factor": self.brightness_factor,
            "contrast_factor": self.contrast_factor,
            "saturation_factor": self.saturation_factor,
            "hue_factor": self.hue_factor,
        }
