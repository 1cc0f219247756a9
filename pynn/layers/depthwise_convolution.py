"""Convolutions whose filters see one channel each, alone and followed by a mix of the channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.graph.ir import Value
from pynn.layers.arguments import positive_int
from pynn.layers.constructor import named_arguments
from pynn.layers.convolution import BaseConv


class DepthwiseConv(BaseConv):
    """Base of the depthwise convolutions."""

    roles = ("depthwise", "bias")

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
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
        super().__init__(**named_arguments(locals(), without=("depth_multiplier",)))
        self.depth_multiplier = positive_int(f"layer '{self.name}'", "depth_multiplier", depth_multiplier)

    def _build_kernels(self, channels: int) -> int:
        self.kernel = self._add_weight_of("depthwise", (*self.kernel_size, channels, self.depth_multiplier), "kernel")
        return channels * self.depth_multiplier

    def convolve(self, x: Value) -> Value:
        return ops.depthwise_conv(x, self.kernel, self.strides, self.padding, "channels_last", self.dilation_rate)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "depth_multiplier": self.depth_multiplier}


class DepthwiseConv1D(DepthwiseConv):
    """Slides ``depth_multiplier`` small windows over each feature of a sequence by itself.

    Arguments as for :class:`DepthwiseConv2D`.

    Shapes:
        ``(batch, steps, c)`` -> ``(batch, positions, c * depth_multiplier)``; kernel ``(k, c, depth_multiplier)``.

    Example:
        >>> import numpy as np
        >>> DepthwiseConv1D(3, depth_multiplier=2)(np.ones((2, 8, 4))).shape
        (2, 6, 8)
    """

    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    """Slides ``depth_multiplier`` small windows over each channel of an image by itself.

    Args:
        kernel_size: the window, one number or (height, width).
        strides: step of the window.
        padding: ``"valid"`` or ``"same"``, as in :class:`~pynn.layers.Conv2D`.
        depth_multiplier: windows for each channel.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``: ``(batch, c, h, w)``, results too.
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

    rank = 2


class SeparableConv(BaseConv):
    """Base of the separable convolutions."""

    roles = ("depthwise", "pointwise", "bias")

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**named_arguments(locals(), without=("filters", "depth_multiplier")))
        self.filters = positive_int(f"layer '{self.name}'", "filters", filters)
        self.depth_multiplier = positive_int(f"layer '{self.name}'", "depth_multiplier", depth_multiplier)

    def _build_kernels(self, channels: int) -> int:
        depthwise = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self._add_weight_of("depthwise", depthwise, "depthwise_kernel")
        pointwise = (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)
        self.pointwise_kernel = self._add_weight_of("pointwise", pointwise, "pointwise_kernel")
        return self.filters

    def convolve(self, x: Value) -> Value:
        return ops.separable_conv(
            x,
            self.depthwise_kernel,
            self.pointwise_kernel,
            self.strides,
            self.padding,
            "channels_last",
            self.dilation_rate,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "depth_multiplier": self.depth_multiplier}


class SeparableConv1D(SeparableConv):
    """A depthwise convolution of a sequence, then a mix of its features to ``filters`` others.

    Arguments as for :class:`DepthwiseConv2D`, with ``filters`` first.

    Shapes:
        ``(batch, steps, c)`` -> ``(batch, positions, filters)``; depthwise kernel ``(k, c, depth_multiplier)``,
        pointwise kernel ``(1, c * depth_multiplier, filters)``, bias ``(filters,)``.

    Example:
        >>> import numpy as np
        >>> SeparableConv1D(6, 3)(np.ones((2, 8, 4))).shape
        (2, 6, 6)
    """

    rank = 1


class SeparableConv2D(SeparableConv):
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

    rank = 2
