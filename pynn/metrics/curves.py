"""Areas under curves, and points on them: what a classifier does at all thresholds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.graph import trace
from pynn.metrics.confusion import ConfusionMetric, thresholds_of
from pynn.metrics.results import as_result, divide_no_nan
from pynn.settings import epsilon

_CURVES = ("ROC", "PR", "PRGAIN")
_SUMMATIONS = ("interpolation", "minoring", "majoring")


class AUC(ConfusionMetric):
    """Area under the curve that a classifier draws as its threshold moves.

    Args:
        num_thresholds: how many, evenly spaced from 0 to 1.
        curve: ``"ROC"`` (true over false positive rate), ``"PR"`` (precision over recall), or ``"PRGAIN"``.
        summation_method: ``"interpolation"``, or Riemann sums from below (``"minoring"``) or above (``"majoring"``).
        thresholds: others than evenly spaced ones; 0 and 1 are added.
        multi_label: whether each column of the predictions has a curve of its own; the result is the mean area.
        num_labels: how many columns; those of the first batch by default.
        label_weights: weights of the columns in the mean, or without ``multi_label`` of their counts.
        from_logits: whether a sigmoid is still to be applied.

    Example:
        >>> m = AUC(num_thresholds=3); m.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]); float(m.result())
        0.75

    Sources:
        Davis, Goadrich, The Relationship Between Precision-Recall and ROC Curves, 2006 (interpolation of PR);
        Flach, Kull, Precision-Recall-Gain Curves, 2015.
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ):
        if curve not in _CURVES:
            raise ArgumentError(f"AUC: curve must be one of {', '.join(_CURVES)}, received {curve!r}")
        if summation_method not in _SUMMATIONS:
            raise ArgumentError(
                f"AUC: summation_method must be one of {', '.join(_SUMMATIONS)}, received {summation_method!r}"
            )
        self._given_thresholds = None if thresholds is None else sorted(thresholds_of("AUC", thresholds, 0.5))
        if self._given_thresholds is not None:
            inner = self._given_thresholds
        elif isinstance(num_thresholds, int) and num_thresholds > 1:
            inner = [i / (num_thresholds - 1) for i in range(1, num_thresholds - 1)]
        else:
            raise ArgumentError(f"AUC: num_thresholds must be a whole number above 1, received {num_thresholds!r}")
        super().__init__(name, dtype, [-epsilon(), *inner, 1.0 + epsilon()])
        if label_weights is not None and multi_label and num_labels is None:
            num_labels = len(label_weights)
        if label_weights is not None and num_labels not in (None, len(label_weights)):
            raise ArgumentError(f"AUC: {len(label_weights)} label_weights for {num_labels} labels; give one for each")
        self.num_thresholds, self.curve, self.summation_method = len(self.thresholds), curve, summation_method
        self.multi_label, self.num_labels, self.from_logits = multi_label, num_labels, from_logits
        self.label_weights = None if label_weights is None else [float(w) for w in label_weights]
        self._built = False
        if not multi_label or num_labels is not None:
            self._build(num_labels)

    def _build(self, labels: int | None) -> None:
        self._add_counts(labels if self.multi_label else None)
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_pred = trace.as_value(y_pred)
        if self.multi_label:
            if y_pred.ndim < 2 or (self._built and y_pred.shape[-1] != self.true_positives.shape[-1]):  # type: ignore[attr-defined]
                raise ShapeError(
                    f"metric '{self.name}': multi_label needs predictions (batch, labels)"
                    f"{f' with {self.num_labels} labels' if self.num_labels else ''}, received {y_pred.shape}"
                )
            if not self._built:
                self._build(y_pred.shape[-1])
        super().update_state(y_true, y_pred, sample_weight)

    def result(self) -> Any:
        if not self._built:
            return as_result(0.0)
        counts = self._states()
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _area_under_pr(*counts)
        else:
            x, y = self._points(*counts)
            left, right = y[:-1], y[1:]
            middle = {"minoring": np.minimum, "majoring": np.maximum}.get(
                self.summation_method, lambda a, b: (a + b) * 0.5
            )
            areas = np.sum((x[:-1] - x[1:]) * middle(left, right), axis=0)
        if not self.multi_label:
            return as_result(areas)
        if self.label_weights is None:
            return as_result(np.mean(areas))
        weights = np.asarray(self.label_weights, "float32")
        return as_result(np.sum(areas * weights) / float(weights.sum()))

    def _points(self, tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[Any, Any]:
        recall = divide_no_nan(tp, tp + fn)
        if self.curve == "ROC":
            return divide_no_nan(fp, fp + tn), recall
        if self.curve == "PR":
            return recall, divide_no_nan(tp, tp + fp)
        odds = divide_no_nan(tp + fn, fp + tn)
        recall_gain = np.where(tp > 0, 1.0 - divide_no_nan(fn, tp) * odds, 0.0)
        # Recall that chance alone would give is no gain; precision below that of chance is a loss.
        return np.maximum(recall_gain, 0.0), 1.0 - divide_no_nan(fp, tp) * odds

    def get_config(self) -> dict[str, Any]:
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self.from_logits,
        }
        if self._given_thresholds is not None:
            config["thresholds"] = self._given_thresholds
        return config


def _area_under_pr(tp: Any, fp: Any, tn: Any, fn: Any) -> Any:
    """Between two thresholds tp grows linearly with tp + fp, so precision does not; its integral over recall."""
    said = tp + fp
    rise, run = tp[:-1] - tp[1:], said[:-1] - said[1:]
    slope = divide_no_nan(rise, np.maximum(run, 0.0))
    start = tp[1:] - slope * said[1:]
    both = np.minimum(said[:-1], said[1:]) > 0.0
    ratio = np.where(both, said[:-1] / np.where(both, said[1:], 1.0), 1.0)
    areas = slope * (rise + start * np.log(ratio))
    return np.sum(divide_no_nan(areas, np.maximum(tp[1:] + fn[1:], 0.0)), axis=0)


def _recall(tp: Any, fp: Any, tn: Any, fn: Any) -> Any:
    return divide_no_nan(tp, tp + fn)


def _specificity(tp: Any, fp: Any, tn: Any, fn: Any) -> Any:
    return divide_no_nan(tn, tn + fp)


def _precision(tp: Any, fp: Any, tn: Any, fn: Any) -> Any:
    return divide_no_nan(tp, tp + fp)


class _BestUnderConstraint(ConfusionMetric):
    """The best of one rate at thresholds where another is at least a given value; 0 where it never is."""

    #: The argument that holds the value, and of which rate it is.
    _argument: ClassVar[str]
    _bounded: ClassVar[Callable[..., Any]]
    #: The rate that is asked for.
    _wanted: ClassVar[Callable[..., Any]]

    def __init__(self, value: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any):
        owner = type(self).__name__
        if not 0 <= value <= 1:
            raise ArgumentError(f"{owner}: {self._argument} must lie in [0, 1], received {value!r}")
        if not isinstance(num_thresholds, int) or num_thresholds < 1:
            raise ArgumentError(f"{owner}: num_thresholds must be a whole number above 0, received {num_thresholds!r}")
        n = num_thresholds
        super().__init__(name, dtype, [0.5] if n == 1 else [i / (n - 1) for i in range(n)])
        self.value, self.num_thresholds, self.class_id = value, num_thresholds, class_id
        setattr(self, self._argument, value)
        self._add_counts()

    def result(self) -> Any:
        counts = self._states()
        enough = type(self)._bounded(*counts) >= self.value
        return as_result(np.max(np.where(enough, type(self)._wanted(*counts), 0.0), axis=0))

    def get_config(self) -> dict[str, Any]:
        own = {"class_id": self.class_id, "num_thresholds": self.num_thresholds, self._argument: self.value}
        return {**super().get_config(), **own}


class SensitivityAtSpecificity(_BestUnderConstraint):
    """The best sensitivity ``tp / (tp + fn)`` at thresholds where specificity ``tn / (tn + fp)`` is enough.

    Example:
        >>> m = SensitivityAtSpecificity(0.5)
        >>> m.update_state([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]); float(m.result())
        0.5
    """

    _argument = "specificity"
    _bounded, _wanted = _specificity, _recall

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(_BestUnderConstraint):
    """The best specificity ``tn / (tn + fp)`` at thresholds where sensitivity ``tp / (tp + fn)`` is enough.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.SpecificityAtSensitivity(sensitivity=0.5)
        >>> metric.update_state([0, 0, 1, 1], [0.1, 0.5, 0.3, 0.9])
        >>> round(float(metric.result()), 4)
        1.0
    """

    _argument = "sensitivity"
    _bounded, _wanted = _recall, _specificity

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


class PrecisionAtRecall(_BestUnderConstraint):
    """The best precision ``tp / (tp + fp)`` at thresholds where recall ``tp / (tp + fn)`` is enough.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.PrecisionAtRecall(recall=0.5)
        >>> metric.update_state([0, 0, 1, 1], [0.1, 0.5, 0.3, 0.9])
        >>> round(float(metric.result()), 4)
        1.0
    """

    _argument = "recall"
    _bounded, _wanted = _recall, _precision

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(_BestUnderConstraint):
    """The best recall ``tp / (tp + fn)`` at thresholds where precision ``tp / (tp + fp)`` is enough.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.RecallAtPrecision(precision=0.8)
        >>> metric.update_state([0, 0, 1, 1], [0.1, 0.5, 0.3, 0.9])
        >>> round(float(metric.result()), 4)
        0.5
    """

    _argument = "precision"
    _bounded, _wanted = _precision, _recall

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(precision, num_thresholds, class_id, name, dtype)
