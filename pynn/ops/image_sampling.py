"""Images read at places between and beyond their pixels: what resizing and warping share."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.graph.ir import Value
from pynn.graph.trace import as_value
from pynn.ops.comparison import greater_equal, less_equal
from pynn.ops.elementwise import abs, clip, floor, minimum, sign
from pynn.ops.embedding import take
from pynn.ops.images import RESAMPLING_KERNELS, resampling_weights
from pynn.ops.matmul import matmul
from pynn.ops.shape import cast, reshape, transpose

#: What layers take where an image is read outside of itself, and what ops take.
FILL_MODES = ("constant", "nearest", "wrap", "reflect")
PLACES_OUTSIDE = ("constant", "nearest", "wrap", "mirror", "reflect")
INTERPOLATIONS_AT_PLACES = ("nearest", "bilinear")
INTERPOLATIONS = ("nearest", *RESAMPLING_KERNELS)


def resize_matrix(length: int, size: int, interpolation: str, antialias: bool = False) -> np.ndarray:
    """(length, size): how much of each of ``length`` pixels is in each of the ``size`` new ones.

    Result i lies at ``(i + 0.5) length / size - 0.5`` among the pixels; weights beyond the border go to the others.
    With ``antialias`` the weights reach as far as the new pixels are large.
    """
    if interpolation == "nearest":
        nearest = np.floor((np.arange(size) + 0.5) * length / size).astype(int)
        return (np.arange(length)[:, None] == nearest).astype("float32")
    return np.ascontiguousarray(resampling_weights(length, size, interpolation, antialias).T)


def resize_images(x: Value, size: tuple[int, int], interpolation: str, antialias: bool = False) -> Value:
    """``(n, h, w, c)`` to ``(n, *size, c)``: two products, the rows' and the columns'."""
    for axis, length in zip((1, 2), size, strict=True):
        weights = resize_matrix(x.shape[axis], length, interpolation, antialias)
        order = (0, 2, 3, 1) if axis == 1 else (0, 1, 3, 2)
        y = matmul(transpose(x, order), as_value(weights, x.dtype))
        x = transpose(y, (0, 3, 1, 2) if axis == 1 else (0, 1, 3, 2))
    return x


def affine_images(
    x: Value, matrix: tuple[Any, Any, Any, Any, Any, Any], interpolation: str, fill_mode: str, fill_value: float
) -> Value:
    """Images ``(n, h, w, c)`` read at ``(a0 x + a1 y + a2, b0 x + b1 y + b2)``.

    Args:
        matrix: ``a0, a1, a2, b0, b1, b2``, each a number or ``(n, 1)``.
        interpolation: "nearest" or "bilinear".
        fill_mode: what lies outside: "constant" (``fill_value``), "nearest", "wrap" or "reflect" (c b a | a b c);
            "mirror" (c b | a b c) as well.
    """
    _, h, w, _ = x.shape
    rows, columns = (as_value(v.reshape(1, -1).astype("float32"), x.dtype) for v in np.mgrid[:h, :w])
    a0, a1, a2, b0, b1, b2 = (as_value(v, x.dtype) for v in matrix)
    across = columns * a0 + rows * a1 + a2  # (n, h * w)
    down = columns * b0 + rows * b1 + b2
    return sample_images(x, down, across, interpolation, fill_mode, fill_value)


def sample_images(x: Value, down: Value, across: Value, interpolation: str, fill_mode: str, fill_value: float) -> Value:
    """Images ``(n, h, w, c)`` of which each pixel is read at a row ``down`` and a column ``across``, ``(n, h * w)``.

    Args:
        interpolation: one of ``INTERPOLATIONS_AT_PLACES``.
        fill_mode: one of ``PLACES_OUTSIDE``.
        fill_value: what lies outside with ``fill_mode="constant"``.
    """
    n, h, w, c = x.shape
    if interpolation == "nearest":
        corners = [(_nearest(down), _nearest(across), None)]
    else:
        top, left = floor(down), floor(across)
        lower, right = down - top, across - left
        corners = [
            (top, left, (1.0 - lower) * (1.0 - right)),
            (top, left + 1.0, (1.0 - lower) * right),
            (top + 1.0, left, lower * (1.0 - right)),
            (top + 1.0, left + 1.0, lower * right),
        ]
    total = None
    for row, column, weight in corners:
        part = read_pixels(x, _inside(row, h, fill_mode), _inside(column, w, fill_mode))
        if fill_mode == "constant":
            held = reshape(_is_inside(row, h, x.dtype) * _is_inside(column, w, x.dtype), (n, h * w, 1))
            part = part * held + float(fill_value) * (1.0 - held)
        if weight is not None:
            part = part * reshape(weight, (n, h * w, 1))
        total = part if total is None else total + part
    assert total is not None
    return reshape(total, (n, h, w, c))


def read_pixels(x: Value, rows: Value, columns: Value) -> Value:
    """The pixels of images ``(n, h, w, c)`` at whole ``rows`` and ``columns``, ``(n, k)``; gives ``(n, k, c)``."""
    n, h, w, c = x.shape
    within = rows * float(w) + columns
    first = np.broadcast_to(np.arange(n)[:, None] * (h * w), within.shape)
    if n * h * w <= 1 << 24:  # so far a float32 counts exactly, and sums of whole numbers have no kernel
        places = cast(within + as_value(first.astype("float32"), x.dtype), "int32")
    else:
        places = cast(within, "int32") + as_value(first.astype("int32"))
    return take(reshape(x, (n * h * w, c)), places, 0)


def _nearest(at: Value) -> Value:
    """Rounded, halves away from zero."""
    return sign(at) * floor(abs(at) + 0.5)


def _inside(at: Value, length: int, fill_mode: str) -> Value:
    """Which of ``length`` pixels stands for the one at whole ``at``."""
    if fill_mode == "wrap":
        return at - floor(at / float(length)) * float(length)
    if fill_mode in ("reflect", "mirror"):  # back and forth, with the border twice or once
        twice = fill_mode == "reflect"
        period = 2.0 * length if twice else max(2.0 * length - 2.0, 1.0)
        at = at - floor(at / period) * period
        return minimum(at, period - 1.0 - at if twice else period - at)
    return clip(at, 0.0, length - 1.0)


def _is_inside(at: Value, length: int, dtype: str) -> Value:
    return cast(greater_equal(at, 0.0), dtype) * cast(less_equal(at, length - 1.0), dtype)
