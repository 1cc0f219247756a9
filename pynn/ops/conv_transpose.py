"""Transposed convolution: the input's gradient of a convolution, used as an operation of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.ops.conv import Conv2dGradInput, Pair, pair_of, require_channels_last


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
    """2D transposed convolution, as ``keras.ops.conv_transpose``: each input pixel adds its multiple of the kernel.

    It is the gradient of :func:`conv` with respect to its input, with sizes as Keras defines them.

    Args:
        inputs: images, (n, h, w, channels).
        kernel: (kh, kw, filters, channels).
        strides: distance in the result between neighbouring pixels of the input, one number or (vertical, horizontal).
        padding: "valid" (everything the kernel reaches) or "same" (``size * stride`` results).
        output_padding: rows and columns added to the result at the bottom and right, one number or (vertical,
            horizontal); None for the sizes above.
        data_format: "channels_last" or None.
        dilation_rate: distance between the kernel's taps, one number or (vertical, horizontal).

    Returns:
        (n, oh, ow, filters).

    Raises:
        ShapeError: the kernel does not fit the images, or nothing would be left of the result.
        ArgumentError: an argument has a value that it cannot take.
    """
    x, w = as_value(inputs), as_value(kernel)
    require_channels_last("conv_transpose", data_format)
    if x.ndim != 4 or w.ndim != 4:
        raise ShapeError(
            "conv_transpose: expected inputs (n, h, w, channels) and a kernel (kh, kw, filters, channels), "
            f"received inputs {x.spec} and kernel {w.spec}; only 2D convolutions exist so far"
        )
    if x.shape[3] != w.shape[3]:
        raise ShapeError(
            f"conv_transpose: expected a kernel (kh, kw, filters, channels) with the {x.shape[3]} channels of the "
            f"inputs, received inputs {x.spec} and kernel {w.spec}"
        )
    if not isinstance(padding, str) or padding.lower() not in ("valid", "same"):
        raise ArgumentError(f"conv_transpose: padding must be 'valid' or 'same', received {padding!r}")
    step = pair_of("conv_transpose", "strides", strides)
    dilation = pair_of("conv_transpose", "dilation_rate", dilation_rate)
    more = _output_padding(output_padding)
    sizes, pads = [], []
    for d in (0, 1):
        reach = (w.shape[d] - 1) * dilation[d] + 1
        size, pad = transposed_size(x.shape[1 + d], reach, step[d], padding.lower(), more[d])
        if size < 1:
            raise ShapeError(
                f"conv_transpose: nothing is left of the result with padding={padding!r} and "
                f"output_padding={output_padding}; received inputs {x.spec} and kernel {w.spec}"
            )
        if size + sum(pad) >= (x.shape[1 + d] - 1) * step[d] + reach + step[d]:
            raise ArgumentError(
                f"conv_transpose: output_padding={output_padding} adds rows or columns that no stride of {step[d]} "
                "accounts for; it must be below the stride"
            )
        sizes.append(size)
        pads.append(pad)
    shape = (x.shape[0], sizes[0], sizes[1], w.shape[2])
    return Conv2dGradInput(step, (pads[0], pads[1]), dilation, input_shape=shape)(x, w)


def _output_padding(value: int | Sequence[int] | None) -> tuple[int | None, int | None]:
    """None, or a number that may be 0 for each dimension."""
    if value is None:
        return None, None
    pair = (value, value) if isinstance(value, int) else tuple(value)
    if len(pair) != 2 or not all(isinstance(v, int) and v >= 0 for v in pair):
        raise ArgumentError(
            "conv_transpose: output_padding must be an integer of at least 0, a pair of them, or None, "
            f"received {value!r}"
        )
    return pair[0], pair[1]
