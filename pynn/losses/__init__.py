"""Losses: how far predictions are from targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynn.errors import ArgumentError
from pynn.losses.base import FunctionLoss as _FunctionLoss
from pynn.losses.base import Loss, LossFunctionWrapper
from pynn.losses.circle import Circle, circle
from pynn.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    categorical_generalized_cross_entropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from pynn.losses.ctc import CTC, ctc
from pynn.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
)
from pynn.losses.hinge import CategoricalHinge, Hinge, SquaredHinge, categorical_hinge, hinge, squared_hinge
from pynn.losses.overlap import Dice, Tversky, dice, tversky
from pynn.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    PseudoHuber,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    pseudo_huber,
)
from pynn.utils.lookup import object_of
from pynn.utils.serialization import deserialize_object, serialize_object

_CLASSES: dict[str, Any] = {
    name: c for name, c in globals().items()
    if isinstance(c, type) and issubclass(c, _FunctionLoss) and c is not _FunctionLoss
}  # fmt: skip
#: Each loss function and its class.
_CLASS_OF: dict[Any, Any] = {c.fn: c for c in _CLASSES.values()}
#: Short names, as in Keras; each of them in capitals, too.
_SHORT = {
    "mse": mean_squared_error,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "msle": mean_squared_logarithmic_error,
    "bce": binary_crossentropy,
    "kld": kl_divergence,
}
_BY_NAME: dict[str, Any] = {
    **{f.__name__: f for f in _CLASS_OF},
    **_SHORT,
    **{name.upper(): f for name, f in _SHORT.items()},
    **{"logcosh": log_cosh, "kullback_leibler_divergence": kl_divergence},  # older Keras
    **_CLASSES,
}

__all__ = [
    "CTC", "BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy", "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy", "CategoricalHinge", "Circle", "CosineSimilarity", "Dice", "Hinge", "Huber",
    "KLDivergence", "LogCosh", "Loss", "LossFunctionWrapper", "MeanAbsoluteError", "MeanAbsolutePercentageError",
    "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson", "PseudoHuber", "SparseCategoricalCrossentropy",
    "SquaredHinge", "Tversky", "as_loss", "binary_crossentropy", "binary_focal_crossentropy",
    "categorical_crossentropy", "categorical_focal_crossentropy", "categorical_generalized_cross_entropy",
    "categorical_hinge", "circle", "cosine_similarity", "ctc", "deserialize", "dice", "get", "hinge", "huber",
    "kl_divergence", "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
    "mean_squared_logarithmic_error", "poisson", "pseudo_huber", "serialize", "sparse_categorical_crossentropy",
    "squared_hinge", "tversky",
]  # fmt: skip


def get(identifier: Any) -> Any:
    """A loss from its name, class, config, or any ``f(y_true, y_pred)``; None stays None.

    As in Keras, ``get("mse")`` is the function and ``get("MeanSquaredError")`` an object.

    Example:
        >>> from pynn import losses
        >>> losses.get("mse") is losses.mean_squared_error
        True
    """
    advice = "give a name such as 'mse', a Loss, or a function of (y_true, y_pred)"
    return object_of(identifier, "loss", _BY_NAME, deserialize, advice)


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


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss that :func:`serialize` described, or one of ``custom_objects``."""
    if isinstance(name, Mapping):
        return deserialize_object(name, _CLASSES, "loss", custom_objects)
    return get(name)
