"""Depthwise convolution, which has as many groups as channels, alone and with a mix of the channels behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn.errors import ShapeError
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.ops.conv import conv
from pynn.ops.shape import reshape
from pynn.ops.spatial import AXES, channels_to_end, channels_to_front, is_channels_first, spatial_rank


def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Value:
    """Convolution with filters of one channel each, as ``keras.ops.depthwise_conv``; arguments as for :func:`conv`.

    Channel ``c`` of the inputs meets the filters ``kernel[..., c, :]`` and gives the results
    ``c * multiplier .. (c + 1) * multiplier - 1``.

    Args:
        inputs: (n, steps, channels), (n, h, w, channels) or (n, d, h, w, channels).
        kernel: (*window, channels, multiplier).

    Returns:
        (n, *positions, channels * multiplier).

    Raises:
        ShapeError: the kernel does not fit the inputs.
        ArgumentError: an argument has a value that it cannot take.

    Example:
        >>> from pynn import ops
        >>> from pynn.graph.ir import Spec
        >>> from pynn.graph.trace import Trace
        >>> with Trace() as trace:
        ...     images, kernel = trace.input("x", Spec((1, 8, 8, 4))), trace.input("w", Spec((3, 3, 4, 2)))
        ...     ops.depthwise_conv(images, kernel, strides=2, padding="same").shape
        (1, 4, 4, 8)
    """
    x, w = as_value(inputs), as_value(kernel)
    if is_channels_first("depthwise_conv", data_format):
        return channels_to_front(
            depthwise_conv(channels_to_end(x), w, strides, padding, "channels_last", dilation_rate)
        )
    rank = spatial_rank("depthwise_conv", x)
    if w.ndim != x.ndim or x.shape[-1] != w.shape[-2]:
        raise ShapeError(
            f"depthwise_conv: expected inputs (n, {AXES[rank]}, channels) and a kernel (*window, channels, multiplier) "
            f"with as many channels, received inputs {x.spec} and kernel {w.spec}"
        )
    # The filters of a group lie next to each other in both layouts, so this moves nothing.
    grouped = reshape(w, (*w.shape[:-2], 1, w.shape[-2] * w.shape[-1]))
    return conv(x, grouped, strides, padding, "channels_last", dilation_rate)


def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Value:
    """A depthwise convolution and a mix of its channels, as ``keras.ops.separable_conv``.

    Args:
        depthwise_kernel: (*window, channels, multiplier), as for :func:`depthwise_conv`, which has the other arguments.
        pointwise_kernel: (1, ..., channels * multiplier, filters), all of the window's lengths 1.

    Returns:
        (n, *positions, filters).
    """
    x = as_value(inputs)
    first = is_channels_first("separable_conv", data_format)
    y = depthwise_conv(
        channels_to_end(x) if first else x, depthwise_kernel, strides, padding, "channels_last", dilation_rate
    )  # (n, *positions, channels * multiplier)
    y = conv(y, pointwise_kernel, data_format="channels_last")
    return channels_to_front(y) if first else y
