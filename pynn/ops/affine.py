"""Images turned, scaled, sheared and moved: each new pixel says where in the old image it comes from."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.ops.elementwise import (
    _float,
    absolute,
    clip,
    divide,
    floor,
    greater_equal,
    less_equal,
    logical_and,
    mod,
    multiply,
    where,
)
from pynn.ops.embedding import TakeRows
from pynn.ops.images import as_batch
from pynn.ops.math import round as rounded
from pynn.ops.selection import saturate_cast
from pynn.ops.shape import broadcast_to, cast, expand_dims, reshape

_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Value:
    """Images of the same size whose pixel (x, y) comes from (x', y') of the old ones.

    Args:
        images: one image or a batch of them.
        transform: ``[a0, a1, a2, b0, b1, b2, c0, c1]``, for all or one row for each image:
            ``x' = (a0 x + a1 y + a2) / k``, ``y' = (b0 x + b1 y + b2) / k`` with ``k = c0 x + c1 y + 1``; c0 and c1
            are 0 in an affine map.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_mode: what lies outside: ``"constant"`` (``fill_value``), ``"nearest"`` (the border), ``"wrap"``,
            ``"reflect"`` (the border twice: b a | a b) or ``"mirror"`` (once: b | a b).
        fill_value: see above.
        data_format: None for the configured one.
    """
    if interpolation not in ("bilinear", "nearest") or fill_mode not in _MODES:
        raise ArgumentError(
            "affine_transform: interpolation must be 'bilinear' or 'nearest' and fill_mode one of "
            f"{', '.join(_MODES)}; received {interpolation!r}, {fill_mode!r}"
        )
    x, back = as_batch("affine_transform", images, data_format)
    n, h, w, _ = x.shape
    t = _float(transform)
    t = expand_dims(t, 0) if t.ndim == 1 else t
    if t.ndim != 2 or t.shape[1] != 8 or t.shape[0] not in (1, n):
        raise ShapeError(f"affine_transform: expected 8 numbers, or a row of 8 for each image, received {t.spec}")
    row, column = (np.ascontiguousarray(g, "float32") for g in np.indices((h, w)))
    m = [reshape(t[:, i], (t.shape[0], 1, 1)) for i in range(8)]  # the map's matrix, row by row, without its last 1
    scale = m[6] * column + m[7] * row + 1.0
    across, down = (broadcast_to(divide(m[i] * column + m[i + 1] * row + m[i + 2], scale), (n, h, w)) for i in (0, 3))
    moved = _sampled(_float(x), down, across, interpolation, fill_mode, float(fill_value))
    return back(moved if x.spec.is_float else saturate_cast(rounded(moved), x.dtype))


def _sampled(x: Value, down: Value, across: Value, interpolation: str, mode: str, fill: float) -> Value:
    n, h, w, c = x.shape
    table = reshape(x, (n * h * w, c))
    first = np.arange(n, dtype="int32").reshape(n, 1, 1) * (h * w)

    def pixels(i: Value, j: Value) -> Value:
        inside = None
        if mode == "constant":
            inside = logical_and(_within(i, h), _within(j, w))
        numbers = cast(_folded(i, h, mode), "int32") * w + cast(_folded(j, w, mode), "int32") + first
        found = reshape(TakeRows()(table, reshape(numbers, (n * h * w,))), (n, h, w, c))
        return found if inside is None else where(expand_dims(inside, -1), found, fill)

    if interpolation == "nearest":
        return pixels(rounded(down), rounded(across))
    top, left = floor(down), floor(across)
    total: Any = None
    for i, share_i in ((top, top + 1.0 - down), (top + 1.0, down - top)):
        for j, share_j in ((left, left + 1.0 - across), (left + 1.0, across - left)):
            part = multiply(pixels(i, j), expand_dims(share_i * share_j, -1))
            total = part if total is None else total + part
    return total


def _within(i: Value, length: int) -> Value:
    return logical_and(greater_equal(i, 0.0), less_equal(i, length - 1.0))


def _folded(i: Value, length: int, mode: str) -> Value:
    """Whole numbers, as floats, brought inside 0 .. length - 1."""
    if mode == "wrap":
        i = mod(i, float(length))
    elif mode == "mirror" and length > 1:
        period = 2.0 * (length - 1)
        i = (length - 1.0) - absolute(mod(i, period) - (length - 1.0))
    elif mode == "reflect":
        period = 2.0 * length
        i = (length - 0.5) - absolute(mod(i, period) + 0.5 - length)
    return clip(i, 0.0, length - 1.0)
