"""The coefficient of determination."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph import trace
from pynn.losses.alignment import broadcast_weights, same_shape
from pynn.metrics.base import Metric
from pynn.metrics.results import as_result
from pynn.utils.arrays import as_float

_NAMES = ("squared_sum", "sum", "residual", "count")
_AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


class R2Score(Metric):
    """``1 - sum((y_true - y_pred)**2) / sum((y_true - mean(y_true))**2)``: 1 is perfect, 0 no better than the mean.

    Args:
        class_aggregation: ``"uniform_average"`` over the outputs, ``"variance_weighted_average"``, or None for a
            score per output.
        num_regressors: how many inputs there are, for the adjusted score; 0 adjusts nothing.

    Shapes:
        targets and predictions ``(batch, outputs)``.

    Example:
        >>> m = R2Score(); m.update_state([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]]); round(float(m.result()), 4)
        0.5714
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: Any = None,
    ):
        super().__init__(dtype, name)
        if class_aggregation not in _AGGREGATIONS:
            raise ArgumentError(
                f"R2Score: class_aggregation must be one of {', '.join(map(repr, _AGGREGATIONS))}, "
                f"received {class_aggregation!r}"
            )
        if num_regressors < 0:
            raise ArgumentError(f"R2Score: num_regressors must not be negative, received {num_regressors}")
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        owner = f"metric '{self.name}'"
        y_true, y_pred = (as_float(trace.as_value(y)) for y in (y_true, y_pred))
        if y_true.ndim != 2 or y_pred.ndim != 2:
            raise ShapeError(
                f"{owner}: expected targets and predictions of shape (batch, outputs), received {y_true.shape} and "
                f"{y_pred.shape}"
            )
        y_true, y_pred = same_shape(owner, y_true, y_pred)
        if not hasattr(self, "residual"):
            for name in _NAMES:
                setattr(self, name, self.add_variable(y_pred.shape[1:], name=name))
        weights = ops.ones_like(y_true)
        if sample_weight is not None:
            _, given = broadcast_weights(owner, y_true, as_float(trace.as_value(sample_weight)))
            weights = ops.broadcast_to(given, y_true.shape)
        weighted = y_true * weights
        parts = (y_true * weighted, weighted, ops.square(y_true - y_pred) * weights, weights)
        for name, part in zip(_NAMES, parts, strict=True):
            getattr(self, name).assign_add(ops.sum(part, axis=0))
        self.num_samples.assign_add(trace.current().constant(float(y_true.size)))

    def result(self) -> Any:
        if not hasattr(self, "residual"):
            return as_result(0.0)
        squared_sum, total, residual, count = (getattr(self, name).array for name in _NAMES)
        spread = squared_sum - total * (total / count)
        # Targets that are all the same have no spread to explain: 0 where they are missed.
        flat = spread == 0
        ratio = np.where(flat, 1.0, residual / np.where(flat, 1.0, spread))
        score: Any = 1.0 - ratio
        if self.class_aggregation == "uniform_average":
            score = np.mean(score)
        elif self.class_aggregation == "variance_weighted_average":
            score = np.sum(score * (spread / np.sum(spread)))
        if self.num_regressors:
            free = self.num_samples.array - (self.num_regressors + 1.0)
            score = 1.0 - (1.0 - score) * ((self.num_samples.array - 1.0) / free)
        return as_result(score)

    def get_config(self) -> dict[str, Any]:
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **own}
