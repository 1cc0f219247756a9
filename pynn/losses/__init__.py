"""Losses: how far predictions are from targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pynn.errors import ArgumentError
from pynn.losses.base import Loss, LossFunctionWrapper
from pynn.losses.binary_crossentropy import BinaryCrossentropy, binary_crossentropy
from pynn.losses.categorical_crossentropy import CategoricalCrossentropy, categorical_crossentropy
from pynn.losses.mean_absolute_error import MeanAbsoluteError, mean_absolute_error
from pynn.losses.mean_squared_error import MeanSquaredError, mean_squared_error
from pynn.losses.sparse_categorical_crossentropy import (
    SparseCategoricalCrossentropy,
    sparse_categorical_crossentropy,
)
from pynn.utils.naming import unknown_name
from pynn.utils.serialization import custom_named, deserialize_object, serialize_object

#: Each loss function and its class.
_CLASS_OF: dict[Any, Callable[..., LossFunctionWrapper]] = {
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    mean_absolute_error: MeanAbsoluteError,
    mean_squared_error: MeanSquaredError,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
}
_CLASSES: dict[str, Any] = {c.__name__: c for c in _CLASS_OF.values()}
_BY_NAME: dict[str, Any] = {
    **{f.__name__: f for f in _CLASS_OF},
    **dict.fromkeys(("mse", "MSE"), mean_squared_error),
    **dict.fromkeys(("mae", "MAE"), mean_absolute_error),
    **dict.fromkeys(("bce", "BCE"), binary_crossentropy),
    **_CLASSES,
}

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "Loss", "LossFunctionWrapper", "MeanAbsoluteError",
    "MeanSquaredError", "SparseCategoricalCrossentropy", "as_loss", "binary_crossentropy",
    "categorical_crossentropy", "deserialize", "get", "mean_absolute_error", "mean_squared_error", "serialize",
    "sparse_categorical_crossentropy",
]  # fmt: skip


def get(identifier: Any) -> Any:
    """A loss from its name, class, config, or any ``f(y_true, y_pred)``; None stays None.

    As in Keras, ``get("mse")`` is the function and ``get("MeanSquaredError")`` an object.
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        return deserialize(identifier)
    identifier = custom_named(identifier) or identifier
    if isinstance(identifier, str):
        if identifier not in _BY_NAME:
            raise unknown_name("loss", identifier, _BY_NAME)
        identifier = _BY_NAME[identifier]
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if callable(identifier):
        return identifier
    raise ArgumentError(
        f"cannot make a loss of {identifier!r}: give a name such as 'mse', a Loss, or a function of (y_true, y_pred)"
    )


def as_loss(identifier: Any) -> Loss:
    """Like :func:`get`, but functions come wrapped in their class: what ``compile`` works with."""
    loss = get(identifier)
    if isinstance(loss, Loss):
        return loss
    if loss is None:
        raise ArgumentError("a loss is needed: give a name such as 'mse', a Loss, or a function of (y_true, y_pred)")
    return _CLASS_OF[loss]() if loss in _CLASS_OF else LossFunctionWrapper(loss)


def serialize(loss: Any) -> Any:
    """The dictionary :func:`deserialize` takes."""
    return serialize_object(loss, "losses")


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss that :func:`serialize` described, or one of ``custom_objects``."""
    if isinstance(config, dict):
        return deserialize_object(config, _CLASSES, "loss", custom_objects)
    return get(config)
