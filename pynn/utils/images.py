"""Images in files and in arrays; reading and writing them takes Pillow (``pip install pillow``)."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from pynn import settings
from pynn.errors import ArgumentError, ShapeError, UnreadableImageError
from pynn.layers.resizing import ratio_crop, same_ratio
from pynn.ops.image_sampling import INTERPOLATIONS, resize_matrix

_PILLOW_FILTERS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise ImportError("images in files need the package Pillow: pip install pillow") from None
    return Image


def _order(where: str, data_format: str | None) -> str:
    order = settings.image_data_format() if data_format is None else data_format
    if order not in ("channels_first", "channels_last"):
        raise ArgumentError(
            f"{where}: data_format must be 'channels_first' or 'channels_last', received {data_format!r}"
        )
    return order


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """An image from a file, as Pillow's image.

    Args:
        path: a path, or a BytesIO.
        color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
        target_size: ``(height, width)`` to resize to.
        interpolation: Pillow's ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"hamming"``, ``"box"`` or ``"lanczos"``.
        keep_aspect_ratio: cut off what does not fit the ratio of ``target_size``, instead of stretching.

    Raises:
        ArgumentError: an argument that is none of these.
        UnreadableImageError: no image, or one that ends too early; an ``OSError``, too.
        ImportError: Pillow is not installed.
    """
    if color_mode not in _MODES:
        raise ArgumentError(f"load_img: color_mode must be one of {', '.join(_MODES)}, received {color_mode!r}")
    if interpolation not in _PILLOW_FILTERS:
        raise ArgumentError(
            f"load_img: interpolation must be one of {', '.join(_PILLOW_FILTERS)}, received {interpolation!r}"
        )
    if not isinstance(path, str | os.PathLike | io.BytesIO):
        raise TypeError(f"load_img: path must be a path or a BytesIO, received {type(path).__name__}")
    pillow = _pillow()
    image = _opened(pillow, path)
    deep = color_mode == "grayscale" and image.mode in ("I;16", "I")  # 16 and 32 bits stay
    if not deep and image.mode != _MODES[color_mode]:
        image = image.convert(_MODES[color_mode])
    if target_size is None:
        return image
    height, width = (int(n) for n in target_size)
    if image.size == (width, height):
        return image
    box = None
    if keep_aspect_ratio:
        rows = min(image.height, (image.width * height) // width)
        columns = min(image.width, (image.height * width) // height)
        top, left = (image.height - rows) // 2, (image.width - columns) // 2
        box = (left, top, left + columns, top + rows)
    return image.resize((width, height), getattr(pillow.Resampling, interpolation.upper()), box)


def _opened(pillow: Any, path: Any) -> Any:
    """The image with all its points; Pillow's own errors name neither the file nor a way out."""
    from PIL import UnidentifiedImageError

    data = path if isinstance(path, io.BytesIO) else io.BytesIO(Path(path).read_bytes())
    try:
        image = pillow.open(data)
        image.load()
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError) as error:
        size = len(data.getbuffer())
        name = "the bytes given" if data is path else f"'{os.fspath(path)}'"
        why = "no image that Pillow knows" if isinstance(error, UnidentifiedImageError) else str(error)
        raise UnreadableImageError(
            f"load_img: cannot read {name} ({size:,} bytes): {why}. Fetch the file again or take it out of the folder; "
            "a data set leaves such files out after .ignore_errors()"
        ) from error
    return image


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """The pixels of an image: ``(height, width, channels)``, float32 unless ``dtype`` or ``floatx`` says otherwise.

    Example:
        >>> img_to_array(np.zeros((2, 3), "uint8")).shape
        (2, 3, 1)
    """
    order = _order("img_to_array", data_format)
    x = np.asarray(img, settings.floatx() if dtype is None else dtype)
    if x.ndim == 2:
        return x[None] if order == "channels_first" else x[..., None]
    if x.ndim != 3:
        raise ShapeError(f"img_to_array: expected an image of two or three axes, received shape {x.shape}")
    return x.transpose(2, 0, 1) if order == "channels_first" else x


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """A Pillow image of an array ``(height, width, channels)`` with one, three or four channels.

    Args:
        scale: stretch the numbers so that the lowest is at most 0 and the highest 255.

    Example:
        >>> import numpy as np
        >>> from pynn import utils
        >>> utils.array_to_img(np.zeros((4, 6, 3))).size
        (6, 4)
    """
    order = _order("array_to_img", data_format)
    image = np.asarray(x, settings.floatx() if dtype is None else dtype)
    if image.ndim != 3:
        raise ShapeError(
            f"array_to_img: expected one image (height, width, channels), received shape {image.shape}; take one "
            "image of a batch, or add an axis with numpy.expand_dims"
        )
    if order == "channels_first":
        image = image.transpose(1, 2, 0)
    if scale:
        image = image - min(image.min(), 0)
        highest = image.max()
        if highest:
            image = image / highest
        image = image * 255
    channels = image.shape[2]
    if channels not in (1, 3, 4):
        raise ShapeError(f"array_to_img: expected 1, 3 or 4 channels, received {channels}")
    pillow = _pillow()
    if channels == 1:
        if image.max() > 255:  # 32 bits
            return pillow.fromarray(image[..., 0].astype("int32"))
        return pillow.fromarray(image[..., 0].astype("uint8"))
    return pillow.fromarray(image.astype("uint8"))


def save_img(
    path: Any, x: Any, data_format: str | None = None, file_format: str | None = None, scale: bool = True, **kwargs: Any
) -> None:
    """Write an array as an image file.

    Args:
        path: where to; its suffix says the format unless ``file_format`` does.
        kwargs: passed to Pillow's ``save``.
    """
    image = array_to_img(x, data_format, scale)
    suffix = str(file_format or Path(path).suffix).lower().strip(".") if isinstance(path, str | os.PathLike) else ""
    if image.mode == "RGBA" and (file_format or suffix) in ("jpg", "jpeg"):
        image = image.convert("RGB")
    image.save(path, format="jpeg" if file_format == "jpg" else file_format, **kwargs)


def resized(
    image: np.ndarray,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
) -> np.ndarray:
    """``(..., h, w, c)`` in another size, in NumPy: for images of many sizes a program for each would not pay."""
    height, width = image.shape[-3:-1]
    if crop_to_aspect_ratio:
        rows, columns = ratio_crop(height, width, size)
        top, left = (height - rows) // 2, (width - columns) // 2
        image = image[..., top : top + rows, left : left + columns, :]
    if pad_to_aspect_ratio:
        rows, columns = (max(a, b) for a, b in zip((height, width), same_ratio(height, width, size), strict=True))
        top, left = (rows - height) // 2, (columns - width) // 2
        around = [(0, 0)] * (image.ndim - 3)
        image = np.pad(image, [*around, (top, rows - height - top), (left, columns - width - left), (0, 0)])
    down = resize_matrix(image.shape[-3], size[0], interpolation)
    across = resize_matrix(image.shape[-2], size[1], interpolation)
    image = image.astype("float32", copy=False)
    image = np.moveaxis(np.tensordot(image, down, ([-3], [0])), -1, -3)
    return np.ascontiguousarray(np.moveaxis(np.tensordot(image, across, ([-2], [0])), -1, -2))


def smart_resize(
    x: Any,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    data_format: str = "channels_last",
    **kwargs: Any,
) -> Any:
    """Images in another size without distortion: what does not fit the new ratio of sides is cut off.

    Args:
        x: ``(height, width, channels)`` or a batch of such, with the channels first if ``data_format`` says so.
        size: ``(height, width)``.
        interpolation: ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"lanczos3"`` or ``"lanczos5"``.
        kwargs: ``backend_module``, which Keras's own code passes, has no meaning here.

    Example:
        >>> smart_resize(np.ones((8, 6, 3)), (2, 2)).shape
        (2, 2, 3)
    """
    if set(kwargs) - {"backend_module"}:
        raise TypeError(f"smart_resize() got unexpected arguments: {', '.join(sorted(kwargs))}")
    if len(size) != 2:
        raise ArgumentError(f"smart_resize: size must be (height, width), received {size!r}")
    if interpolation not in INTERPOLATIONS:
        raise ArgumentError(
            f"smart_resize: interpolation must be one of {', '.join(INTERPOLATIONS)}, received {interpolation!r}"
        )
    image = np.asarray(x)
    if image.ndim not in (3, 4):
        raise ShapeError(f"smart_resize: expected an image or a batch of images, received shape {image.shape}")
    first = _order("smart_resize", data_format) == "channels_first"
    if first:
        image = np.moveaxis(image, -3, -1)
    result = resized(image, (int(size[0]), int(size[1])), interpolation, crop_to_aspect_ratio=True)
    return np.moveaxis(result, -1, -3) if first else result
