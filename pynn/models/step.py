"""One step of a model as one compiled program: traced once per signature, then a single native call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn import config
from pynn.executor.native import compile_graph
from pynn.graph.autodiff import gradients
from pynn.graph.ir import Graph, Spec, Value
from pynn.graph.trace import Trace
from pynn.utils.structure import flatten, pack

if TYPE_CHECKING:
    from pynn.models.model import Model


def spec_of(array: np.ndarray) -> Spec:
    """The spec of a feed."""
    return Spec(array.shape, str(array.dtype))


def trace_train(model: Model, specs: Sequence[Spec]) -> Graph:
    """Forward, loss, metrics, backward, optimizer: the graph of ``train_on_batch``.

    ``specs`` are those of the inputs, the targets and, if given, the sample weights.
    """
    with Trace() as trace:
        x, targets, weights = _feeds(model, trace, specs)
        predictions = flatten(model(x, training=True))
        loss = model._compute_loss(targets, predictions, weights)
        variables = model.trainable_variables
        model.optimizer.build(variables)
        found = gradients(loss, [trace.read(v) for v in variables])
        model.optimizer.apply(found, variables)
        return trace.finish([])


def trace_test(model: Model, specs: Sequence[Spec]) -> Graph:
    """Forward, loss, metrics: the graph of ``test_on_batch``."""
    with Trace() as trace:
        x, targets, weights = _feeds(model, trace, specs)
        model._compute_loss(targets, flatten(model(x, training=False)), weights)
        return trace.finish([])


def trace_predict(model: Model, specs: Sequence[Spec]) -> Graph:
    """Forward only; the outputs in the order of ``model.outputs``."""
    with Trace() as trace:
        x, _, _ = _feeds(model, trace, specs)
        return trace.finish(flatten(model(x, training=False)))


def _feeds(model: Model, trace: Trace, specs: Sequence[Spec]) -> tuple[Any, list[Value], list[Value]]:
    """The inputs in their structure, then targets and weights as they come."""
    names = model._feed_names(len(specs))
    values = [trace.input(name, spec) for name, spec in zip(names, specs, strict=True)]
    count, targets = len(model.inputs), model._target_count() if len(specs) > len(model.inputs) else 0
    return pack(model.input, values), values[count : count + targets], values[count + targets :]


class StepPrograms:
    """The compiled programs of one model, by kind of step and signature.

    The last, shorter batch of an epoch is a second signature; both share the process's arena.
    """

    _TRACERS = {"train": trace_train, "test": trace_test, "predict": trace_predict}

    def __init__(self, model: Model):
        self._model = model
        self._programs: dict[Any, Any] = {}
        #: Shapes and dtypes of x and y that were found right, and the loss that checks the numbers.
        self.plain: dict[Any, Any] = {}

    def clear(self) -> None:
        """Forget all programs: the model, its loss or what is trainable has changed."""
        self._programs.clear()
        self.plain.clear()

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
