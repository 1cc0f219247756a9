"""What ``metrics=["accuracy"]`` means for a model's targets and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn.losses import LossFunctionWrapper, sparse_categorical_crossentropy
from pynn.metrics.accuracy import BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from pynn.metrics.base import Metric
from pynn.metrics.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)

Shape = Sequence[int | None]


def _kind(loss: Any, y_true_shape: Shape, y_pred_shape: Shape) -> int:
    """0: yes or no; 1: class numbers; 2: one-hot rows.  Keras's rule by shapes; a sparse loss says it too."""
    if len(y_pred_shape) < 2 or y_pred_shape[-1] == 1:
        return 0
    sparse = isinstance(loss, LossFunctionWrapper) and loss.fn is sparse_categorical_crossentropy
    if sparse or len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1:
        return 1
    return 2


def resolve_accuracy(loss: Any, y_true_shape: Shape, y_pred_shape: Shape, name: str = "accuracy") -> Metric:
    """The accuracy that fits: binary for one output, sparse for class numbers, else categorical."""
    kinds = (BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy)
    return kinds[_kind(loss, y_true_shape, y_pred_shape)](name=name)


def resolve_crossentropy(
    loss: Any, y_true_shape: Shape, y_pred_shape: Shape, name: str = "crossentropy", **config: Any
) -> Metric:
    """The cross-entropy that fits, by the same rule."""
    kinds = (BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy)
    return kinds[_kind(loss, y_true_shape, y_pred_shape)](name=name, **config)
