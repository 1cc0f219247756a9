"""Initializers whose spread follows from the weight's number of inputs and outputs (Glorot, He, LeCun)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.initializers.base import RandomInitializer, checked_number, checked_shape
from pynn.initializers.random import truncated_normal

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")

#: Standard deviation of a unit normal distribution truncated at two standard deviations.
_TRUNCATED_STDDEV = 0.87962566103423978


def compute_fans(
    shape: Sequence[int],
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """Inputs and outputs of one unit: for a kernel ``(kh, kw, in, out)`` that is ``kh*kw*in, kh*kw*out``."""
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[a] for a in input_axes), math.prod(shape[a] for a in output_axes)
    if not shape:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    positions = math.prod(shape[:-2])
    return positions * shape[-2], positions * shape[-1]


class VarianceScaling(RandomInitializer):
    """Random numbers of variance ``scale / n``; n is the number of inputs, of outputs, or their mean (``mode``).

    Example:
        >>> from pynn import initializers
        >>> w = initializers.VarianceScaling(scale=2.0, mode="fan_in", seed=1)((200, 100))
        >>> round(float(w.std()), 2)
        0.1
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        super().__init__(seed)
        if distribution == "normal":  # Keras's older name
            distribution = "truncated_normal"
        if checked_number(self, "scale", scale) <= 0:
            raise ArgumentError(f"{type(self).__name__}: scale must be positive, received {scale!r}")
        for name, value, allowed in (("mode", mode, _MODES), ("distribution", distribution, _DISTRIBUTIONS)):
            if value not in allowed:
                raise ArgumentError(
                    f"{type(self).__name__}: {name} must be one of {', '.join(allowed)}, received {value!r}"
                )
        for name, axes in (("input_axes", input_axes), ("output_axes", output_axes)):
            if axes is not None and not (isinstance(axes, list | tuple) and all(isinstance(a, int) for a in axes)):
                raise ArgumentError(f"{type(self).__name__}: {name} must be a list of axes or None, received {axes!r}")
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> np.ndarray:
        shape, dtype = checked_shape(self, shape, dtype)
        axes = [*(self.input_axes or ()), *(self.output_axes or ())]
        if any(not -len(shape) <= a < len(shape) for a in axes):
            raise ArgumentError(f"{type(self).__name__}: input_axes and output_axes {axes} are not all in {shape}")
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        rng = self.rng()
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            x = rng.uniform(-limit, limit, shape)
        elif self.distribution == "untruncated_normal":
            x = math.sqrt(variance) * rng.standard_normal(shape)
        else:
            x = truncated_normal(rng, shape, 0.0, math.sqrt(variance) / _TRUNCATED_STDDEV)
        return x.astype(dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _Preset(VarianceScaling):
    """A :class:`VarianceScaling` whose scale, mode and distribution have a name of their own."""

    _scale, _mode, _distribution = 1.0, "fan_in", "truncated_normal"

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        super().__init__(self._scale, self._mode, self._distribution, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {k: config[k] for k in ("seed", "input_axes", "output_axes")}


class GlorotUniform(_Preset):
    """Uniform in ``±sqrt(6 / (fan_in + fan_out))`` (Glorot and Bengio, 2010): the default of Dense and Conv2D.

    Example:
        >>> from pynn import initializers
        >>> w = initializers.GlorotUniform(seed=1)((300, 100))
        >>> round(float(w.max()), 2)  # sqrt(6 / 400) = 0.122
        0.12
    """

    _mode, _distribution = "fan_avg", "uniform"


class GlorotNormal(_Preset):
    """Truncated normal of variance ``2 / (fan_in + fan_out)`` (Glorot and Bengio, 2010).

    Example:
        >>> from pynn import initializers
        >>> w = initializers.GlorotNormal(seed=1)((300, 100))
        >>> round(float(w.std()), 2)  # sqrt(2 / 400) = 0.0707
        0.07
    """

    _mode = "fan_avg"


class HeNormal(_Preset):
    """Truncated normal of variance ``2 / fan_in`` (He et al., 2015): for relu.

    Example:
        >>> from pynn import initializers
        >>> w = initializers.HeNormal(seed=1)((200, 100))
        >>> round(float(w.std()), 2)  # sqrt(2 / 200) = 0.1
        0.1
    """

    _scale = 2.0


class HeUniform(_Preset):
    """Uniform in ``±sqrt(6 / fan_in)`` (He et al., 2015): for relu.

    Example:
        >>> from pynn import initializers
        >>> w = initializers.HeUniform(seed=1)((600, 100))
        >>> round(float(w.max()), 2)  # sqrt(6 / 600) = 0.1
        0.1
    """

    _scale, _distribution = 2.0, "uniform"


class LecunNormal(_Preset):
    """Truncated normal of variance ``1 / fan_in``: for selu.

    Example:
        >>> from pynn import initializers
        >>> w = initializers.LecunNormal(seed=1)((100, 100))
        >>> round(float(w.std()), 2)  # sqrt(1 / 100) = 0.1
        0.1
    """


class LecunUniform(_Preset):
    """Uniform in ``±sqrt(3 / fan_in)``.

    Example:
        >>> from pynn import initializers
        >>> w = initializers.LecunUniform(seed=1)((300, 100))
        >>> round(float(w.max()), 2)  # sqrt(3 / 300) = 0.1
        0.1
    """

    _distribution = "uniform"
