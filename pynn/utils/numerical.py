"""Small array helpers of ``keras.utils``."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.errors import ArgumentError, DtypeError


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """Class numbers to one-hot rows.

    Args:
        x: integers from 0 to ``num_classes - 1``, any shape; a last axis of length 1 is dropped.
        num_classes: number of classes; by default the largest number in ``x`` plus one.

    Returns:
        float64 array of shape ``x.shape + (num_classes,)``.

    Example:
        >>> to_categorical([0, 2, 1])
        array([[1., 0., 0.],
               [0., 0., 1.],
               [0., 1., 0.]])
    """
    given = np.asarray(x)
    if given.dtype.kind not in "fiub":
        raise DtypeError(f"to_categorical: x must hold class numbers, received dtype {given.dtype}")
    classes = given.astype(np.int64)
    if given.dtype.kind == "f" and not np.array_equal(classes, given):
        raise ArgumentError("to_categorical: x must hold whole numbers (class indices), received fractions")
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    if num_classes is None:
        if not classes.size:
            raise ArgumentError("to_categorical: x is empty, so num_classes must be given")
        num_classes = int(classes.max()) + 1
    if classes.size and not (classes.min() >= 0 and classes.max() < num_classes):
        bad = classes[(classes < 0) | (classes >= num_classes)].flat[0]
        raise ArgumentError(
            f"to_categorical: class {bad} is outside 0..{num_classes - 1}; give a larger num_classes "
            "or number the classes from 0"
        )
    return np.eye(num_classes)[classes]


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """Divide ``x`` by its norm of ``order`` along ``axis``; rows of zeros stay zeros.

    Example:
        >>> normalize([[3.0, 4.0]])
        array([[0.6, 0.8]])
    """
    if not isinstance(order, int) or order < 1:
        raise ArgumentError(f"normalize: order must be an integer >= 1, received {order!r}")
    array = np.atleast_2d(np.asarray(x))
    norm = np.linalg.norm(array, order, axis, keepdims=True)
    return array / np.where(norm == 0, 1, norm)
