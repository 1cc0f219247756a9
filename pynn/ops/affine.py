"""Images turned, scaled, sheared and moved: each new pixel says where in the old image it comes from."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.ops.elementwise import divide
from pynn.ops.image_sampling import INTERPOLATIONS_AT_PLACES, PLACES_OUTSIDE, sample_images
from pynn.ops.images import as_batch
from pynn.ops.math import round as rounded
from pynn.ops.operands import _float
from pynn.ops.selection import saturate_cast
from pynn.ops.shape import broadcast_to, expand_dims, reshape


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
    if interpolation not in INTERPOLATIONS_AT_PLACES or fill_mode not in PLACES_OUTSIDE:
        raise ArgumentError(
            "affine_transform: interpolation must be 'bilinear' or 'nearest' and fill_mode one of "
            f"{', '.join(PLACES_OUTSIDE)}; received {interpolation!r}, {fill_mode!r}"
        )
    x, back = as_batch("affine_transform", images, data_format)
    n, h, w, _ = x.shape
    t = _float(transform)
    t = expand_dims(t, 0) if t.ndim == 1 else t
    if t.ndim != 2 or t.shape[1] != 8 or t.shape[0] not in (1, n):
        raise ShapeError(f"affine_transform: expected 8 numbers, or a row of 8 for each image, received {t.spec}")
    row, column = (g.reshape(1, h * w).astype("float32") for g in np.indices((h, w)))
    m = [reshape(t[:, i], (t.shape[0], 1)) for i in range(8)]  # the map's matrix, row by row, without its last 1
    scale = m[6] * column + m[7] * row + 1.0
    across, down = (broadcast_to(divide(m[i] * column + m[i + 1] * row + m[i + 2], scale), (n, h * w)) for i in (0, 3))
    moved = sample_images(_float(x), down, across, interpolation, fill_mode, fill_value)
    return back(moved if x.spec.is_float else saturate_cast(rounded(moved), x.dtype))
