"""2D transposed convolution layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import activations, initializers, ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.layers.arguments import channels_last, choice, pair, positive_int
from pynn.layers.conv2d import IMAGE_SPEC
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer import Layer, Shape, refuse_unsupported
from pynn.utils.arrays import as_float


class Conv2DTranspose(Layer):
    """Makes images larger: each input pixel adds its multiple of the window, ``strides`` apart.

    ``activation(conv_transpose(x, kernel) + bias)``: the input's gradient of a :class:`Conv2D` with the same arguments.

    Args:
        filters: number of output channels.
        kernel_size: the window, one number or (height, width).
        strides: distance in the result between neighbouring pixels of the input.
        padding: ``"valid"`` (everything the windows reach) or ``"same"`` (``size * stride`` results).
        output_padding: rows and columns added to the result, below ``strides``; None for the sizes above.
        data_format: ``"channels_last"``.
        dilation_rate: distance between the window's points; more than 1 only with strides 1.
        activation: name or function; ``"linear"`` by default.

    Shapes:
        ``(batch, h, w, c)`` -> ``(batch, oh, ow, filters)``;
        kernel ``(kh, kw, filters, c)``, bias ``(filters,)``.

    Example:
        >>> import numpy as np
        >>> Conv2DTranspose(8, 3, strides=2, padding="same")(np.ones((2, 14, 14, 1))).shape
        (2, 28, 28, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1),
        padding: str = "valid",
        output_padding: int | Sequence[int] | None = None,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = (1, 1),
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
        self.output_padding = _below(where, output_padding, self.strides)
        self.data_format = channels_last(where, data_format)
        self.dilation_rate = pair(where, "dilation_rate", dilation_rate)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                f"{where}: strides and dilation_rate cannot both be above 1, "
                f"received strides={self.strides}, dilation_rate={self.dilation_rate}"
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
        channels = input_shape[-1]
        if channels is None:
            raise ShapeError(
                f"layer '{self.name}': the number of channels must be known, received shape {tuple(input_shape)}"
            )
        shape = (*self.kernel_size, self.filters, channels)
        self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")
        self.bias = self.add_weight((self.filters,), self.bias_initializer, name="bias") if self.use_bias else None
        self.input_spec = InputSpec(ndim=4, axes={-1: channels}, hint=IMAGE_SPEC.hint)
        self.built = True

    def call(self, x: Value) -> Value:
        y = ops.conv_transpose(
            as_float(x), self.kernel, self.strides, self.padding, self.output_padding, self.data_format,
            self.dilation_rate,
        )  # (n, oh, ow, filters)  # fmt: skip
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
            "output_padding": self.output_padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
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


def _below(where: str, value: Any, strides: tuple[int, int]) -> tuple[int, int] | None:
    """The output padding of both directions, each below its stride."""
    if value is None:
        return None
    values = (value, value) if isinstance(value, int | np.integer) else value
    whole = (
        isinstance(values, list | tuple) and len(values) == 2 and all(isinstance(v, int | np.integer) for v in values)
    )
    if not whole or any(not 0 <= v < s for v, s in zip(values, strides, strict=True)):
        raise ArgumentError(
            f"{where}: output_padding must be a number or a pair of numbers from 0 to below strides={strides}, "
            f"received {value!r}"
        )
    return int(values[0]), int(values[1])
