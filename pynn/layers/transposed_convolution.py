"""Transposed convolution layers of one, two and three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.layers.arguments import positive_int
from pynn.layers.constructor import named_arguments
from pynn.layers.convolution import BaseConv
from pynn.ops.conv_transpose import transposed_size


class ConvTranspose(BaseConv):
    """Base of the transposed convolutions."""

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        output_padding: int | Sequence[int] | None = None,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
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
        super().__init__(**named_arguments(locals(), without=("filters", "output_padding")))
        self.filters = positive_int(f"layer '{self.name}'", "filters", filters)
        self.output_padding = _below(f"layer '{self.name}'", output_padding, self.strides)

    def _build_kernels(self, channels: int) -> int:
        self.kernel = self._add_weight_of("kernel", (*self.kernel_size, self.filters, channels))
        return self.filters

    def _check_sizes(self, sizes: Sequence[int | None]) -> None:
        more = self.output_padding or (None,) * self.rank
        for size, k, stride, spread, added in zip(
            sizes, self.kernel_size, self.strides, self.dilation_rate, more, strict=True
        ):
            reach = (k - 1) * spread + 1
            if size is not None and transposed_size(size, reach, stride, self.padding, added)[0] < 1:
                raise ShapeError(
                    f"layer '{self.name}': nothing is left of the output with padding={self.padding!r} and "
                    f"output_padding={self.output_padding}, received sizes {tuple(sizes)}"
                )

    def convolve(self, x: Value) -> Value:
        return ops.conv_transpose(
            x, self.kernel, self.strides, self.padding, self.output_padding, "channels_last", self.dilation_rate
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "output_padding": self.output_padding}


def _below(where: str, value: Any, strides: tuple[int, ...]) -> tuple[int, ...] | None:
    """The output padding of each direction, below its stride."""
    if value is None:
        return None
    values = (value,) * len(strides) if isinstance(value, int | np.integer) else value
    whole = (
        isinstance(values, list | tuple)
        and len(values) == len(strides)
        and all(isinstance(v, int | np.integer) for v in values)
    )
    if not whole or any(not 0 <= v < s for v, s in zip(values, strides, strict=True)):
        raise ArgumentError(
            f"{where}: output_padding must be a number, or one for each dimension, from 0 to below strides={strides}, "
            f"received {value!r}"
        )
    return tuple(int(v) for v in values)


class Conv1DTranspose(ConvTranspose):
    """Makes sequences longer: each step adds its multiple of the window, ``strides`` apart.

    Arguments as for :class:`Conv2DTranspose`.

    Shapes:
        ``(batch, steps, c)`` -> ``(batch, positions, filters)``; kernel ``(k, filters, c)``.

    Example:
        >>> import numpy as np
        >>> Conv1DTranspose(8, 3, strides=2, padding="same")(np.ones((2, 10, 4))).shape
        (2, 20, 8)
    """

    rank = 1


class Conv2DTranspose(ConvTranspose):
    """Makes images larger: each input pixel adds its multiple of the window, ``strides`` apart.

    ``activation(conv_transpose(x, kernel) + bias)``: the input's gradient of a :class:`~pynn.layers.Conv2D` with the
    same arguments.

    Args:
        filters: number of output channels.
        kernel_size: the window, one number or (height, width).
        strides: distance in the result between neighbouring pixels of the input.
        padding: ``"valid"`` (everything the windows reach) or ``"same"`` (``size * stride`` results).
        output_padding: rows and columns added to the result, below ``strides``; None for the sizes above.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``: ``(batch, c, h, w)``, results too.
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

    rank = 2


class Conv3DTranspose(ConvTranspose):
    """Makes volumes larger; arguments as for :class:`Conv2DTranspose`, ``data_format`` before ``output_padding``.

    Shapes:
        ``(batch, d, h, w, c)`` -> ``(batch, od, oh, ow, filters)``; kernel ``(kd, kh, kw, filters, c)``.

    Example:
        >>> import numpy as np
        >>> Conv3DTranspose(8, 3, strides=2, padding="same")(np.ones((1, 3, 4, 4, 2))).shape
        (1, 6, 8, 8, 8)
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: int | Sequence[int] | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        **kwargs: Any,
    ):
        super().__init__(
            filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation, use_bias,
            **kwargs,
        )  # fmt: skip
