"""One step of a model as one compiled program: traced once per signature, then a single native call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn import config
from pynn.executor.native import compile_graph
from pynn.graph.autodiff import gradients
from pynn.graph.ir import Graph, Spec
from pynn.graph.trace import Trace

if TYPE_CHECKING:
    from pynn.models.model import Model


def spec_of(array: np.ndarray) -> Spec:
    """The spec of a feed."""
    return Spec(array.shape, str(array.dtype))


def trace_train(model: Model, specs: Sequence[Spec]) -> Graph:
    """Forward, loss, metrics, backward, optimizer: the graph of ``train_on_batch``.

    ``specs`` are those of x, y and, if given, the sample weights.
    """
    with Trace() as trace:
        x, y, weight = _inputs(trace, specs)
        y_pred = model(x, training=True)
        loss = model._compute_loss(y, y_pred, weight)
        model._update_metrics(y, y_pred, weight, loss)
        variables = model.trainable_variables
        model.optimizer.build(variables)
        found = gradients(loss, [trace.read(v) for v in variables])
        model.optimizer.apply(found, variables)
        return trace.finish([])


def trace_test(model: Model, specs: Sequence[Spec]) -> Graph:
    """Forward, loss, metrics: the graph of ``test_on_batch``."""
    with Trace() as trace:
        x, y, weight = _inputs(trace, specs)
        y_pred = model(x, training=False)
        model._update_metrics(y, y_pred, weight, model._compute_loss(y, y_pred, weight))
        return trace.finish([])


def trace_predict(model: Model, specs: Sequence[Spec]) -> Graph:
    """Forward only."""
    with Trace() as trace:
        return trace.finish([model(trace.input("x", specs[0]), training=False)])


def _inputs(trace: Trace, specs: Sequence[Spec]) -> tuple[Any, Any, Any]:
    values = [trace.input(name, spec) for name, spec in zip(("x", "y", "sample_weight"), specs, strict=False)]
    return values[0], values[1], values[2] if len(values) > 2 else None


class StepPrograms:
    """The compiled programs of one model, by kind of step and signature.

    The last, shorter batch of an epoch is a second signature; both share the process's arena.
    """

    _TRACERS = {"train": trace_train, "test": trace_test, "predict": trace_predict}

    def __init__(self, model: Model):
        self._model = model
        self._programs: dict[Any, Any] = {}

    def clear(self) -> None:
        """Forget all programs: the model, its loss or what is trainable has changed."""
        self._programs.clear()

    def get(self, kind: str, arrays: Sequence[np.ndarray]) -> Any:
        """The program for this kind of step on arrays of these shapes and dtypes."""
        trainable = self._model._trainable_signature() if kind != "predict" else None
        key = (kind, trainable, config.conv_precision(), *((a.shape, a.dtype) for a in arrays))
        program = self._programs.get(key)
        if program is None:
            specs = [spec_of(a) for a in arrays]
            graph = self._TRACERS[kind](self._model, specs)
            title = f"{kind} step of '{self._model.name}' for {', '.join(map(str, specs))}"
            program = self._programs[key] = compile_graph(graph, title=title)
        return program
