"""Depthwise convolution: a :class:`~pynn.ops.conv.Conv2d` with as many groups as channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn.errors import ShapeError
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.ops.conv import conv
from pynn.ops.shape import reshape


def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Value:
    """2D convolution with filters of one channel each, as ``keras.ops.depthwise_conv``.

    Channel ``c`` of the images meets the filters ``kernel[:, :, c, :]`` and gives the results
    ``c * multiplier .. (c + 1) * multiplier - 1``.

    Args:
        inputs: images, (n, h, w, channels).
        kernel: (kh, kw, channels, multiplier).
        strides: step of the window, one number or (vertical, horizontal).
        padding: "valid" (windows stay inside the image) or "same" (zeros around it, ``ceil(size / stride)`` results).
        data_format: "channels_last" or None.
        dilation_rate: distance between the kernel's taps, one number or (vertical, horizontal).

    Returns:
        (n, oh, ow, channels * multiplier).

    Raises:
        ShapeError: the kernel does not fit the images.
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
    if x.ndim != 4 or w.ndim != 4 or x.shape[3] != w.shape[2]:
        raise ShapeError(
            "depthwise_conv: expected inputs (n, h, w, channels) and a kernel (kh, kw, channels, multiplier) with as "
            f"many channels, received inputs {x.spec} and kernel {w.spec}; only 2D convolutions exist so far"
        )
    kh, kw, channels, multiplier = w.shape
    # The filters of a group lie next to each other in both layouts, so this moves nothing.
    grouped = reshape(w, (kh, kw, 1, channels * multiplier))
    return conv(x, grouped, strides, padding, data_format, dilation_rate)
