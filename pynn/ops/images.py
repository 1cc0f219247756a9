"""Images resized, cut, framed and recoloured: ``(h, w, channels)``, or a batch of them.

Resampling is separable, and its weights depend on sizes alone: a resized image is two matrix products with constants.
Weights: R. Keys, "Cubic convolution interpolation" (1981), a = -1/2; Lanczos's windowed sinc.  Colours: A. R. Smith,
"Color gamut transform pairs" (1978).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, DtypeError, ShapeError
from pynn.graph.ir import Value
from pynn.graph.symbolic import with_plain
from pynn.graph.trace import as_value
from pynn.ops.arrange import moveaxis, stack, unstack
from pynn.ops.comparison import equal, greater, where
from pynn.ops.einsum import einsum
from pynn.ops.elementwise import absolute, clip, divide, maximum, minimum, mod, multiply
from pynn.ops.embedding import take
from pynn.ops.indexing import get_item
from pynn.ops.math import round as rounded
from pynn.ops.operands import _float
from pynn.ops.pad import concatenate, pad
from pynn.ops.reduce import sum as reduce_sum
from pynn.ops.selection import saturate_cast
from pynn.ops.shape import expand_dims, squeeze

_FORMATS = (None, "channels_last", "channels_first")


def as_batch(function: str, images: Any, data_format: str | None) -> tuple[Value, Callable[[Value], Value]]:
    """The images as (n, h, w, c), and the way back to how they came."""
    from pynn import config

    if data_format not in _FORMATS:
        raise ArgumentError(f"{function}: data_format must be one of {_FORMATS}, received {data_format!r}")
    x = as_value(images)
    if x.ndim not in (3, 4):
        raise ShapeError(f"{function}: expected one image (3 axes) or a batch of them (4 axes), received {x.spec}")
    single = x.ndim == 3
    first = (data_format or config.image_data_format()) == "channels_first"
    x = expand_dims(x, 0) if single else x
    x = moveaxis(x, 1, -1) if first else x

    def back(y: Value) -> Value:
        y = moveaxis(y, -1, 1) if first else y
        return squeeze(y, 0) if single else y

    return x, back


# ---- resizing ------------------------------------------------------------------------------------------------------


def _triangle(t: np.ndarray) -> np.ndarray:
    return np.maximum(0, 1 - np.abs(t))


def _keys(t: np.ndarray) -> np.ndarray:
    t = np.abs(t)
    near, far = (1.5 * t - 2.5) * t * t + 1, ((-0.5 * t + 2.5) * t - 4) * t + 2
    return np.where(t < 1, near, np.where(t < 2, far, 0))


def _lanczos(lobes: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda t: np.where(np.abs(t) < lobes, np.sinc(t) * np.sinc(t / lobes), 0)


RESAMPLING_KERNELS = {"bilinear": _triangle, "bicubic": _keys, "lanczos3": _lanczos(3), "lanczos5": _lanczos(5)}


def resampling_weights(before: int, after: int, interpolation: str, antialias: bool) -> np.ndarray:
    """``[after, before]``: how much of each old pixel a new one gets.  Pixels' centres are at halves."""
    step = before / after
    centres = (np.arange(after) + 0.5) * step - 0.5
    width = max(step, 1.0) if antialias else 1.0  # a shrinking image is smoothed by a wider kernel
    weights = RESAMPLING_KERNELS[interpolation]((centres[:, None] - np.arange(before)) / width)
    return (weights / weights.sum(1, keepdims=True)).astype("float32")


@with_plain("size")
def resize(
    images: Any,
    size: Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Value:
    """Images of another size.

    Args:
        images: (h, w, c) or (n, h, w, c), channels first if ``data_format`` says so.
        size: (height, width) of the results.
        interpolation: ``nearest``, ``bilinear``, ``bicubic``, ``lanczos3`` or ``lanczos5``.
        antialias: whether shrinking smooths, so that no pixel is left out.
        crop_to_aspect_ratio: cut the images to the shape of ``size`` first, around their middle.
        pad_to_aspect_ratio: frame them to that shape instead.
        fill_mode: ``"constant"``.
        fill_value: what the frame holds.
        data_format: None for the configured one.

    Returns:
        Images of the same dtype; whole numbers are rounded.

    Example:
        >>> from pynn import ops
        >>> ops.image.resize(ops.ones((2, 8, 6, 3)), (4, 4)).shape
        (2, 4, 4, 3)
    """
    if interpolation not in ("nearest", *RESAMPLING_KERNELS):
        raise ArgumentError(
            f"resize: interpolation must be one of nearest, {', '.join(RESAMPLING_KERNELS)}, received {interpolation!r}"
        )
    if fill_mode != "constant" or (crop_to_aspect_ratio and pad_to_aspect_ratio):
        raise ArgumentError(
            "resize: fill_mode must be 'constant', and images are cropped or padded, not both; received "
            f"fill_mode={fill_mode!r}, crop_to_aspect_ratio={crop_to_aspect_ratio}, "
            f"pad_to_aspect_ratio={pad_to_aspect_ratio}"
        )
    target = tuple(int(n) for n in size)
    if len(target) != 2 or min(target) < 1:
        raise ArgumentError(f"resize: size must be (height, width) of at least 1, received {size!r}")
    x, back = as_batch("resize", images, data_format)
    h, w = x.shape[1:3]
    tall, wide = int(w * target[0] / target[1]), int(h * target[1] / target[0])
    if crop_to_aspect_ratio:
        ch, cw = max(min(h, tall), 1), max(min(w, wide), 1)
        top, left = (h - ch) // 2, (w - cw) // 2
        x = get_item(x, (slice(None), slice(top, top + ch), slice(left, left + cw)))
    elif pad_to_aspect_ratio:
        # As Keras does it, the same border on both sides: an odd one makes the frame one narrower.
        top, left = (max(h, tall) - h) // 2, (max(w, wide) - w) // 2
        x = pad(x, ((0, 0), (top, top), (left, left), (0, 0)), constant_values=fill_value)
    return back(_resampled(x, target, interpolation, antialias))


def _resampled(x: Value, target: tuple[int, ...], interpolation: str, antialias: bool) -> Value:
    dtype = x.dtype
    for axis, after in ((1, target[0]), (2, target[1])):
        before = x.shape[axis]
        if before == after:
            continue
        if interpolation == "nearest":
            places = np.floor((np.arange(after) + 0.5) * (before / after)).astype("int32")
            x = take(x, places, axis=axis)
        else:
            weights = resampling_weights(before, after, interpolation, antialias)
            x = einsum("oh,bhwc->bowc" if axis == 1 else "ow,bhwc->bhoc", weights, _float(x))
    return x if x.dtype == dtype else saturate_cast(rounded(x), dtype)


# ---- cutting and framing ---------------------------------------------------------------------------------------------


def _sides(function: str, length: int, before: Any, after: Any, target: Any, shrinks: bool) -> tuple[int, int]:
    """Two of the three numbers give the third."""
    sign = -1 if shrinks else 1
    if (before is None) + (after is None) + (target is None) != 1:
        raise ArgumentError(
            f"{function}: give exactly two of the border before, the border behind and the target size of each axis; "
            f"received {before}, {after}, {target}"
        )
    if before is None:
        before = sign * (target - length) - after
    if after is None:
        after = sign * (target - length) - before
    if before < 0 or after < 0 or length + sign * (before + after) < 1:
        raise ArgumentError(f"{function}: a length of {length} with borders {before} and {after} is not possible")
    return int(before), int(after)


def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Value:
    """Images without their borders; of top, bottom and target height two are given, of left, right and width, too.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> x = np.ones((1, 8, 8, 3))
        >>> ops.image.crop_images(x, 2, 2, target_height=4, target_width=4).shape
        (1, 4, 4, 3)
    """
    x, back = as_batch("crop_images", images, data_format)
    top, bottom = _sides("crop_images", x.shape[1], top_cropping, bottom_cropping, target_height, True)
    left, right = _sides("crop_images", x.shape[2], left_cropping, right_cropping, target_width, True)
    rows, columns = slice(top, x.shape[1] - bottom), slice(left, x.shape[2] - right)
    return back(get_item(x, (slice(None), rows, columns)))


def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Value:
    """Images in a frame of zeros; of top, bottom and target height two are given, of left, right and width, too.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> x = np.ones((1, 8, 8, 3))
        >>> ops.image.pad_images(x, 2, 2, target_height=12, target_width=12).shape
        (1, 12, 12, 3)
    """
    x, back = as_batch("pad_images", images, data_format)
    rows = _sides("pad_images", x.shape[1], top_padding, bottom_padding, target_height, False)
    columns = _sides("pad_images", x.shape[2], left_padding, right_padding, target_width, False)
    return back(pad(x, ((0, 0), rows, columns, (0, 0))))


def extract_patches(
    images: Any,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    dilation_rate: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Value:
    """Each window's pixels in one row: (n, windows down, windows across, height * width * channels).

    Args:
        images: one image or a batch of them.
        size: of a window.
        strides: from window to window; its size by default.
        dilation_rate: from pixel to pixel of a window.
        padding: ``"valid"`` or ``"same"`` (zeros around the images).
        data_format: None for the configured one.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> ops.image.extract_patches(np.ones((1, 8, 8, 3)), size=4).shape
        (1, 2, 2, 48)
    """
    from pynn.ops.spatial import per_axis, resolve_padding

    window = per_axis("extract_patches", "size", size, 2)
    step = window if strides is None else per_axis("extract_patches", "strides", strides, 2)
    apart = per_axis("extract_patches", "dilation_rate", dilation_rate, 2)
    x, back = as_batch("extract_patches", images, data_format)
    borders = resolve_padding("extract_patches", padding, x.shape[1:3], window, step, apart)
    x = pad(x, ((0, 0), *borders, (0, 0)))
    reach = [(k - 1) * a + 1 for k, a in zip(window, apart, strict=True)]
    counts = [(n - r) // s + 1 for n, r, s in zip(x.shape[1:3], reach, step, strict=True)]
    if min(counts) < 1:
        raise ShapeError(f"extract_patches: {x.spec} holds no window of {window}")

    def every(axis: int, offset: int) -> slice:
        first = offset * apart[axis]
        return slice(first, first + (counts[axis] - 1) * step[axis] + 1, step[axis])

    taps = [(i, j) for i in range(window[0]) for j in range(window[1])]
    return back(concatenate([get_item(x, (slice(None), every(0, i), every(1, j))) for i, j in taps], -1))


# ---- colours ---------------------------------------------------------------------------------------------------------


def _colours(function: str, images: Any, data_format: str | None) -> tuple[Value, Callable[[Value], Value]]:
    x, back = as_batch(function, images, data_format)
    if not x.spec.is_float:
        raise DtypeError(f"{function}: expected floats, received {x.spec}; use ops.cast(images, 'float32') / 255")
    if x.shape[-1] != 3:
        raise ShapeError(f"{function}: expected 3 channels, received {x.spec}")
    return x, back


def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Value:
    """The brightness of each pixel, one channel: 0.2989 red + 0.587 green + 0.114 blue (ITU-R BT.601).

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> ops.image.rgb_to_grayscale(np.ones((1, 2, 2, 3))).shape
        (1, 2, 2, 1)
    """
    x, back = as_batch("rgb_to_grayscale", images, data_format)
    if x.shape[-1] == 1:
        return back(x)
    if x.shape[-1] != 3:
        raise ShapeError(f"rgb_to_grayscale: expected 3 channels or 1, received {x.spec}")
    grey = reduce_sum(multiply(_float(x), np.array([0.2989, 0.587, 0.114], "float32")), axis=-1, keepdims=True)
    return back(grey if x.spec.is_float else saturate_cast(grey, x.dtype))


def rgb_to_hsv(images: Any, data_format: str | None = None) -> Value:
    """Hue, saturation and value, all from 0 to 1, of red, green and blue from 0 to 1.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> ops.image.rgb_to_hsv(np.array([[[1.0, 0.0, 0.0]]]))  # red
        array([[[0., 1., 1.]]], dtype=float32)
    """
    x, back = _colours("rgb_to_hsv", images, data_format)
    r, g, b = unstack(x, axis=-1)
    top = maximum(r, maximum(g, b))
    spread = top - minimum(r, minimum(g, b))
    grey = equal(spread, 0.0)
    sixth = divide(1.0, where(grey, 1.0, spread)) * (1 / 6)
    # Each third of the circle begins at the colour that is the largest.
    turn = where(equal(top, r), (g - b) * sixth, where(equal(top, g), (b - r) * sixth + 1 / 3, (r - g) * sixth + 2 / 3))
    hue = where(grey, 0.0, where(greater(0.0, turn), turn + 1.0, turn))
    saturation = where(greater(top, 0.0), divide(spread, where(greater(top, 0.0), top, 1.0)), 0.0)
    return back(stack([hue, saturation, top], axis=-1))


def hsv_to_rgb(images: Any, data_format: str | None = None) -> Value:
    """Red, green and blue of hue, saturation and value, all from 0 to 1.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> ops.image.hsv_to_rgb(np.array([[[0.0, 1.0, 1.0]]]))  # red
        array([[[1., 0., 0.]]], dtype=float32)
    """
    x, back = _colours("hsv_to_rgb", images, data_format)
    hue, saturation, value = unstack(x, axis=-1)
    # A colour is full within a sixth of its own place on the circle, and fades over the next sixth.
    channels = []
    for place in (0.0, 2.0, 4.0):
        distance = absolute(mod(hue * 6.0 - place + 3.0, 6.0) - 3.0)
        channels.append(value * (1.0 - saturation * clip(distance - 1.0, 0.0, 1.0)))
    return back(stack(channels, axis=-1))
