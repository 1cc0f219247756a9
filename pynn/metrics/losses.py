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
    """Mean squared error over all samples.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.MeanSquaredError()
        >>> metric.update_state([[1.0], [2.0]], [[1.0], [4.0]])
        >>> round(float(metric.result()), 4)
        2.0
    """


class MeanAbsoluteError(FunctionMetric, of=losses.mean_absolute_error):
    """Mean absolute error over all samples.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.MeanAbsoluteError()
        >>> metric.update_state([[1.0], [2.0]], [[1.0], [4.0]])
        >>> round(float(metric.result()), 4)
        1.0
    """


class MeanAbsolutePercentageError(FunctionMetric, of=losses.mean_absolute_percentage_error):
    """Mean absolute error in percent of the targets.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.MeanAbsolutePercentageError()
        >>> metric.update_state([[1.0], [2.0]], [[1.0], [4.0]])
        >>> round(float(metric.result()), 4)
        50.0
    """


class MeanSquaredLogarithmicError(FunctionMetric, of=losses.mean_squared_logarithmic_error):
    """Mean squared difference of logarithms.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.MeanSquaredLogarithmicError()
        >>> metric.update_state([[1.0], [2.0]], [[1.0], [4.0]])
        >>> round(float(metric.result()), 4)
        0.1305
    """


class LogCoshError(FunctionMetric, of=losses.log_cosh, name="logcosh"):
    """Mean logarithm of the hyperbolic cosine of the error.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.LogCoshError()
        >>> metric.update_state([[1.0], [2.0]], [[1.0], [4.0]])
        >>> round(float(metric.result()), 4)
        0.6625
    """


class CosineSimilarity(FunctionMetric, of=cosine_similarity, unwritten=("axis",)):
    """Mean cosine of the angle between targets and predictions: 1 for one direction.

    Example:
        >>> m = CosineSimilarity(); m.update_state([[1.0, 0.0]], [[3.0, 4.0]]); round(float(m.result()), 6)
        0.6
    """


class Hinge(FunctionMetric, of=losses.hinge):
    """Mean margin that is missing; labels -1 and 1, or 0 and 1.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.Hinge()
        >>> metric.update_state([[-1.0, 1.0]], [[0.5, 0.5]])
        >>> round(float(metric.result()), 4)
        1.0
    """


class SquaredHinge(FunctionMetric, of=losses.squared_hinge):
    """Mean square of the margin that is missing.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.SquaredHinge()
        >>> metric.update_state([[-1.0, 1.0]], [[0.5, 0.5]])
        >>> round(float(metric.result()), 4)
        1.25
    """


class CategoricalHinge(FunctionMetric, of=losses.categorical_hinge):
    """Mean margin that is missing to the best wrong class; targets are one-hot.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.CategoricalHinge()
        >>> metric.update_state([[0.0, 1.0, 0.0]], [[0.25, 0.5, 0.25]])
        >>> round(float(metric.result()), 4)
        0.75
    """


class KLDivergence(FunctionMetric, of=losses.kl_divergence):
    """Mean Kullback-Leibler divergence of predicted from given probabilities.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.KLDivergence()
        >>> metric.update_state([[0.5, 0.5]], [[0.25, 0.75]])
        >>> round(float(metric.result()), 4)
        0.1438
    """


class Poisson(FunctionMetric, of=losses.poisson):
    """Mean Poisson loss.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.Poisson()
        >>> metric.update_state([[1.0], [2.0]], [[1.0], [4.0]])
        >>> round(float(metric.result()), 4)
        1.1137
    """


class BinaryCrossentropy(
    FunctionMetric,
    of=losses.binary_crossentropy,
    order=("name", "dtype", "from_logits", "label_smoothing"),
    label_smoothing=0,
):
    """Binary cross-entropy over all samples.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.BinaryCrossentropy()
        >>> metric.update_state([[0.0, 1.0]], [[0.25, 0.75]])
        >>> round(float(metric.result()), 4)
        0.2877
    """


class CategoricalCrossentropy(FunctionMetric, of=losses.categorical_crossentropy, label_smoothing=0):
    """Cross-entropy over all samples; targets are one-hot.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.CategoricalCrossentropy()
        >>> metric.update_state([[0.0, 1.0, 0.0]], [[0.25, 0.5, 0.25]])
        >>> round(float(metric.result()), 4)
        0.6931
    """


class SparseCategoricalCrossentropy(FunctionMetric, of=losses.sparse_categorical_crossentropy):
    """Cross-entropy over all samples; targets are class numbers.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.SparseCategoricalCrossentropy()
        >>> metric.update_state([1], [[0.25, 0.5, 0.25]])
        >>> round(float(metric.result()), 4)
        0.6931
    """


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
