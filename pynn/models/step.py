"""One step of a model as one compiled program: traced once per signature, then a single native call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn import config
from pynn.data._batching import run_task
from pynn.errors import ArgumentError
from pynn.executor.eager_trace import EagerTrace
from pynn.executor.locks import compile_lock
from pynn.executor.native import compile_graph
from pynn.graph.ir import Graph, Spec, Value
from pynn.graph.later import Later
from pynn.graph.tensor import Tensor
from pynn.graph.trace import Trace
from pynn.graph.variable import Variable
from pynn.layers.layer import freezes
from pynn.models.layout import Layout, plain_layout
from pynn.utils.structure import map_structure

if TYPE_CHECKING:
    from pynn.models.model import Model


def spec_of(array: np.ndarray) -> Spec:
    """The spec of a feed."""
    return Spec(array.shape, str(array.dtype))


def trace_step(
    model: Model,
    kind: str,
    specs: Sequence[Spec],
    layout: Layout | None = None,
    recording: Trace | None = None,
    share: float | None = None,
) -> tuple[Graph, Any]:
    """The graph of ``model.train_step``, ``test_step`` or ``predict_step``, and what the method returned.

    In that, numbers stand for the graph's outputs; everything else is as it was.  ``share`` is this process's part of
    the batch, where several train together.
    """
    layout = layout or plain_layout(len(specs))
    ranks = None if share is None else model._distribution
    with recording or Trace() as trace:
        if ranks is not None and share is not None:
            ranks.begin(trace, share)
        feeds = [trace.input(name, spec) for name, spec in zip(layout.names, specs, strict=True)]
        returned = getattr(model, f"{kind}_step")(layout.data(feeds))
        outputs: list[Value] = []

        def place(leaf: Any) -> Any:
            if not isinstance(leaf, Value):
                return leaf
            outputs.append(leaf)
            return _Output(len(outputs) - 1)

        template = map_structure(place, returned)
        graph = trace.finish(outputs)
    return graph if ranks is None else ranks.combine(graph, trace, model, kind), template


class _Output(int):
    """The number of an output of the program."""


class Step:
    """A compiled step.

    Attributes:
        program: takes the feeds (and a background task), gives the outputs.
        metrics: what a run brings up to date.
    """

    def __init__(self, model: Model, kind: str, program: Any, template: Any):
        self.program = program
        self._template = template
        #: Of a class with a ``reset_metrics`` of its own.
        self._reset = model.reset_metrics if model.has_own("reset_metrics") else None
        self.metrics = [] if kind == "predict" or self._reset else model.metrics
        #: Arrays of metrics with their initial numbers, and metrics that reset themselves in a way of their own.
        self._beginnings: list[tuple[np.ndarray, np.ndarray]] | None = None
        self._others: list[Any] = []
        self._order: list[str] | None = None
        self._items: list[tuple[str, Any]] = []
        if kind != "predict":
            self._items = _logs(model, kind, template)

    def reset(self) -> None:
        """Begin all metrics anew: one batch is to be looked at alone."""
        if self._reset is not None:
            self._reset()
        if self._beginnings is None:
            self._beginnings, self._others = _beginnings(self.metrics)
        if Variable.guards:
            for metric in self.metrics:
                metric.reset_state()
            return
        for array, value in self._beginnings:  # no mark_changed(): the run that follows writes them, too
            array[...] = value
        for metric in self._others:
            metric.reset_state()

    def in_order(self, results: dict[str, Any]) -> Any:
        """The logs' values as ``train_on_batch`` gives them: the loss alone or first."""
        if self._order is None:
            self._order = list(_ordered(self.metrics, results))
        values = [results[name] for name in self._order]
        return values[0] if len(values) == 1 else values

    def results(self, outputs: Sequence[np.ndarray]) -> dict[str, Any]:
        """The logs: what ``train_step`` returned, with the numbers of this run."""
        found: dict[str, Any] = {}
        for name, item in self._items:
            if isinstance(item, Later):
                item = _number(item.value())
            elif isinstance(item, dict | list | tuple):
                item = map_structure(lambda leaf: self._number(leaf, outputs), item)
            else:
                item = self._number(item, outputs)
            found.update(item if isinstance(item, dict) else {name: item})
        return found

    def outputs(self, outputs: Sequence[np.ndarray]) -> Any:
        """What ``predict_step`` returned, with the arrays of this run."""
        if type(self._template) is _Output:
            return outputs[0].view(Tensor)
        return map_structure(
            lambda leaf: outputs[leaf].view(Tensor) if isinstance(leaf, _Output) else leaf, self._template
        )

    def _number(self, leaf: Any, outputs: Sequence[np.ndarray]) -> Any:
        if isinstance(leaf, _Output):
            return _number(outputs[leaf])
        return _number(leaf.value() if isinstance(leaf, Later) else leaf)


def _beginnings(metrics: Sequence[Any]) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[Any]]:
    """What resetting the metrics writes, and those whose ``reset_state`` has to be called: small steps take less time
    than calling it for each."""
    from pynn.metrics import Metric
    from pynn.models.compiled import CompiledMetrics

    found: list[tuple[np.ndarray, np.ndarray]] = []
    others: list[Any] = []
    stack = list(reversed(metrics))
    while stack:
        metric = stack.pop()
        if isinstance(metric, CompiledMetrics):
            stack.extend(metric.metrics)
        elif type(metric).reset_state is not Metric.reset_state:
            others.append(metric)
        else:
            found += [(variable.array, value) for variable, value in vars(metric).get("_tracked", ())]
            stack.extend(vars(metric).get("_metrics", ()))
    return found, others


def _number(value: Any) -> Any:
    """Python's own floats for logs, also inside a dictionary; arrays with axes stay as they are."""
    if isinstance(value, dict):
        return {name: _number(item) for name, item in value.items()}
    return float(value) if getattr(value, "ndim", None) == 0 else value


def _logs(model: Model, kind: str, template: Any) -> list[tuple[str, Any]]:
    if not isinstance(template, dict):
        raise ArgumentError(
            f"model '{model.name}': {kind}_step returned {template!r}, expected a dictionary for the logs, "
            'such as {"loss": loss} or {m.name: m.result() for m in self.metrics}'
        )
    return list(template.items())


class EagerStep(Step):
    """A step that is not compiled: the model's method runs anew at each call, op by op, and its values have numbers."""

    def __init__(self, model: Model, kind: str, layout: Layout | None):
        super().__init__(model, kind, self._run, {})
        self._model, self._kind, self._layout = model, kind, layout

    def _run(self, arrays: Sequence[np.ndarray], background: Any = None) -> list[np.ndarray]:
        feeds = [a.copy() for a in arrays]  # the buffers will hold the next batch, and the user may keep values
        specs = [spec_of(a) for a in feeds]
        graph, self._template = trace_step(self._model, self._kind, specs, self._layout, EagerTrace(feeds))
        if self._kind != "predict":
            self._items = _logs(self._model, self._kind, self._template)
            self.metrics = [] if self._reset else self._model.metrics  # the first run may have made some
            self._beginnings = None
            self._order = None
        if background is not None:
            run_task(background)
        return [v.numpy() for v in graph.outputs]


def _ordered(metrics: Sequence[Any], results: dict[str, Any]) -> dict[str, None]:
    """The names in logs in Keras's order: as the metrics come, those they do not know by name last, sorted."""
    names = [name for m in metrics for name in ([s.name for s in m.metrics] if hasattr(m, "metrics") else [m.name])]
    known = dict.fromkeys(name for name in names if name in results)
    return {**known, **dict.fromkeys(sorted(set(results) - set(known)))}


def in_order(metrics: Sequence[Any], results: dict[str, Any]) -> Any:
    """The logs as ``evaluate`` gives them: a number if there is but one, else a list."""
    values = [results[name] for name in _ordered(metrics, results)]
    return values[0] if len(values) == 1 else values


class StepPrograms:
    """The compiled steps of one model, by kind and signature.

    The last, shorter batch of an epoch is a second signature; both share the process's arena.
    """

    def __init__(self, model: Model):
        self._model = model
        self._steps: dict[Any, Step] = {}
        self._metrics: list[Any] | None = None
        #: Shapes and dtypes of plain arrays that were found right: their step, and how numbers are checked.
        self.plain: dict[Any, Any] = {}
        self._plain_since = freezes()

    def clear(self) -> None:
        """Forget all programs: the model, its loss or what is trainable has changed."""
        self._steps.clear()
        self.plain.clear()
        self._metrics = None

    def get(
        self, kind: str, arrays: Sequence[np.ndarray], layout: Layout | None = None, share: float | None = None
    ) -> Step:
        """The step of this kind for arrays of these shapes and dtypes, which are this ``share`` of a batch."""
        if self._model.run_eagerly:
            if share is not None:
                raise ArgumentError(
                    f"model '{self._model.name}': run_eagerly=True is for finding mistakes in one process; several "
                    "processes (pynn.distribute) need compiled steps"
                )
            return EagerStep(self._model, kind, layout)
        trainable = self._model._trainable_signature() if kind != "predict" else None
        key = (kind, layout, trainable, share, config.conv_precision(), *((a.shape, a.dtype) for a in arrays))
        step = self._steps.get(key)
        if step is not None:
            return step
        with compile_lock():
            step = self._steps.get(key)  # another thread may have been faster
            if step is not None:
                return step
            specs = [spec_of(a) for a in arrays]
            graph, template = trace_step(self._model, kind, specs, layout, share=share)
            title = f"{kind} step of '{self._model.name}' for {', '.join(map(str, specs))}"
            step = self._steps[key] = Step(self._model, kind, compile_graph(graph, title=title), template)
            self._metrics = None
            for known in self._steps.values():  # tracing may have given metrics more variables
                known._beginnings = None
        return step

    @property
    def metrics(self) -> list[Any]:
        """The model's metrics: looking for them takes longer than a small step, so it is done once per program."""
        if self._metrics is None or self._model.run_eagerly:
            self._metrics = self._model.metrics
        return self._metrics

    def __len__(self) -> int:
        return len(self._steps)

    def only(self) -> Step:
        """The one step that was compiled; for people who look at its program."""
        (step,) = self._steps.values()
        return step

    def plain_key(self, kind: str, x: Any, y: Any = None) -> Any:
        """The key of :attr:`plain`: what has to be equal; None unless these are plain NumPy arrays."""
        if type(x) is not np.ndarray or self._model.run_eagerly:
            return None
        if self._plain_since != freezes():  # scripts freeze and thaw layers at each step: do not keep what is over
            self.plain.clear()
            self._plain_since = freezes()
        if y is None:
            return kind, x.shape, x.dtype, config.conv_precision()
        if type(y) is not np.ndarray:
            return None
        return kind, x.shape, x.dtype, y.shape, y.dtype, config.conv_precision()
