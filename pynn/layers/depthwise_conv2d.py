"""Convolutions whose filters see one channel each, alone and followed by a mix of the channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import activations, initializers, ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.layers.arguments import channels_last, choice, pair, positive_int
from pynn.layers.conv2d import IMAGE_SPEC, check_window_fits
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Layer, Shape, refuse_unsupported
from pynn.utils.arrays import as_float


class DepthwiseConv2D(Layer):
    """Slides ``depth_multiplier`` small windows over each channel of an image by itself.

    Args:
        kernel_size: the window, one number or (height, width).
        strides: step of the window.
        padding: ``"valid"`` or ``"same"``, as in :class:`~pynn.layers.Conv2D`.
        depth_multiplier: windows for each channel.
        dilation_rate: distance between the window's points; more than 1 only with strides 1.
        activation: name or function; ``"linear"`` by default.

    Shapes:
        ``(batch, h, w, c)`` -> ``(batch, oh, ow, c * depth_multiplier)``;
        kernel ``(kh, kw, c, depth_multiplier)``, bias ``(c * depth_multiplier,)``.

    Example:
        >>> import numpy as np
        >>> DepthwiseConv2D(3, padding="same")(np.ones((2, 8, 8, 4))).shape
        (2, 8, 8, 4)
    """

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        where = f"layer '{self.name}'"
        self.kernel_size = pair(where, "kernel_size", kernel_size)
        self.strides = pair(where, "strides", strides)
        self.padding = choice(where, "padding", padding, ("valid", "same"))
        self.depth_multiplier = positive_int(where, "depth_multiplier", depth_multiplier)
        self.data_format = channels_last(where, data_format)
        self.dilation_rate = pair(where, "dilation_rate", dilation_rate)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                f"{where}: strides and dilation_rate cannot both be above 1, "
                f"received strides={self.strides}, dilation_rate={self.dilation_rate}"
            )
        refuse_unsupported(
            where,
            depthwise_regularizer=depthwise_regularizer,
            bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint,
            bias_constraint=bias_constraint,
        )
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.input_spec = IMAGE_SPEC

    def _build_depthwise(self, input_shape: Shape, name: str) -> int:
        """Make the kernel; gives the number of channels that come out."""
        channels = input_shape[-1]
        if channels is None:
            raise ShapeError(
                f"layer '{self.name}': the number of channels must be known, received shape {tuple(input_shape)}"
            )
        check_window_fits(f"layer '{self.name}'", input_shape, self.kernel_size, self.padding, self.dilation_rate)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self.add_weight(shape, self.depthwise_initializer, name=name)
        self.input_spec = InputSpec(ndim=4, axes={-1: channels}, hint=IMAGE_SPEC.hint)
        return channels * self.depth_multiplier

    def build(self, input_shape: Shape) -> None:
        filters = self._build_depthwise(input_shape, "kernel")
        self.bias = self.add_weight((filters,), self.bias_initializer, name="bias") if self.use_bias else None
        self.built = True

    def _depthwise(self, x: Value) -> Value:
        check_window_fits(f"layer '{self.name}'", x.shape, self.kernel_size, self.padding, self.dilation_rate)
        return ops.depthwise_conv(
            as_float(x), self.depthwise_kernel, self.strides, self.padding, self.data_format, self.dilation_rate
        )  # (n, oh, ow, c * depth_multiplier)

    def call(self, x: Value) -> Value:
        y = self._depthwise(x)
        return self.activation(y if self.bias is None else ops.add(y, self.bias))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "depth_multiplier": self.depth_multiplier,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "depthwise_initializer": initializers.serialize(self.depthwise_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
        }


class SeparableConv2D(DepthwiseConv2D):
    """A depthwise convolution, then a 1 x 1 convolution to ``filters`` channels.

    Arguments as for :class:`DepthwiseConv2D`, with ``filters`` first.

    Shapes:
        ``(batch, h, w, c)`` -> ``(batch, oh, ow, filters)``; depthwise kernel ``(kh, kw, c, depth_multiplier)``,
        pointwise kernel ``(1, 1, c * depth_multiplier, filters)``, bias ``(filters,)``.

    Example:
        >>> import numpy as np
        >>> SeparableConv2D(6, 3)(np.ones((2, 8, 8, 4))).shape
        (2, 6, 6, 6)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = (1, 1),
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        pointwise_regularizer: Any = None,
        pointwise_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(
            kernel_size, strides, padding, depth_multiplier, data_format, dilation_rate, activation, use_bias,
            depthwise_initializer, bias_initializer, **kwargs,
        )  # fmt: skip
        where = f"layer '{self.name}'"
        refuse_unsupported(
            where, pointwise_regularizer=pointwise_regularizer, pointwise_constraint=pointwise_constraint
        )
        self.filters = positive_int(where, "filters", filters)
        self.pointwise_initializer = initializers.get(pointwise_initializer)

    def build(self, input_shape: Shape) -> None:
        between = self._build_depthwise(input_shape, "depthwise_kernel")
        self.pointwise_kernel = self.add_weight(
            (1, 1, between, self.filters), self.pointwise_initializer, name="pointwise_kernel"
        )
        self.bias = self.add_weight((self.filters,), self.bias_initializer, name="bias") if self.use_bias else None
        self.built = True

    def call(self, x: Value) -> Value:
        y = ops.conv(self._depthwise(x), self.pointwise_kernel)
        return self.activation(y if self.bias is None else ops.add(y, self.bias))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "pointwise_initializer": initializers.serialize(self.pointwise_initializer),
        }
