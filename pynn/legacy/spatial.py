"""The functions of Keras 2's ``keras.backend`` for images and volumes: padding, resizing, convolutions, pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops, settings
from pynn.errors import ArgumentError


def _order(where: str, data_format: str | None) -> str:
    data_format = data_format or settings.image_data_format()
    if data_format not in ("channels_last", "channels_first"):
        raise ArgumentError(
            f"K.{where}: data_format must be 'channels_last' or 'channels_first', received {data_format!r}"
        )
    return data_format


def _padded(where: str, x: Any, borders: Sequence[Any], data_format: str | None) -> Any:
    inner = [tuple(pair) for pair in borders]
    last = _order(where, data_format) == "channels_last"
    return ops.pad(x, [(0, 0), *inner, (0, 0)] if last else [(0, 0), (0, 0), *inner])


def temporal_padding(x: Any, padding: Sequence[int] = (1, 1)) -> Any:
    """Zeros before and behind the steps of ``(samples, steps, features)``."""
    return _padded("temporal_padding", x, [padding], "channels_last")


def spatial_2d_padding(x: Any, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> Any:
    """Zeros around images."""
    return _padded("spatial_2d_padding", x, padding, data_format)


def spatial_3d_padding(x: Any, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None) -> Any:
    """Zeros around volumes."""
    return _padded("spatial_3d_padding", x, padding, data_format)


def _repeated(where: str, x: Any, factors: Sequence[int], data_format: str | None) -> Any:
    first = 1 if _order(where, data_format) == "channels_last" else 2
    for axis, factor in enumerate(factors, first):
        x = ops.repeat(x, factor, axis)
    return x


def resize_images(
    x: Any, height_factor: int, width_factor: int, data_format: str | None, interpolation: str = "nearest"
) -> Any:
    """Images larger by whole factors: pixels repeated, or ``"bilinear"`` and the other ways of ``ops.image.resize``."""
    if interpolation == "nearest":
        return _repeated("resize_images", x, (height_factor, width_factor), data_format)
    order = _order("resize_images", data_format)
    rows, columns = ops.shape(x)[1:3] if order == "channels_last" else ops.shape(x)[2:4]
    if rows is None or columns is None:
        raise ArgumentError(f"K.resize_images: the images' height and width must be known, received {ops.shape(x)}")
    size = rows * height_factor, columns * width_factor
    return ops.image.resize(x, size, interpolation, data_format=order)


def resize_volumes(x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: str | None) -> Any:
    """Volumes larger by whole factors: each number repeated."""
    return _repeated("resize_volumes", x, (depth_factor, height_factor, width_factor), data_format)


def conv3d(
    x: Any, kernel: Any, strides: Any = (1, 1, 1), padding: str = "valid", data_format: str | None = None,
    dilation_rate: Any = (1, 1, 1),
) -> Any:  # fmt: skip
    """``keras.ops.conv`` of volumes."""
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def depthwise_conv2d(
    x: Any, depthwise_kernel: Any, strides: Any = (1, 1), padding: str = "valid", data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:  # fmt: skip
    """``keras.ops.depthwise_conv`` of images."""
    return ops.depthwise_conv(x, depthwise_kernel, strides, padding, data_format, dilation_rate)


def separable_conv2d(
    x: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = (1, 1), padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = (1, 1),
) -> Any:  # fmt: skip
    """``keras.ops.separable_conv`` of images."""
    return ops.separable_conv(x, depthwise_kernel, pointwise_kernel, strides, padding, data_format, dilation_rate)


def pool3d(
    x: Any, pool_size: Any, strides: Any = (1, 1, 1), padding: str = "valid", data_format: str | None = None,
    pool_mode: str = "max",
) -> Any:  # fmt: skip
    """The largest number of each window of volumes, or the mean with ``pool_mode="avg"``."""
    if pool_mode not in ("max", "avg"):
        raise ArgumentError(f"K.pool3d: pool_mode must be 'max' or 'avg', received {pool_mode!r}")
    return (ops.max_pool if pool_mode == "max" else ops.average_pool)(x, pool_size, strides, padding, data_format)


def batch_normalization(
    x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
) -> Any:  # fmt: skip
    """``gamma (x - mean) / sqrt(var + epsilon) + beta``; beta and gamma may be None."""
    return ops.batch_normalization(x, mean, var, axis, beta, gamma, epsilon)
