"""What ``compile`` was given, turned into objects: the loss, the metrics, and their running totals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import metrics as metrics_module
from pynn.errors import ArgumentError
from pynn.graph.variable import Variable

_ACCURACY, _CROSSENTROPY = ("accuracy", "acc"), ("crossentropy", "ce")
_BY_SHAPES = (*_ACCURACY, *_CROSSENTROPY)


class CompiledMetrics:
    """The loss's running mean and the user's metrics.

    ``"accuracy"`` can only be resolved once the shapes of targets and predictions are known, so metric objects are
    made when the first step is traced.
    """

    def __init__(self, metrics: Any, loss: Any):
        self._asked = [_checked(m) for m in _as_list(metrics)]
        self._loss = loss
        self.loss_tracker = metrics_module.Mean(name="loss")
        self.metrics: list[Any] | None = None

    def resolve(self, y_shape: Sequence[int], y_pred_shape: Sequence[int]) -> list[Any]:
        """The metric objects, made at the first call."""
        if self.metrics is None:
            self.metrics = [self._make(m, y_shape, y_pred_shape) for m in self._asked]
            names = [m.name for m in self.all]
            twice = sorted({n for n in names if names.count(n) > 1})
            if twice:
                self.metrics = None
                raise ArgumentError(f"metrics: names must differ, {', '.join(twice)} comes more than once")
        return self.metrics

    def _make(self, asked: Any, y_shape: Sequence[int], y_pred_shape: Sequence[int]) -> Any:
        word = asked.lower() if isinstance(asked, str) else ""
        if word in _ACCURACY:
            metric = metrics_module.resolve_accuracy(self._loss, tuple(y_shape), tuple(y_pred_shape))
        elif word in _CROSSENTROPY:
            metric = metrics_module.resolve_crossentropy(self._loss, tuple(y_shape), tuple(y_pred_shape))
        else:
            metric = metrics_module.get(asked)
        if not isinstance(metric, metrics_module.Metric):
            metric = metrics_module.MeanMetricWrapper(metric, name=getattr(metric, "__name__", "metric"))
        if isinstance(asked, str):
            metric.name = asked
        return metric

    @property
    def all(self) -> list[Any]:
        """The loss's mean first, then the metrics as given."""
        return [self.loss_tracker, *(self.metrics or ())]

    @property
    def variables(self) -> list[Variable]:
        return [v for m in self.all for v in m.variables]

    def reset(self) -> None:
        for metric in self.all:
            metric.reset_state()

    def results(self) -> dict[str, float]:
        """Name -> value so far, the loss first."""
        return {m.name: m.result() for m in self.all}


def _checked(asked: Any) -> Any:
    """``asked``; an unknown name is an error now, not when the first batch comes."""
    if not isinstance(asked, str) or asked.lower() not in _BY_SHAPES:
        metrics_module.get(asked)
    return asked


def _as_list(metrics: Any) -> list[Any]:
    if metrics is None:
        return []
    if isinstance(metrics, (str, dict)) or not isinstance(metrics, Sequence):
        raise ArgumentError(f"metrics: expected a list such as ['accuracy'], received {metrics!r}")
    return list(metrics)
