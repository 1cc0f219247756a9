"""``(x, y, sample_weight)`` in one piece, as training steps take it, and weights of samples from weights of classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.errors import ArgumentError


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """``x, y, sample_weight`` of what a step or a generator gave; None for what is not there.

    Raises:
        ArgumentError: a tuple of more than three.

    Example:
        >>> unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if not isinstance(data, list | tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ArgumentError(
            "expected data as x, (x,), (x, y) or (x, y, sample_weight), "
            f"received a {type(data).__name__} of {len(data)}"
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The opposite of :func:`unpack_x_y_sample_weight`: ``x`` alone stays bare, unless it is itself a list or a tuple.

    Example:
        >>> pack_x_y_sample_weight(1, 2)
        (1, 2)
    """
    if y is None and sample_weight is None:
        return (x,) if isinstance(x, list | tuple) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def weights_of_classes(y: np.ndarray, class_weight: Any) -> np.ndarray:
    """One weight for each class number in ``y``, or each one-hot row; 1 for classes that are not listed.

    Args:
        y: ``(n,)``, ``(n, 1)`` or one-hot ``(n, classes)``; time steps may come between.
        class_weight: ``{class number: weight}``.

    Raises:
        ArgumentError: not such a dictionary.
    """
    numbers = int | float | np.number
    if not isinstance(class_weight, dict) or not all(
        isinstance(k, int | np.integer) and isinstance(w, numbers) for k, w in class_weight.items()
    ):
        raise ArgumentError(
            f"class_weight: expected a dictionary of class numbers and weights such as {{0: 1.0, 1: 2.5}}, "
            f"received {class_weight!r}"
        )
    if y.ndim > 1:
        y = y[..., 0] if y.shape[-1] == 1 else np.argmax(y, axis=-1)
    classes, places = np.unique(np.round(y).astype(np.int64), return_inverse=True)
    weights = np.array([class_weight.get(int(c), 1.0) for c in classes], np.float32)
    return weights[places].reshape(y.shape)
