"""One picture turned, moved, sheared, scaled, or in other colours; in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError

FILL_MODES = ("constant", "nearest", "reflect", "wrap")


def apply_affine_transform(
    x: np.ndarray,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """A picture seen through a matrix: where each pixel of the result is taken from.

    As in Keras 3, where x is across and y is down; its centre is ``(rows / 2 - 0.5, columns / 2 - 0.5)`` in this order,
    too, which is the middle of square pictures only.

    Args:
        x: a picture with three axes.
        theta: degrees to turn by.
        tx, ty: columns and rows to move by.
        shear: degrees.
        zx, zy: how many columns and rows of ``x`` one of the result is.
        fill_mode: what is outside: ``"constant"`` (``cval``), ``"nearest"``, ``"reflect"`` or ``"wrap"``.
        order: 0 takes the nearest pixel, 1 mixes four.
    """
    if order not in (0, 1):
        raise ArgumentError(f"apply_affine_transform: order (interpolation_order) must be 0 or 1, received {order!r}")
    if fill_mode not in FILL_MODES:
        raise ArgumentError(f"apply_affine_transform: fill_mode must be one of {FILL_MODES}, received {fill_mode!r}")
    angle, lean = np.deg2rad(theta), np.deg2rad(shear)
    matrix = (
        np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        @ np.array([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
        @ np.array([[1, -np.sin(lean), 0], [0, np.cos(lean), 0], [0, 0, 1]])
        @ np.diag([zx, zy, 1])
    )
    if np.array_equal(matrix, np.eye(3)):
        return x
    picture = np.moveaxis(x, (row_axis, col_axis, channel_axis), (0, 1, 2))  # (h, w, c)
    h, w = picture.shape[:2]
    centre = np.array([h / 2 - 0.5, w / 2 - 0.5])
    shift = matrix[:2, 2] + centre - matrix[:2, :2] @ centre
    grid = np.stack(np.meshgrid(np.arange(w), np.arange(h)))  # (2, h, w): across, down
    columns, rows = np.tensordot(matrix[:2, :2], grid, 1) + shift[:, None, None]
    result = _sample(picture.astype("float64"), rows, columns, fill_mode, cval, order)
    return np.moveaxis(result.astype(x.dtype), (0, 1, 2), (row_axis, col_axis, channel_axis))


def _sample(x: np.ndarray, rows: np.ndarray, columns: np.ndarray, mode: str, cval: float, order: int) -> np.ndarray:
    """The pixels of ``x`` at these places, ``(h, w, c)``."""
    outside = np.zeros(rows.shape, bool)
    places = []
    for at, length in ((rows, x.shape[0]), (columns, x.shape[1])):
        if mode == "constant":
            # A hair beyond the border is a rounding error of the matrix.
            outside |= (at < -1e-9) | (at > length - 1 + 1e-9)
        places.append(_inside(at, length, mode))
    rows, columns = places
    if order == 0:
        result = x[np.floor(rows + 0.5).astype(int), np.floor(columns + 0.5).astype(int)]
    else:
        top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
        below, right = np.minimum(top + 1, x.shape[0] - 1), np.minimum(left + 1, x.shape[1] - 1)
        down, along = (rows - top)[..., None], (columns - left)[..., None]
        upper = x[top, left] * (1 - along) + x[top, right] * along
        result = upper * (1 - down) + (x[below, left] * (1 - along) + x[below, right] * along) * down
    result[outside] = cval
    return result


def _inside(at: np.ndarray, length: int, mode: str) -> np.ndarray:
    """Places outside 0 ... length - 1 brought inside."""
    if mode == "reflect":  # d c b a | a b c d | d c b a
        at = np.mod(at + 0.5, 2 * length)
        at = np.minimum(at, 2 * length - at) - 0.5
    elif mode == "wrap" and length > 1:  # the last pixel is the first of the next copy, as in SciPy
        at = np.where((at < 0) | (at > length - 1), np.mod(at, length - 1), at)
    return np.clip(at, 0, length - 1)


def apply_channel_shift(x: np.ndarray, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """``intensity`` added to all numbers, which stay between the least and the greatest there were."""
    return np.clip(x + intensity, x.min(), x.max())


def apply_brightness_shift(x: np.ndarray, brightness: float, scale: bool = True) -> np.ndarray:
    """A picture made darker (below 1) or brighter, in steps of whole numbers from 0 to 255.

    Args:
        x: a picture; one with numbers outside 0 ... 255 is stretched to them, and back.
        scale: stretch any, and leave it so.
    """
    low, high = float(x.min()), float(x.max())
    outside = low < 0 or high > 255
    y = x.astype("float32")
    if outside or scale:
        y = y - low
        y = y / y.max() * 255 if y.max() else y
    y = np.clip(np.floor(np.floor(y) * np.float32(brightness)), 0, 255)
    if outside and not scale:
        y = y / 255 * (high - low) + low
    return y.astype(x.dtype)


# ---- the same, drawn at random -----------------------------------------------------------------------------------
# These draw from NumPy's global generator, as Keras's do: np.random.seed() makes them repeatable.


def _within(limit: float) -> float:
    return np.random.uniform(-limit, limit)  # noqa: NPY002


def _turned(x: np.ndarray, options: tuple[Any, ...], **transform: float) -> np.ndarray:
    row_axis, col_axis, channel_axis, fill_mode, cval, order = options
    return apply_affine_transform(
        x, **transform, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis, fill_mode=fill_mode,
        cval=cval, order=order,
    )  # fmt: skip


def random_rotation(
    x: np.ndarray, rg: float, row_axis: int = 1, col_axis: int = 2, channel_axis: int = 0, fill_mode: str = "nearest",
    cval: float = 0.0, interpolation_order: int = 1,
) -> np.ndarray:  # fmt: skip
    """A picture turned by up to ``rg`` degrees."""
    options = (row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order)
    return _turned(x, options, theta=_within(rg))


def random_shift(
    x: np.ndarray, wrg: float, hrg: float, row_axis: int = 1, col_axis: int = 2, channel_axis: int = 0,
    fill_mode: str = "nearest", cval: float = 0.0, interpolation_order: int = 1,
) -> np.ndarray:  # fmt: skip
    """A picture moved: x by up to ``hrg`` of its height, y by up to ``wrg`` of its width, as in Keras 3."""
    options = (row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order)
    tx, ty = _within(hrg) * x.shape[row_axis], _within(wrg) * x.shape[col_axis]
    return _turned(x, options, tx=tx, ty=ty)


def random_shear(
    x: np.ndarray, intensity: float, row_axis: int = 1, col_axis: int = 2, channel_axis: int = 0,
    fill_mode: str = "nearest", cval: float = 0.0, interpolation_order: int = 1,
) -> np.ndarray:  # fmt: skip
    """A picture sheared by up to ``intensity`` degrees."""
    options = (row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order)
    return _turned(x, options, shear=_within(intensity))


def random_zoom(
    x: np.ndarray, zoom_range: Sequence[float], row_axis: int = 1, col_axis: int = 2, channel_axis: int = 0,
    fill_mode: str = "nearest", cval: float = 0.0, interpolation_order: int = 1,
) -> np.ndarray:  # fmt: skip
    """A picture zoomed by two factors from a range."""
    low, high = _pair("random_zoom", "zoom_range", zoom_range)
    zx, zy = (1.0, 1.0) if low == high == 1 else np.random.uniform(low, high, 2)  # noqa: NPY002
    options = (row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order)
    return _turned(x, options, zx=zx, zy=zy)


def random_channel_shift(x: np.ndarray, intensity_range: float, channel_axis: int = 0) -> np.ndarray:
    """A picture with up to ``intensity_range`` added."""
    return apply_channel_shift(x, _within(intensity_range), channel_axis)


def random_brightness(x: np.ndarray, brightness_range: Sequence[float], scale: bool = True) -> np.ndarray:
    """A picture made darker or brighter by a factor from a range."""
    low, high = _pair("random_brightness", "brightness_range", brightness_range)
    return apply_brightness_shift(x, np.random.uniform(low, high), scale)  # noqa: NPY002


def _pair(where: str, argument: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ArgumentError(f"{where}: {argument} must be two numbers, received {value!r}")
    return value[0], value[1]
