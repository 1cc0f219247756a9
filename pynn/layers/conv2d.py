"""2D convolution layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import activations, initializers, ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.layers.arguments import channels_last, choice, pair, positive_int
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Layer, Shape, refuse_unsupported
from pynn.utils.arrays import as_float


class Conv2D(Layer):
    """Slides ``filters`` small windows over an image: ``activation(conv(x, kernel) + bias)``.

    Args:
        filters: number of output channels.
        kernel_size: the window, one number or (height, width).
        strides: step of the window.
        padding: ``"valid"`` (windows stay inside) or ``"same"`` (zeros around; ``ceil(size / stride)`` results).
        data_format: ``"channels_last"``.
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

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = (1, 1),
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
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        where = f"layer '{self.name}'"
        self.filters = positive_int(where, "filters", filters)
        self.kernel_size = pair(where, "kernel_size", kernel_size)
        self.strides = pair(where, "strides", strides)
        self.padding = choice(where, "padding", padding, ("valid", "same"))
        self.data_format = channels_last(where, data_format)
        self.dilation_rate = pair(where, "dilation_rate", dilation_rate)
        self.groups = positive_int(where, "groups", groups)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                f"{where}: strides and dilation_rate cannot both be above 1, "
                f"received strides={self.strides}, dilation_rate={self.dilation_rate}"
            )
        if self.filters % self.groups:
            raise ArgumentError(
                f"{where}: filters must be a multiple of groups, received filters={filters}, groups={groups}"
            )
        refuse_unsupported(
            where,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.input_spec = IMAGE_SPEC

    def build(self, input_shape: Shape) -> None:
        where, channels = f"layer '{self.name}'", input_shape[-1]
        if channels is None or channels % self.groups:
            raise ShapeError(
                f"{where}: the number of channels must be known and a multiple of groups={self.groups}, "
                f"received shape {tuple(input_shape)}"
            )
        check_window_fits(where, input_shape, self.kernel_size, self.padding, self.dilation_rate)
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")
        self.bias = self.add_weight((self.filters,), self.bias_initializer, name="bias") if self.use_bias else None
        self.input_spec = InputSpec(ndim=4, axes={-1: channels}, hint=IMAGE_SPEC.hint)
        self.built = True

    def call(self, x: Value) -> Value:
        check_window_fits(f"layer '{self.name}'", x.shape, self.kernel_size, self.padding, self.dilation_rate)
        y = ops.conv(
            as_float(x), self.kernel, self.strides, self.padding, self.data_format, self.dilation_rate
        )  # (n, oh, ow, filters)
        if self.bias is not None:
            y = ops.add(y, self.bias)
        return self.activation(y)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": None,
            "bias_regularizer": None,
            "activity_regularizer": None,
            "kernel_constraint": None,
            "bias_constraint": None,
        }


#: Images: (batch, height, width, channels).
IMAGE_SPEC = InputSpec(
    ndim=4,
    hint="images are (batch, height, width, channels); for grey images add a channel axis, x[..., None]",
)


def check_window_fits(
    where: str, shape: Shape, window: tuple[int, int], padding: str, dilation: tuple[int, int] = (1, 1)
) -> None:
    """A "valid" window must not be larger than the image."""
    if padding == "same":
        return
    reach = tuple((k - 1) * d + 1 for k, d in zip(window, dilation, strict=True))
    if any(size is not None and size < r for size, r in zip(shape[1:3], reach, strict=True)):
        raise ShapeError(
            f"{where}: the window {reach} is larger than the image, received shape {tuple(shape)}; "
            "use padding='same', a smaller window, or fewer pooling layers before it"
        )
