"""How far predictions rise and fall with the targets."""

from __future__ import annotations

from pynn import ops
from pynn.graph.ir import Value
from pynn.losses.alignment import same_shape
from pynn.metrics.reductions import FunctionMetric
from pynn.settings import epsilon
from pynn.utils.arrays import as_float, traceable


@traceable(arrays=2)
def pearson_correlation(y_true: Value, y_pred: Value, axis: int = -1) -> Value:
    """Covariance divided by both standard deviations, along ``axis``; NaN where one of them is 0.

    Example:
        >>> from pynn import metrics
        >>> metrics.pearson_correlation([[1.0, 2.0, 3.0]], [[1.0, 2.0, 4.0]]).round(4)
        array([0.982], dtype=float32)
    """
    t, p = _centered("pearson_correlation", y_true, y_pred, axis)[:2]
    lengths = ops.sqrt(ops.sum(ops.square(t), axis=axis)) * ops.sqrt(ops.sum(ops.square(p), axis=axis))
    return ops.sum(t * p, axis=axis) / lengths


@traceable(arrays=2)
def concordance_correlation(y_true: Value, y_pred: Value, axis: int = -1) -> Value:
    """``2 * cov / (var_t + var_p + (mean_t - mean_p)**2)`` along ``axis``: 1 only where they are equal.

    Example:
        >>> from pynn import metrics
        >>> metrics.concordance_correlation([[1.0, 2.0, 3.0]], [[1.0, 2.0, 4.0]]).round(4)
        array([0.8571], dtype=float32)
    """
    t, p, distance = _centered("concordance_correlation", y_true, y_pred, axis)
    covariance = ops.mean(t * p, axis=axis)
    spread = ops.mean(ops.square(t), axis=axis) + ops.mean(ops.square(p), axis=axis)
    return 2.0 * covariance / (spread + ops.square(distance) + epsilon())


def _centered(name: str, y_true: Value, y_pred: Value, axis: int) -> tuple[Value, Value, Value]:
    """Both without their means, and the means' difference."""
    y_true, y_pred = same_shape(name, as_float(y_true), as_float(y_pred))
    mean_t, mean_p = (ops.mean(y, axis=axis, keepdims=True) for y in (y_true, y_pred))
    return y_true - mean_t, y_pred - mean_p, ops.squeeze(mean_t - mean_p, axis=axis)


class PearsonCorrelation(FunctionMetric, of=pearson_correlation):
    """Mean correlation of a sample's predictions with its targets.

    Example:
        >>> m = PearsonCorrelation(); m.update_state([[0, 1, 0.5]], [[1, 3, 2]]); round(float(m.result()), 5)
        1.0
    """


class ConcordanceCorrelation(FunctionMetric, of=concordance_correlation):
    """Mean concordance of a sample's predictions with its targets: other means and spreads cost.

    Source:
        L. I. Lin, A Concordance Correlation Coefficient to Evaluate Reproducibility, 1989.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.ConcordanceCorrelation()
        >>> metric.update_state([[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]])
        >>> round(float(metric.result()), 4)
        0.0
    """
