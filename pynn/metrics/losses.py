"""Losses watched as metrics: averages over samples, weighted by sample weights only."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import losses, ops
from pynn.graph.ir import Value
from pynn.losses.alignment import same_shape
from pynn.metrics.reductions import FunctionMetric, Mean
from pynn.metrics.results import as_result, divide_no_nan
from pynn.utils.arrays import as_float, traceable


@traceable(arrays=2)
def cosine_similarity(y_true: Value, y_pred: Value, axis: int = -1) -> Value:
    """The cosine of the angle between targets and predictions; the loss of this name is its negative."""
    return -losses.cosine_similarity(y_true, y_pred, axis=axis)


class MeanSquaredError(FunctionMetric, of=losses.mean_squared_error):
    """Mean squared error over all samples."""


class MeanAbsoluteError(FunctionMetric, of=losses.mean_absolute_error):
    """Mean absolute error over all samples."""


class MeanAbsolutePercentageError(FunctionMetric, of=losses.mean_absolute_percentage_error):
    """Mean absolute error in percent of the targets."""


class MeanSquaredLogarithmicError(FunctionMetric, of=losses.mean_squared_logarithmic_error):
    """Mean squared difference of logarithms."""


class LogCoshError(FunctionMetric, of=losses.log_cosh, name="logcosh"):
    """Mean logarithm of the hyperbolic cosine of the error."""


class CosineSimilarity(FunctionMetric, of=cosine_similarity, unwritten=("axis",)):
    """Mean cosine of the angle between targets and predictions: 1 for one direction.

    Example:
        >>> m = CosineSimilarity(); m.update_state([[1.0, 0.0]], [[3.0, 4.0]]); round(float(m.result()), 6)
        0.6
    """


class Hinge(FunctionMetric, of=losses.hinge):
    """Mean margin that is missing; labels -1 and 1, or 0 and 1."""


class SquaredHinge(FunctionMetric, of=losses.squared_hinge):
    """Mean square of the margin that is missing."""


class CategoricalHinge(FunctionMetric, of=losses.categorical_hinge):
    """Mean margin that is missing to the best wrong class; targets are one-hot."""


class KLDivergence(FunctionMetric, of=losses.kl_divergence):
    """Mean Kullback-Leibler divergence of predicted from given probabilities."""


class Poisson(FunctionMetric, of=losses.poisson):
    """Mean Poisson loss."""


class BinaryCrossentropy(
    FunctionMetric,
    of=losses.binary_crossentropy,
    order=("name", "dtype", "from_logits", "label_smoothing"),
    label_smoothing=0,
):
    """Binary cross-entropy over all samples."""


class CategoricalCrossentropy(FunctionMetric, of=losses.categorical_crossentropy, label_smoothing=0):
    """Cross-entropy over all samples; targets are one-hot."""


class SparseCategoricalCrossentropy(FunctionMetric, of=losses.sparse_categorical_crossentropy):
    """Cross-entropy over all samples; targets are class numbers."""


class RootMeanSquaredError(Mean):
    """Root of the mean squared error over all numbers seen.

    Example:
        >>> m = RootMeanSquaredError(); m.update_state([[0.0, 1.0]], [[1.0, 2.0]]); float(m.result())
        1.0
    """

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None):
        super().__init__(name, dtype)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        y_true, y_pred = same_shape(self.name, as_float(y_true), as_float(y_pred))
        super().update_state(ops.square(y_true - y_pred), sample_weight)

    def result(self) -> Any:
        mean = divide_no_nan(self.total.array, self.count.array)
        return as_result(np.sqrt(mean))
