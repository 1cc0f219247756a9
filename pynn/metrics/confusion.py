"""Counts of right and wrong answers at thresholds, and the metrics that are such counts or quotients of two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.losses.alignment import broadcast_weights, same_shape
from pynn.metrics.base import Metric
from pynn.metrics.results import as_result, divide_no_nan
from pynn.ops.embedding import AddRows
from pynn.settings import epsilon
from pynn.utils.arrays import as_float

COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")
#: The score of what is not among the first k, and the threshold below all others.
_LOWEST = -1e10


class ConfusionMetric(Metric):
    """Base of metrics made of counts at thresholds, which are kept in the variables that ``_counted`` names.

    A prediction above a threshold says yes; targets are 0 and 1.  All counting is done inside the step: with evenly
    spaced thresholds each prediction is put into its bucket, so 200 of them cost as much as one.
    """

    _counted: ClassVar[tuple[str, ...]] = COUNTS

    def __init__(self, name: str | None, dtype: Any, thresholds: Sequence[float]):
        super().__init__(dtype, name)
        self.thresholds = list(thresholds)
        self.top_k: int | None = None
        self.class_id: int | None = None
        self.multi_label = False
        self.label_weights: Sequence[float] | None = None
        self.from_logits = False

    def _add_counts(self, labels: int | None = None) -> None:
        shape = (len(self.thresholds),) if labels is None else (len(self.thresholds), labels)
        for name in self._counted:
            setattr(self, name, self.add_variable(shape, "zeros", name=name))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_pred = as_float(trace.as_value(y_pred))
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred)
        weights = None if sample_weight is None else trace.as_value(sample_weight)
        found = self._count(trace.as_value(y_true), y_pred, weights)
        for name in self._counted:
            getattr(self, name).assign_add(found[name])

    def _count(self, y_true: Value, y_pred: Value, weights: Value | None) -> dict[str, Value]:
        """The counts of one batch by name, ``(thresholds,)`` or ``(thresholds, labels)``."""
        owner = f"metric '{self.name}'"
        y_true, y_pred = same_shape(owner, as_float(y_true), y_pred)
        if weights is not None:
            _, weights = broadcast_weights(owner, y_pred, as_float(weights))
            weights = ops.broadcast_to(weights, y_pred.shape)
        for name in ("top_k", "class_id"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | np.integer)):
                raise ArgumentError(f"{owner}: {name} must be a whole number or None, received {value!r}")
        if self.top_k is not None:
            y_pred = ops.where(_among_first(y_pred, self.top_k), y_pred, _LOWEST)
        if self.class_id is not None:
            y_true, y_pred = y_true[..., self.class_id], y_pred[..., self.class_id]
            weights = None if weights is None else weights[..., self.class_id]
        if self.label_weights is not None and not self.multi_label:
            by_label = ops.broadcast_to(trace.as_value(np.asarray(self.label_weights, "float32")), y_pred.shape)
            weights = by_label if weights is None else weights * by_label
        labels = y_pred.shape[-1] if self.multi_label else 1
        if not labels:
            raise ShapeError(f"{owner}: expected predictions of at least one label, received shape {y_pred.shape}")
        rows = (y_pred.size // labels, labels)
        truth, score = ops.reshape(y_true, rows), ops.reshape(y_pred, rows)
        evenly = _evenly_spaced(self.thresholds)
        if not evenly:
            truth = ops.cast(ops.not_equal(truth, 0.0), "float32")
        positive, negative = truth, 1.0 - truth
        if weights is not None:
            weights = ops.reshape(weights, rows)
            positive, negative = positive * weights, negative * weights
        count = _by_bucket if evenly else _by_comparison
        tp, fp = count(score, positive, negative, self.thresholds)  # (thresholds, labels)
        found = (tp, fp, ops.sum(negative, axis=0) - fp, ops.sum(positive, axis=0) - tp)
        shape = tp.shape if self.multi_label else tp.shape[:1]
        return {name: ops.reshape(x, shape) for name, x in zip(COUNTS, found, strict=True)}

    def _states(self) -> list[Any]:
        return [getattr(self, name).array for name in self._counted]

    def _as_result(self, x: Any) -> Any:
        """One number if there is one threshold."""
        return as_result(x[0] if len(self.thresholds) == 1 else x)


def _among_first(scores: Value, k: int) -> Value:
    """1.0 for the ``k`` highest of each row, the first of equal ones first."""
    chosen = ops.zeros_like(scores)
    for _ in range(min(k, scores.shape[-1])):
        best = ops.argmax(ops.where(chosen, -np.inf, scores), axis=-1)
        chosen = chosen + ops.one_hot(best, scores.shape[-1])
    return chosen


def _evenly_spaced(thresholds: Sequence[float]) -> bool:
    n = len(thresholds)
    return n >= 3 and np.allclose(thresholds, np.arange(n) / (n - 1), rtol=0, atol=epsilon() * (1 + 1e-6))


def _by_comparison(score: Value, positive: Value, negative: Value, thresholds: Sequence[float]) -> tuple[Value, Value]:
    """Sums of both kinds of weights where the score is above each threshold; all ``(rows, labels)``."""
    limits = trace.current().constant(np.array(thresholds, "float32")[:, None, None])
    above = ops.cast(ops.greater(ops.expand_dims(score, 0), limits), "float32")  # (thresholds, rows, labels)
    return ops.sum(above * positive, axis=1), ops.sum(above * negative, axis=1)


def _by_bucket(score: Value, positive: Value, negative: Value, thresholds: Sequence[float]) -> tuple[Value, Value]:
    """The same for evenly spaced thresholds: weights are added up between neighbours, then from the last backwards."""
    count, labels = len(thresholds), score.shape[-1]
    steps = ops.clip(score, 0.0, 1.0) * float(count - 1)
    bucket = ops.maximum(-ops.floor(-steps) - 1.0, 0.0)  # the last threshold that the score is above
    column = trace.current().constant(np.arange(labels, dtype="float32"))
    place = ops.cast(ops.reshape(bucket * float(labels) + column, (-1,)), "int32")
    both = ops.concatenate([ops.reshape(x, (-1, 1)) for x in (positive, negative)], axis=-1)
    table = ops.reshape(AddRows(count * labels)(both, place), (count, labels * 2))
    from_here_on = trace.current().constant(np.triu(np.ones((count, count), "float32")))
    sums = ops.reshape(ops.matmul(from_here_on, table), (count, labels, 2))
    return sums[:, :, 0], sums[:, :, 1]


def thresholds_of(name: str, thresholds: Any, default: float) -> list[float]:
    """A list of numbers in [0, 1] from one number, several or None."""
    found = [default] if thresholds is None else list(np.ravel(thresholds))
    numbers = all(isinstance(t, int | float | np.number) for t in found)
    if thresholds is not None and not (numbers and all(0 <= t <= 1 for t in found)):
        raise ArgumentError(f"{name}: thresholds must lie in [0, 1], received {thresholds!r}")
    return [float(t) for t in found]


class _Count(ConfusionMetric):
    """One of the four counts."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None):
        super().__init__(name, dtype, thresholds_of(type(self).__name__, thresholds, 0.5))
        self.init_thresholds = thresholds
        self.accumulator = self.add_variable((len(self.thresholds),), "zeros", name="accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        weights = None if sample_weight is None else trace.as_value(sample_weight)
        found = self._count(trace.as_value(y_true), as_float(trace.as_value(y_pred)), weights)
        self.accumulator.assign_add(found[self._counted[0]])

    def result(self) -> Any:
        return self._as_result(self.accumulator.array * 1.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_Count):
    """How many targets 1 have a prediction above the threshold (0.5 by default), or above each of several.

    Example:
        >>> m = TruePositives(); m.update_state([0, 1, 1, 1], [1, 0, 1, 1]); float(m.result())
        2.0
    """

    _counted = ("true_positives",)


class FalsePositives(_Count):
    """How many targets 0 have a prediction above the threshold.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.FalsePositives()
        >>> metric.update_state([0, 0, 1, 1], [0.1, 0.8, 0.3, 0.9])
        >>> round(float(metric.result()), 4)
        1.0
    """

    _counted = ("false_positives",)


class TrueNegatives(_Count):
    """How many targets 0 have a prediction that is not above the threshold.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.TrueNegatives()
        >>> metric.update_state([0, 0, 1, 1], [0.1, 0.8, 0.3, 0.9])
        >>> round(float(metric.result()), 4)
        1.0
    """

    _counted = ("true_negatives",)


class FalseNegatives(_Count):
    """How many targets 1 have a prediction that is not above the threshold.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.FalseNegatives()
        >>> metric.update_state([0, 0, 1, 1], [0.1, 0.8, 0.3, 0.9])
        >>> round(float(metric.result()), 4)
        1.0
    """

    _counted = ("false_negatives",)


class _Quotient(ConfusionMetric):
    """True positives divided by both counts."""

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        default = 0.5 if top_k is None else _LOWEST
        super().__init__(name, dtype, thresholds_of(type(self).__name__, thresholds, default))
        self.init_thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        self._add_counts()

    def result(self) -> Any:
        true_positives, wrong = self._states()
        return self._as_result(divide_no_nan(true_positives, true_positives + wrong))

    def get_config(self) -> dict[str, Any]:
        own = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **own}


class Precision(_Quotient):
    """How many of the predictions that say yes are right: ``tp / (tp + fp)``.

    Args:
        thresholds: predictions above say yes; 0.5 by default.  Several give a precision each.
        top_k: only the ``k`` highest predictions of a sample may say yes; then there is no threshold by default.
        class_id: look at this class only.

    Example:
        >>> m = Precision(); m.update_state([0, 1, 1, 1], [1, 0, 1, 1]); round(float(m.result()), 4)
        0.6667
    """

    _counted = ("true_positives", "false_positives")


class Recall(_Quotient):
    """How many of the targets 1 are found: ``tp / (tp + fn)``; arguments as of :class:`Precision`.

    Example:
        >>> m = Recall(); m.update_state([0, 1, 1, 1], [1, 0, 1, 1]); round(float(m.result()), 4)
        0.6667
    """

    _counted = ("true_positives", "false_negatives")
