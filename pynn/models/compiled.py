"""What ``compile`` was given, turned into objects: the loss, the metrics, and their running totals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import losses
from pynn import metrics as metrics_module
from pynn.errors import ArgumentError
from pynn.graph.variable import Variable
from pynn.utils.structure import flatten, map_structure

_ACCURACY, _CROSSENTROPY = ("accuracy", "acc"), ("crossentropy", "ce")
_BY_SHAPES = (*_ACCURACY, *_CROSSENTROPY)


class CompiledLoss:
    """The loss of each output, with its weight.

    Args:
        loss: one for all outputs, or a list, or a dictionary by the outputs' names; None for an output that is not
            trained.
        loss_weights: a number for one output, else a list or a dictionary like ``loss``.
    """

    def __init__(self, loss: Any, loss_weights: Any = None):
        self._losses = map_structure(lambda one: None if one is None else losses.as_loss(one), loss)
        self._weights = loss_weights
        for weight in flatten(loss_weights):
            if weight is not None and (isinstance(weight, bool) or not isinstance(weight, int | float | np.number)):
                raise ArgumentError(f"compile: loss_weights must hold numbers, received {loss_weights!r}")

    def of_outputs(self, names: Sequence[str]) -> list[tuple[Any, float]]:
        """``(loss or None, weight)`` for each output."""
        chosen = _for_outputs("loss", self._losses, names, default=None)
        weights = _for_outputs("loss_weights", 1.0 if self._weights is None else self._weights, names, default=1.0)
        if all(loss is None for loss in chosen):
            raise ArgumentError(f"compile: no output has a loss; the outputs are {', '.join(names)}")
        return [(loss, 1.0 if weight is None else float(weight)) for loss, weight in zip(chosen, weights, strict=True)]


class CompiledMetrics:
    """The loss's running mean and the user's metrics.

    ``"accuracy"`` can only be resolved once the shapes of targets and predictions are known, so metric objects are
    made when the first step is traced.  With several outputs, names in logs begin with the output's, as in Keras, and
    each output's loss has a running mean of its own.
    """

    def __init__(self, metrics: Any):
        self._asked = _checked_metrics(metrics)
        self.loss_tracker = metrics_module.Mean(name="loss")
        #: Per output: the running mean of its loss, if there are several.
        self.output_losses: list[Any] = []
        #: Per output: its metrics; None before the first step.
        self.metrics: list[list[Any]] | None = None
        self._labels: dict[str, Any] = {"loss": self.loss_tracker}

    def resolve(
        self, names: Sequence[str], chosen: Sequence[Any], shapes: Sequence[tuple[Sequence[int], Sequence[int]] | None]
    ) -> list[list[Any]]:
        """The metric objects of each output, made at the first call.

        Args:
            names: of the outputs.
            chosen: their losses.
            shapes: of targets and predictions; None for an output without targets.
        """
        if self.metrics is not None:
            return self.metrics
        several = len(names) > 1
        asked = _for_outputs("metrics", self._asked or None, names, default=None) if several else [self._asked]
        labels: dict[str, Any] = {"loss": self.loss_tracker}
        if sum(loss is not None for loss in chosen) > 1:
            trackers = [None if loss is None else metrics_module.Mean(name=f"{name}_loss")
                        for name, loss in zip(names, chosen, strict=True)]  # fmt: skip
            labels.update((tracker.name, tracker) for tracker in trackers if tracker is not None)
            self.output_losses = trackers
        made: list[list[Any]] = []
        for name, wanted, loss, shape in zip(names, asked, chosen, shapes, strict=True):
            wanted = [] if wanted is None else list(wanted) if isinstance(wanted, list | tuple) else [wanted]
            if wanted and shape is None:
                raise ArgumentError(
                    f"metrics: the output '{name}' has no loss, so there are no targets to compare with"
                )
            made.append([self._make(m, loss, *shape) for m in wanted] if shape is not None else [])
            for metric in made[-1]:
                label = f"{name}_{metric.name}" if several else metric.name
                if label in labels:
                    raise ArgumentError(f"metrics: names must differ, {label} comes more than once")
                labels[label] = metric
        self.metrics, self._labels = made, labels
        return made

    def _make(self, asked: Any, loss: Any, y_shape: Sequence[int], y_pred_shape: Sequence[int]) -> Any:
        word = asked.lower() if isinstance(asked, str) else ""
        if word in _ACCURACY:
            metric = metrics_module.resolve_accuracy(loss, tuple(y_shape), tuple(y_pred_shape))
        elif word in _CROSSENTROPY:
            metric = metrics_module.resolve_crossentropy(loss, tuple(y_shape), tuple(y_pred_shape))
        else:
            metric = metrics_module.get(asked)
        if not isinstance(metric, metrics_module.Metric):
            metric = metrics_module.MeanMetricWrapper(metric, name=getattr(metric, "__name__", "metric"))
        if isinstance(asked, str):
            metric.name = asked
        return metric

    @property
    def all(self) -> list[Any]:
        """The loss's mean first, then the outputs' losses, then the metrics as given."""
        return list(self._labels.values())

    @property
    def names(self) -> list[str]:
        """What each of :attr:`all` is called in logs."""
        return list(self._labels)

    @property
    def variables(self) -> list[Variable]:
        return [v for m in self.all for v in m.variables]

    def reset(self) -> None:
        for metric in self._labels.values():
            metric.reset_state()

    def results(self) -> dict[str, float]:
        """Name -> value so far, the loss first."""
        return {name: metric.result() for name, metric in self._labels.items()}


def _for_outputs(argument: str, given: Any, names: Sequence[str], default: Any) -> list[Any]:
    """One of ``given`` for each output: the same for all, by place, or by name."""
    if isinstance(given, dict):
        unknown = [key for key in given if key not in names]
        if unknown:
            raise ArgumentError(
                f"compile: {argument} has the key {unknown[0]!r}, but the model's outputs are "
                f"{', '.join(map(repr, names))}"
            )
        return [given.get(name, default) for name in names]
    if isinstance(given, list | tuple):
        if len(given) != len(names):
            raise ArgumentError(
                f"compile: {argument} has {len(given)} entries for {len(names)} outputs ({', '.join(names)}); "
                "give one for each output, or a dictionary by their names"
            )
        return list(given)
    return [given] * len(names)


def _checked_metrics(metrics: Any) -> Any:
    """``metrics`` itself; an unknown name is an error now, not when the first batch comes."""
    if metrics is None:
        return []
    if isinstance(metrics, str) or not isinstance(metrics, list | tuple | dict):
        raise ArgumentError(f"metrics: expected a list such as ['accuracy'], received {metrics!r}")
    for asked in flatten(metrics):
        if asked is not None and (not isinstance(asked, str) or asked.lower() not in _BY_SHAPES):
            metrics_module.get(asked)
    return metrics
