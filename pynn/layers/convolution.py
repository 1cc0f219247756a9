"""Convolution layers: the base of the whole family, and the plain ones of one, two and three dimensions."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar

from pynn import activations, ops, regularizers
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.layers.arguments import choice, lengths, positive_int
from pynn.layers.constructor import named_arguments
from pynn.layers.layer import Shape
from pynn.layers.spatial import SpatialLayer, check_window_fits, spatial_spec
from pynn.layers.weight_options import WeightOptions
from pynn.utils.arrays import as_float


class BaseConv(SpatialLayer, WeightOptions):
    """Base of layers that slide windows: ``activation(convolve(x) + bias)``.

    A subclass names the ``roles`` of its weights, makes them in ``_build_kernels``, and defines ``convolve``.
    """

    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int],
        padding: str,
        data_format: str | None,
        dilation_rate: int | Sequence[int],
        activation: Any,
        use_bias: bool,
        **kwargs: Any,
    ):
        options = {name: kwargs.pop(name) for name in self.option_names()}
        super().__init__(data_format, **kwargs)
        where = f"layer '{self.name}'"
        self.kernel_size = lengths(where, "kernel_size", kernel_size, self.rank)
        self.strides = lengths(where, "strides", strides, self.rank)
        self.padding = choice(where, "padding", padding, self.paddings)
        self.dilation_rate = lengths(where, "dilation_rate", dilation_rate, self.rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                f"{where}: strides and dilation_rate cannot both be above 1, "
                f"received strides={self.strides}, dilation_rate={self.dilation_rate}"
            )
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self._take_options(options)

    def _build_kernels(self, channels: int) -> int:
        """Make the kernels for so many channels; gives the number of channels that come out."""
        raise NotImplementedError

    def convolve(self, x: Value) -> Value:
        """``(batch, *sizes, channels)`` to ``(batch, *positions, filters)``, without bias."""
        raise NotImplementedError

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[1 if self._channels_first else -1]
        if channels is None:
            raise ShapeError(
                f"layer '{self.name}': the number of channels must be known, received shape {tuple(input_shape)}"
            )
        self._check_sizes(self._sizes(input_shape))
        filters = self._build_kernels(channels)
        self.bias = self._add_weight_of("bias", (filters,)) if self.use_bias else None
        self.input_spec = spatial_spec(self.rank, self.data_format, channels)
        self.built = True

    def _check_sizes(self, sizes: Sequence[int | None]) -> None:
        check_window_fits(f"layer '{self.name}'", sizes, self.kernel_size, self.padding, self.dilation_rate)

    def call(self, x: Value) -> Value:
        self._check_sizes(self._sizes(x.shape))
        y = self.convolve(self._to_last(as_float(x)))
        if self.bias is not None:
            y = ops.add(y, self.bias)
        if self._channels_first and _has_axis(self.activation):  # such as a softmax, which goes over the last axis
            return self.activation(self._from_last(y))
        return self._from_last(self.activation(y))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            **self._options_config(),
        }


def _has_axis(activation: Any) -> bool:
    """Whether it may do more than look at each number by itself; own functions may."""
    module = getattr(activation, "__module__", "")
    return not module.startswith("pynn.") or "axis" in inspect.signature(activation).parameters


class Conv(BaseConv):
    """Base of the plain convolutions."""

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**named_arguments(locals(), without=("filters", "groups")))
        where = f"layer '{self.name}'"
        self.filters = positive_int(where, "filters", filters)
        self.groups = positive_int(where, "groups", groups)
        if self.filters % self.groups:
            raise ArgumentError(
                f"{where}: filters must be a multiple of groups, received filters={filters}, groups={groups}"
            )

    def _build_kernels(self, channels: int) -> int:
        if channels % self.groups:
            raise ShapeError(
                f"layer '{self.name}': the number of channels must be a multiple of groups={self.groups}, "
                f"received {channels} channels"
            )
        self.kernel = self._add_weight_of("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        return self.filters

    def convolve(self, x: Value) -> Value:
        return ops.conv(x, self.kernel, self.strides, self.padding, "channels_last", self.dilation_rate)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "groups": self.groups}


class Conv1D(Conv):
    """Slides ``filters`` small windows over a sequence: ``activation(conv(x, kernel) + bias)``.

    Args:
        padding: as for :class:`Conv2D`, or ``"causal"``: zeros before the sequence alone, so that no result depends
            on later steps.

    The other arguments are those of :class:`Conv2D`, for one dimension.

    Shapes:
        ``(batch, steps, c)`` -> ``(batch, positions, filters)``; kernel ``(k, c / groups, filters)``.

    Example:
        >>> import numpy as np
        >>> Conv1D(8, 3, padding="causal")(np.ones((2, 10, 4))).shape
        (2, 10, 8)
    """

    rank = 1
    paddings = ("valid", "same", "causal")


class Conv2D(Conv):
    """Slides ``filters`` small windows over an image: ``activation(conv(x, kernel) + bias)``.

    Args:
        filters: number of output channels.
        kernel_size: the window, one number or (height, width).
        strides: step of the window.
        padding: ``"valid"`` (windows stay inside) or ``"same"`` (zeros around; ``ceil(size / stride)`` results).
        data_format: ``"channels_last"``, the default, or ``"channels_first"``: ``(batch, c, h, w)``, results too.
        dilation_rate: distance between the window's points; more than 1 only with strides 1.
        groups: splits the channels into that many independent convolutions.
        activation: name or function; ``"linear"`` by default.

    Shapes:
        ``(batch, h, w, c)`` -> ``(batch, oh, ow, filters)``;
        kernel ``(kh, kw, c / groups, filters)``, bias ``(filters,)``.

    Example:
        >>> import numpy as np
        >>> Conv2D(8, 3, padding="same")(np.ones((2, 28, 28, 1))).shape
        (2, 28, 28, 8)
    """

    rank = 2


class Conv3D(Conv):
    """Slides ``filters`` small windows over a volume or a film; arguments as for :class:`Conv2D`.

    Shapes:
        ``(batch, d, h, w, c)`` -> ``(batch, od, oh, ow, filters)``; kernel ``(kd, kh, kw, c / groups, filters)``.

    Example:
        >>> import numpy as np
        >>> Conv3D(8, 3, strides=(1, 2, 2))(np.ones((1, 6, 9, 9, 2))).shape
        (1, 4, 4, 4, 8)
    """

    rank = 3
