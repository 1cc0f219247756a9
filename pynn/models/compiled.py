"""What ``compile`` was given, turned into objects: the losses and the metrics of all outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import losses
from pynn import metrics as metrics_module
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
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
        #: Per output: the running mean of its loss, if there are several; None before the first step.
        self._trackers: list[Any] | None = None
        for weight in flatten(loss_weights):
            if weight is not None and (isinstance(weight, bool) or not isinstance(weight, int | float | np.number)):
                raise ArgumentError(f"compile: loss_weights must hold numbers, received {loss_weights!r}")

    def of_outputs(self, names: Sequence[str]) -> list[tuple[Any, float]]:
        """``(loss or None, weight)`` for each output."""
        chosen = for_outputs("loss", self._losses, names, default=None)
        weights = for_outputs("loss_weights", 1.0 if self._weights is None else self._weights, names, default=1.0)
        if all(loss is None for loss in chosen):
            raise ArgumentError(f"compile: no output has a loss; the outputs are {', '.join(names)}")
        return [(loss, 1.0 if weight is None else float(weight)) for loss, weight in zip(chosen, weights, strict=True)]

    @property
    def metrics(self) -> list[Any]:
        """The running means of the outputs' losses, if there are several."""
        return [tracker for tracker in self._trackers or () if tracker is not None]

    def __call__(self, names: Sequence[str], y_true: Any, y_pred: Any, sample_weight: Any = None) -> Value:
        """The weighted sum of the outputs' losses, traced; brings their running means up to date.

        Args:
            names: of the outputs.
            y_true: for one output its targets; for several a list or dictionary, in which those without a loss may
                be missing.
            y_pred: all outputs, in any structure.
            sample_weight: one for all targets, or a structure like ``y_true``.
        """
        chosen, outputs = self.of_outputs(names), flatten(y_pred)
        targets = by_output(y_true, names, chosen)
        weights = by_output(sample_weight, names, chosen)
        if self._trackers is None:
            several = sum(loss is not None for loss, _ in chosen) > 1
            self._trackers = [metrics_module.Mean(name=f"{name}_loss") if several and loss is not None else None
                              for name, (loss, _) in zip(names, chosen, strict=True)]  # fmt: skip
        total: Any = None
        for (loss, factor), target, output, weight, tracker in zip(
            chosen, targets, outputs, weights, self._trackers, strict=True
        ):
            if loss is None:
                continue
            value = loss(target, output, sample_weight=weight)
            if tracker is not None:
                tracker.update_state(value, sample_weight=float(output.shape[0]))  # a short batch counts for less
            value = value if factor == 1.0 else value * factor
            total = value if total is None else total + value
        return total


class CompiledMetrics(metrics_module.Metric):
    """The metrics given to ``compile``, as one.

    ``"accuracy"`` can only be resolved once the shapes of targets and predictions are known, so metric objects are
    made when the first step is traced.  With several outputs, names in logs begin with the output's, as in Keras.

    Args:
        metrics, weighted_metrics: as ``compile`` takes them; the latter respect sample weights.
        loss: which outputs have targets, and of what kind.
    """

    def __init__(self, metrics: Any, weighted_metrics: Any, loss: CompiledLoss | None):
        super().__init__(name="compile_metrics")
        self._asked = [_checked_metrics("metrics", metrics), _checked_metrics("weighted_metrics", weighted_metrics)]
        self._loss = loss
        #: Names of the outputs of the model; their number may be all that is known of other predictions.
        self.output_names: Sequence[str] | None = None
        #: Per output: its metrics, and whether each is weighted; None before the first step.
        self._of_outputs: list[list[tuple[Any, bool]]] | None = None
        self._labels: dict[str, Any] = {}

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take one batch into account: structures of traced values, as :class:`CompiledLoss` takes them."""
        outputs = flatten(y_pred)
        names = output_names(self.output_names, y_pred)
        chosen = [(True, 1.0)] * len(outputs) if self._loss is None else self._loss.of_outputs(names)
        targets = by_output(y_true, names, chosen)
        weights = by_output(sample_weight, names, chosen)
        if self._of_outputs is None:
            self._of_outputs = self._resolve(names, [loss for loss, _ in chosen], targets, outputs)
        for own, target, output, weight in zip(self._of_outputs, targets, outputs, weights, strict=True):
            for metric, weighted in own:
                if weighted:
                    metric.update_state(target, output, sample_weight=weight)
                else:
                    metric.update_state(target, output)

    def _resolve(
        self, names: Sequence[str], chosen: Sequence[Any], targets: Sequence[Any], outputs: Sequence[Value]
    ) -> list[list[tuple[Any, bool]]]:
        several = len(names) > 1
        asked = [
            for_outputs(argument, wanted or None, names, default=None) if several else [wanted]
            for argument, wanted in zip(("metrics", "weighted_metrics"), self._asked, strict=True)
        ]
        made: list[list[tuple[Any, bool]]] = []
        for name, loss, target, output, *groups in zip(names, chosen, targets, outputs, *asked, strict=True):
            own: list[tuple[Any, bool]] = []
            for wanted, weighted in zip(groups, (False, True), strict=True):
                for one in [] if wanted is None else wanted if isinstance(wanted, list | tuple) else [wanted]:
                    if target is None:
                        raise ArgumentError(
                            f"metrics: the output '{name}' has no loss, so there are no targets to compare with"
                        )
                    metric = _make_metric(one, loss, target.shape, output.shape)
                    own.append((metric, weighted))
                    of_output = f"{name}_" if several else ""
                    label = f"{of_output}{metric.name}"
                    if weighted and label in self._labels:
                        label = f"{of_output}weighted_{metric.name}"
                    if label in self._labels or label == "loss":
                        raise ArgumentError(f"metrics: names must differ, {label} comes more than once")
                    self._labels[label] = metric
            made.append(own)
        return made

    @property
    def metrics(self) -> list[Any]:
        """The metrics themselves; none before the first step."""
        return list(self._labels.values())

    @property
    def variables(self) -> list[Variable]:
        return [v for m in self.metrics for v in m.variables]

    def reset_state(self) -> None:
        for metric in self._labels.values():
            metric.reset_state()

    def result(self) -> dict[str, Any]:
        """Name in logs -> value so far."""
        return {label: metric.result() for label, metric in self._labels.items()}


def _make_metric(asked: Any, loss: Any, y_shape: Sequence[int], y_pred_shape: Sequence[int]) -> Any:
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


def output_names(names: Sequence[str] | None, y_pred: Any) -> list[str]:
    """``names`` if there are as many outputs, else the keys of a dictionary of outputs, else numbers."""
    count = len(flatten(y_pred))
    if names is not None and len(names) == count:
        return list(names)
    if isinstance(y_pred, dict) and len(y_pred) == count:
        return sorted(y_pred)
    return [f"output_{i}" for i in range(count)]


def by_output(given: Any, names: Sequence[str], chosen: Sequence[tuple[Any, float]]) -> list[Any]:
    """The targets or weights of each output, None for those without: ``given`` is one for all, a list in the order of
    the outputs (or of those that have a loss), or a dictionary by their names."""
    if isinstance(given, dict):
        unknown = [key for key in given if key not in names]
        if not unknown:
            return [given.get(name) for name in names]
        given = flatten(given)  # other names, in the same order
    if isinstance(given, list | tuple):
        trained = [i for i, (loss, _) in enumerate(chosen) if loss is not None]
        places = trained if len(given) == len(trained) else list(range(len(names)))
        if len(given) != len(places):
            raise ArgumentError(
                f"expected targets or weights for {len(places)} outputs ({', '.join(names)}), received {len(given)}"
            )
        found = dict(zip(places, given, strict=True))
        return [found.get(i) for i in range(len(names))]
    return [given if loss is not None else None for loss, _ in chosen]


def for_outputs(argument: str, given: Any, names: Sequence[str], default: Any) -> list[Any]:
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


def _checked_metrics(argument: str, metrics: Any) -> Any:
    """``metrics`` itself; an unknown name is an error now, not when the first batch comes."""
    if metrics is None:
        return []
    if isinstance(metrics, str) or not isinstance(metrics, list | tuple | dict):
        raise ArgumentError(f"{argument}: expected a list such as ['accuracy'], received {metrics!r}")
    for asked in flatten(metrics):
        if asked is not None and (not isinstance(asked, str) or asked.lower() not in _BY_SHAPES):
            metrics_module.get(asked)
    return metrics
