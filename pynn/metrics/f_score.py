"""F-scores: precision and recall of each class in one number."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph import trace
from pynn.losses.alignment import broadcast_weights, same_shape
from pynn.metrics.base import Metric
from pynn.metrics.results import as_result, divide_no_nan
from pynn.utils.arrays import as_float

_NAMES = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")


class FBetaScore(Metric):
    """``(1 + beta**2) * precision * recall / (beta**2 * precision + recall)`` of each class.

    Args:
        average: None for a score per class; ``"micro"`` counts all classes together, ``"macro"`` is the mean over
            classes, ``"weighted"`` the mean weighted by the number of targets.
        beta: how many times as important recall is as precision.
        threshold: predictions above say yes; by default only the highest of a sample does.

    Shapes:
        targets (0 and 1) and predictions ``(batch, classes)``.

    Example:
        >>> m = FBetaScore(beta=2.0, threshold=0.5)
        >>> m.update_state([[1, 1], [1, 0], [1, 1]], [[0.2, 0.6], [0.2, 0.6], [0.6, 0.8]])
        >>> m.result().numpy().round(3)
        array([0.385, 0.909], dtype=float32)
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: Any = None,
    ):
        super().__init__(dtype, name)
        owner = type(self).__name__
        if average not in (None, "micro", "macro", "weighted"):
            raise ArgumentError(f"{owner}: average must be None, 'micro', 'macro' or 'weighted', received {average!r}")
        if not isinstance(beta, float) or beta <= 0:
            raise ArgumentError(f"{owner}: beta must be a float above 0, received {beta!r}")
        if threshold is not None and not (isinstance(threshold, float) and 0 < threshold <= 1):
            raise ArgumentError(f"{owner}: threshold must be a float in (0, 1] or None, received {threshold!r}")
        self.average, self.beta, self.threshold = average, beta, threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        owner = f"metric '{self.name}'"
        y_true, y_pred = (as_float(trace.as_value(y)) for y in (y_true, y_pred))
        if y_true.ndim != 2 or y_pred.ndim != 2:
            raise ShapeError(
                f"{owner}: expected targets and predictions of shape (batch, classes), received {y_true.shape} and "
                f"{y_pred.shape}"
            )
        y_true, y_pred = same_shape(owner, y_true, y_pred)
        if not hasattr(self, "true_positives"):
            for name in _NAMES:
                setattr(self, name, self.add_variable(y_pred.shape[1:] if self.average != "micro" else (), name=name))
        limit = ops.max(y_pred, axis=-1, keepdims=True) if self.threshold is None else self.threshold
        says_yes = ops.greater_equal(y_pred, limit) if self.threshold is None else ops.greater(y_pred, limit)
        answer = ops.cast(says_yes, "float32")
        axis = None if self.average == "micro" else 0
        parts = (y_true * answer, answer * (1.0 - y_true), (1.0 - answer) * y_true, y_true)
        for name, part in zip(_NAMES, parts, strict=True):
            if sample_weight is not None:
                part, weights = broadcast_weights(owner, part, as_float(trace.as_value(sample_weight)))
                part = part * weights
            getattr(self, name).assign_add(ops.sum(part, axis=axis))

    def result(self) -> Any:
        if not hasattr(self, "true_positives"):
            return as_result(0.0)
        tp, fp, fn, targets = (getattr(self, name).array for name in _NAMES)
        precision, recall = divide_no_nan(tp, tp + fp), divide_no_nan(tp, tp + fn)
        square = self.beta**2
        score = (1.0 + square) * divide_no_nan(precision * recall, square * precision + recall)
        if self.average == "macro":
            return as_result(np.mean(score))
        if self.average == "weighted":
            return as_result(np.sum(score * divide_no_nan(targets, np.sum(targets) + 0.0 * targets)))
        return as_result(score)

    def get_config(self) -> dict[str, Any]:
        own = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return {**super().get_config(), **own}


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall of each class; arguments as of :class:`FBetaScore`.

    Example:
        >>> m = F1Score(average="macro", threshold=0.5)
        >>> m.update_state([[1, 0], [0, 1]], [[0.9, 0.1], [0.8, 0.7]]); round(float(m.result()), 4)
        0.8333
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: Any = None,
    ):
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["beta"]
        return config
