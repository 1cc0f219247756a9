"""Transposed convolution: the input's gradient of a convolution, used as an operation of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.ops.conv import Conv2dGradInput, depth_as_channels
from pynn.ops.elementwise import Add
from pynn.ops.pad import Pad, pad, slice
from pynn.ops.shape import reshape
from pynn.ops.spatial import (
    AXES,
    Pair,
    channels_to_end,
    channels_to_front,
    frames,
    is_channels_first,
    one_row,
    per_axis,
    spatial_rank,
    without_row,
)


def transposed_size(size: int, reach: int, stride: int, padding: str, output_padding: int | None) -> tuple[int, Pair]:
    """Keras' sizes along one dimension.

    Args:
        size: positions of the input, at least 1.
        reach: positions that the kernel spans, with its dilation.
        stride: step between the places of two input positions in the result.
        padding: "valid" or "same", in lower case.
        output_padding: None for Keras' default: ``size * stride`` results if "same", else all that the kernel reaches.

    Returns:
        Positions of the result, and the (before, after) zeros of the convolution that this one undoes.
    """
    # Keras on JAX: `before` and `after` zeros are put around the input, spread out by the stride.
    if padding == "valid":
        before = reach - 1
        after = reach - 1 + (max(stride - reach, 0) if output_padding is None else output_padding)
    else:
        total = stride + reach - 2 if output_padding is None else reach + reach % 2 - 2 + output_padding
        before = min(total // 2 + total % 2, reach - 1)
        after = total - before
    covered = (size - 1) * stride + reach
    result = (size - 1) * stride + 1 + before + after - (reach - 1)
    top = reach - 1 - before
    return result, (top, max(0, covered - result - top))


def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    output_padding: int | Sequence[int] | None = None,
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Value:
    """Transposed convolution, as ``keras.ops.conv_transpose``: each input position adds its multiple of the kernel.

    It is the gradient of :func:`conv` with respect to its input, with sizes as Keras defines them.

    Args:
        inputs: (n, steps, channels), (n, h, w, channels) or (n, d, h, w, channels).
        kernel: (*window, filters, channels).
        strides: distance in the result between neighbours of the input, one number or one for each dimension.
        padding: "valid" (everything the kernel reaches) or "same" (``size * stride`` results).
        output_padding: positions added to the end of each dimension of the result, one number or one for each; None
            for the sizes above.
        data_format: "channels_last" or "channels_first": (n, channels, ...), results too.
        dilation_rate: distance between the kernel's taps, one number or one for each dimension.

    Returns:
        (n, *positions, filters).

    Raises:
        ShapeError: the kernel does not fit the inputs, or nothing would be left of the result.
        ArgumentError: an argument has a value that it cannot take.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> ops.conv_transpose(np.ones((1, 4, 4, 3)), np.ones((2, 2, 5, 3)), strides=2).shape
        (1, 8, 8, 5)
    """
    x, w = as_value(inputs), as_value(kernel)
    if is_channels_first("conv_transpose", data_format):
        y = conv_transpose(channels_to_end(x), w, strides, padding, output_padding, "channels_last", dilation_rate)
        return channels_to_front(y)
    rank = spatial_rank("conv_transpose", x)
    if w.ndim != x.ndim or x.shape[-1] != w.shape[-1]:
        raise ShapeError(
            f"conv_transpose: expected inputs (n, {AXES[rank]}, channels) and a kernel (*window, filters, channels) "
            f"with the {x.shape[-1]} channels of the inputs, received inputs {x.spec} and kernel {w.spec}"
        )
    if not isinstance(padding, str) or padding.lower() not in ("valid", "same"):
        raise ArgumentError(f"conv_transpose: padding must be 'valid' or 'same', received {padding!r}")
    step = per_axis("conv_transpose", "strides", strides, rank)
    dilation = per_axis("conv_transpose", "dilation_rate", dilation_rate, rank)
    more = _output_padding(output_padding, rank)
    sizes, pads = [], []
    for n, k, stride, spread, added in zip(x.shape[1:-1], w.shape[:-2], step, dilation, more, strict=True):
        reach = (k - 1) * spread + 1
        size, cut = transposed_size(n, reach, stride, padding.lower(), added)
        if size < 1:
            raise ShapeError(
                f"conv_transpose: nothing is left of the result with padding={padding!r} and "
                f"output_padding={output_padding}; received inputs {x.spec} and kernel {w.spec}"
            )
        if size + sum(cut) >= (n - 1) * stride + reach + stride:
            raise ArgumentError(
                f"conv_transpose: output_padding={output_padding} adds positions that no stride of {stride} "
                "accounts for; it must be below the stride"
            )
        sizes.append(size)
        pads.append(cut)
    shape = (x.shape[0], *sizes, w.shape[-2])
    if rank == 1:
        op = Conv2dGradInput((1, step[0]), ((0, 0), pads[0]), (1, dilation[0]), input_shape=(shape[0], 1, *shape[1:]))
        return without_row(op(one_row(x), reshape(w, (1, *w.shape))))
    if rank == 3:
        return _transposed_volume(x, w, step, pads, dilation, shape)
    return Conv2dGradInput((step[0], step[1]), (pads[0], pads[1]), (dilation[0], dilation[1]), input_shape=shape)(x, w)


def _transposed_volume(
    x: Value, w: Value, step: Sequence[int], pads: Sequence[Pair], dilation: Sequence[int], shape: tuple[int, ...]
) -> Value:
    """The reverse of :func:`~pynn.ops.conv.conv_volume`: one product gives what each frame adds to all it reaches."""
    (n, d), taps, (_, depth, h, width, filters) = x.shape[:2], w.shape[0], shape
    image = Conv2dGradInput(
        (step[1], step[2]), (pads[1], pads[2]), (dilation[1], dilation[2]),
        input_shape=(n * d, h, width, taps * filters),
    )  # fmt: skip
    added = reshape(image(frames(x), depth_as_channels(w)), (n, d, 1, h * width, taps * filters))
    y = None
    for tap in range(taps):
        first = tap * dilation[0] - pads[0][0]
        if not any(0 <= i * step[0] + first < depth for i in range(d)):
            continue
        part = slice(added, (0, 0, 0, 0, tap * filters), (n, d, 1, h * width, filters))
        # Frames `stride` apart, from `first` on.
        apart = pad(part, ((0, 0), (0, 0), (0, step[0] - 1), (0, 0), (0, 0)))
        spread = reshape(apart, (n, d * step[0], h, width, filters))
        placed = Pad((0, first, 0, 0, 0), (0, depth - first - d * step[0], 0, 0, 0))(spread)
        y = placed if y is None else Add()(y, placed)
    assert y is not None, "some tap reaches the result"
    return y


def _output_padding(value: int | Sequence[int] | None, rank: int) -> tuple[int | None, ...]:
    """None, or a number that may be 0 for each dimension."""
    if value is None:
        return (None,) * rank
    values = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(values) == 1:
        values *= rank
    if len(values) != rank or not all(isinstance(v, int) and v >= 0 for v in values):
        raise ArgumentError(
            "conv_transpose: output_padding must be an integer of at least 0, one for each dimension, or None, "
            f"received {value!r}"
        )
    return values
