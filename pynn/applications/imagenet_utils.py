"""Images into what a network was trained with, and its 1,000 numbers into the names of ImageNet's classes."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from pynn import ops, settings
from pynn.applications.weight_files import WeightFile, find
from pynn.errors import ArgumentError, ShapeError

__all__ = ["decode_predictions", "preprocess_input"]

CLASS_INDEX = WeightFile(
    "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json",
    "c2c37ea517e94d9795004a39431a14cb",
)
#: Of ImageNet's pixels: red, green, blue.
_MEAN = (123.68, 116.779, 103.939)
#: The same of pixels from 0 to 1.
UNIT_MEAN, UNIT_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_MODES = ("caffe", "tf", "torch")


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Pixels 0 ... 255 in the range that a network was trained with.

    Args:
        x: one image or a batch, red, green and blue: an array, or a traced or symbolic tensor. An array of floats is
            changed in place; of other numbers, a new one comes.
        data_format: None is ``pynn.config.image_data_format()``.
        mode: ``"tf"``: -1 ... 1; ``"torch"``: 0 ... 1, then minus the mean and divided by the deviation of ImageNet's
            colours; ``"caffe"``: blue, green, red, minus the mean.

    Returns:
        The same shape; float32 unless the input had another float dtype.

    Raises:
        ArgumentError: an unknown mode or data format.

    Example:
        >>> import numpy as np
        >>> preprocess_input(np.array([[[[0, 127.5, 255]]]]), mode="tf").tolist()
        [[[[-1.0, 0.0, 1.0]]]]
    """
    if mode not in _MODES:
        raise ArgumentError(f"preprocess_input: mode must be one of {', '.join(_MODES)}, received {mode!r}")
    data_format = data_format or settings.image_data_format()
    if data_format not in ("channels_first", "channels_last"):
        raise ArgumentError(
            f"preprocess_input: data_format must be channels_first or channels_last, received {data_format!r}"
        )
    axis = -3 if data_format == "channels_first" else -1
    if mode == "caffe":
        offset, scale = np.array(_MEAN[::-1]), None
    elif mode == "torch":
        offset, scale = 255 * np.array(UNIT_MEAN), 255 * np.array(UNIT_DEVIATION)
    else:
        offset, scale = np.array([127.5]), np.array([127.5])
    if axis == -3:
        offset, scale = offset[:, None, None], None if scale is None else scale[:, None, None]
    return (_of_array if type(x) is np.ndarray else _of_tensor)(x, mode == "caffe", axis, offset, scale)


def _of_array(x: np.ndarray, swap: bool, axis: int, offset: np.ndarray, scale: np.ndarray | None) -> np.ndarray:
    if not np.issubdtype(x.dtype, np.floating):
        x = x.astype("float32")
    if swap:
        x = np.flip(x, axis)  # a view: the colours of the given array are not moved, only counted backwards
    x -= offset.astype(x.dtype)
    if scale is not None:
        x /= scale.astype(x.dtype)
    return x


def _of_tensor(x: Any, swap: bool, axis: int, offset: np.ndarray, scale: np.ndarray | None) -> Any:
    if "float" not in str(x.dtype):
        x = ops.cast(x, "float32")
    if swap:
        x = ops.flip(x, axis)
    x = x - offset.astype("float32")
    return x if scale is None else x / scale.astype("float32")


@cache
def _classes() -> list[tuple[str, str]]:
    """(WordNet's id, name) of each class."""
    table = json.loads(find(CLASS_INDEX).read_text())
    return [tuple(table[str(i)]) for i in range(len(table))]


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, Any]]]:
    """The most probable classes by name.

    Args:
        preds: ``(images, 1000)``.
        top: how many for each image.

    Returns:
        For each image ``(WordNet's id, name, probability)``, most probable first.

    Raises:
        ShapeError: not 1,000 numbers per image.
        DataNotFoundError: the class index (35 kB) is not here and could not be downloaded.
    """
    preds = np.asarray(preds)
    if preds.ndim != 2 or preds.shape[1] != 1000:
        raise ShapeError(
            f"decode_predictions names ImageNet's classes: it needs an array of (images, 1000), received {preds.shape}"
        )
    names = _classes()
    return [[(*names[i], row[i]) for i in np.argsort(row)[::-1][:top]] for row in preds]


def preprocessing(mode: str) -> Callable[..., Any]:
    """``preprocess_input`` of a family of networks."""

    def preprocess(x: Any, data_format: str | None = None) -> Any:
        return preprocess_input(x, data_format, mode)

    preprocess.__name__ = preprocess.__qualname__ = "preprocess_input"
    preprocess.__doc__ = f"Pixels as this network takes them: :func:`imagenet_utils.preprocess_input`, ``{mode!r}``."
    return preprocess


def unchanged(x: Any, data_format: str | None = None) -> Any:
    """The pixels as they are, 0 ... 255: the network rescales them itself; ``data_format`` changes nothing."""
    return x


unchanged.__name__ = unchanged.__qualname__ = "preprocess_input"
