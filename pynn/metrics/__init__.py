"""Metrics: numbers to watch while training, computed inside the training step."""

from __future__ import annotations

from typing import Any

from pynn.errors import ArgumentError
from pynn.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    mean_absolute_error,
    mean_squared_error,
    sparse_categorical_crossentropy,
)
from pynn.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
)
from pynn.metrics.base import Metric
from pynn.metrics.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from pynn.metrics.reductions import Mean, MeanMetricWrapper, Sum
from pynn.metrics.resolve import resolve_accuracy, resolve_crossentropy
from pynn.utils.naming import snake_case, unknown_name
from pynn.utils.serialization import custom_named, deserialize_object, serialize_object

_CLASSES: dict[str, type[Metric]] = {
    c.__name__: c
    for c in (
        Accuracy, BinaryAccuracy, BinaryCrossentropy, CategoricalAccuracy, CategoricalCrossentropy, Mean,
        MeanAbsoluteError, MeanSquaredError, SparseCategoricalAccuracy, SparseCategoricalCrossentropy, Sum,
    )
}  # fmt: skip
_BY_NAME: dict[str, type[Metric]] = {
    **_CLASSES,
    **{snake_case(n): c for n, c in _CLASSES.items()},
    **{"mse": MeanSquaredError, "MSE": MeanSquaredError, "mae": MeanAbsoluteError, "MAE": MeanAbsoluteError},
    **{"bce": BinaryCrossentropy, "BCE": BinaryCrossentropy},
}

__all__ = [
    "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "CategoricalAccuracy", "CategoricalCrossentropy", "Mean",
    "MeanAbsoluteError", "MeanMetricWrapper", "MeanSquaredError", "Metric", "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy", "Sum", "binary_accuracy", "binary_crossentropy",
    "categorical_accuracy", "categorical_crossentropy", "deserialize", "get", "mean_absolute_error",
    "mean_squared_error", "resolve_accuracy", "resolve_crossentropy", "serialize", "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
]  # fmt: skip


def get(identifier: Any) -> Any:
    """A metric from its name, class, config, or any ``f(y_true, y_pred)``; None stays None.

    ``"accuracy"`` gives exact equality here; ``compile`` resolves it by the shapes (:func:`resolve_accuracy`).
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        return deserialize(identifier)
    identifier = custom_named(identifier) or identifier
    if isinstance(identifier, str):
        if identifier not in _BY_NAME:
            raise unknown_name("metric", identifier, _BY_NAME)
        identifier = _BY_NAME[identifier]
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    if callable(identifier):
        return identifier
    raise ArgumentError(
        f"cannot make a metric of {identifier!r}: give a name such as 'accuracy', a Metric, "
        "or a function of (y_true, y_pred)"
    )


def serialize(metric: Any) -> dict[str, Any]:
    """The dictionary :func:`deserialize` takes."""
    return serialize_object(metric, "metrics")


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The metric that :func:`serialize` described, or one of ``custom_objects``."""
    if isinstance(config, dict):
        return deserialize_object(config, _CLASSES, "metric", custom_objects)
    return get(config)
