"""Metrics: numbers to watch while training, computed inside the training step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynn.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from pynn.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from pynn.metrics.base import Metric
from pynn.metrics.confusion import FalseNegatives, FalsePositives, Precision, Recall, TrueNegatives, TruePositives
from pynn.metrics.correlation import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    concordance_correlation,
    pearson_correlation,
)
from pynn.metrics.curves import (
    AUC,
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from pynn.metrics.f_score import F1Score, FBetaScore
from pynn.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from pynn.metrics.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from pynn.metrics.r2_score import R2Score
from pynn.metrics.reductions import Mean, MeanMetricWrapper, Sum
from pynn.metrics.resolve import resolve_accuracy, resolve_crossentropy
from pynn.utils.lookup import object_of
from pynn.utils.naming import snake_case
from pynn.utils.serialization import deserialize_object, serialize_object

_CLASSES: dict[str, type[Metric]] = {
    name: c for name, c in globals().items() if isinstance(c, type) and issubclass(c, Metric)
}
_SHORT: dict[str, type[Metric]] = {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "bce": BinaryCrossentropy,
    "kld": KLDivergence,
    "rmse": RootMeanSquaredError,
}
_BY_NAME: dict[str, type[Metric]] = {
    **{snake_case(n): c for n, c in _CLASSES.items()},
    **_SHORT,
    **{name.upper(): c for name, c in _SHORT.items()},
    **_CLASSES,
}

__all__ = [
    "AUC", "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "BinaryIoU", "CategoricalAccuracy",
    "CategoricalCrossentropy", "CategoricalHinge", "ConcordanceCorrelation", "CosineSimilarity", "F1Score",
    "FBetaScore", "FalseNegatives", "FalsePositives", "Hinge", "IoU", "KLDivergence", "LogCoshError", "Mean",
    "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanIoU", "MeanMetricWrapper", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "Metric", "OneHotIoU", "OneHotMeanIoU", "PearsonCorrelation", "Poisson",
    "Precision", "PrecisionAtRecall", "R2Score", "Recall", "RecallAtPrecision", "RootMeanSquaredError",
    "SensitivityAtSpecificity", "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy", "SpecificityAtSensitivity", "SquaredHinge", "Sum", "TopKCategoricalAccuracy",
    "TrueNegatives", "TruePositives", "binary_accuracy", "binary_crossentropy", "binary_focal_crossentropy",
    "categorical_accuracy", "categorical_crossentropy", "categorical_focal_crossentropy", "categorical_hinge",
    "concordance_correlation", "deserialize", "get", "hinge", "huber", "kl_divergence", "log_cosh",
    "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
    "pearson_correlation", "poisson", "resolve_accuracy", "resolve_crossentropy", "serialize",
    "sparse_categorical_accuracy", "sparse_categorical_crossentropy", "sparse_top_k_categorical_accuracy",
    "squared_hinge", "top_k_categorical_accuracy",
]  # fmt: skip


def get(identifier: Any) -> Any:
    """A metric from its name, class, config, or any ``f(y_true, y_pred)``; None stays None.

    ``"accuracy"`` gives exact equality here; ``compile`` resolves it by the shapes (:func:`resolve_accuracy`).

    Example:
        >>> from pynn import metrics
        >>> metrics.get("mae").name
        'mean_absolute_error'
    """
    advice = "give a name such as 'accuracy', a Metric, or a function of (y_true, y_pred)"
    return object_of(identifier, "metric", _BY_NAME, deserialize, advice)


def serialize(metric: Any) -> dict[str, Any]:
    """The dictionary :func:`deserialize` takes."""
    return serialize_object(metric, "metrics")


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The metric that :func:`serialize` described, or one of ``custom_objects``."""
    if isinstance(config, Mapping):
        return deserialize_object(config, _CLASSES, "metric", custom_objects)
    return get(config)
