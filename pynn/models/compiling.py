"""``compile``, and what a step is made of: ``train_step`` and its parts, which subclasses of Model may replace."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from pynn.data.packing import unpack_x_y_sample_weight
from pynn.errors import ArgumentError, PynnError
from pynn.graph import trace
from pynn.graph.autodiff import gradients
from pynn.graph.ir import Value
from pynn.layers.call_signature import call_signature
from pynn.layers.constructor import takes_argument
from pynn.layers.layer import Layer
from pynn.utils.callers import users_line
from pynn.utils.structure import flatten

if TYPE_CHECKING:
    from pynn.distribute import DataParallel
    from pynn.graph.variable import Variable
    from pynn.models.compiled import CompiledLoss, CompiledMetrics
    from pynn.models.step import StepPrograms


class NotCompiledError(PynnError, ValueError):
    """Training or evaluation was asked of a model without a loss and an optimizer."""


class Compiling:
    """The part of :class:`~pynn.Model` that says what one step computes."""

    name: str
    built: bool
    _programs: StepPrograms
    _outputs: Any

    if TYPE_CHECKING:  # what Model adds

        @property
        def output_names(self) -> list[str]: ...
        @property
        def trainable_variables(self) -> list[Variable]: ...
        def _flatten_layers(self) -> list[Layer]: ...
        def __call__(self, x: Any, *args: Any, **kwargs: Any) -> Any: ...

    def _init_compiling(self) -> None:
        self.optimizer: Any = None
        self.loss: Any = None
        self.compiled = False
        self.steps_per_execution = 1
        #: The processes that train this model together, if there are several, and whether they have begun equal.
        self._distribution: DataParallel | None = None
        self._synchronized = False
        self.jit_compile: Any = True
        self._loss_tracker: Any = None
        self._compile_loss: CompiledLoss | None = None
        self._compile_metrics: CompiledMetrics | None = None
        self._compile_config: dict[str, Any] = {}
        #: Whether steps run op by op; see :meth:`compile`.
        self.run_eagerly = False

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        distribute: Any = None,
    ) -> None:
        """Say how the model learns.

        Args:
            optimizer: a name (``"sgd"``, ``"adam"``) or an optimizer object.
            loss: a name (``"mse"``, ``"sparse_categorical_crossentropy"``, ...), a Loss, or a function of
                ``(y_true, y_pred)`` written with ``pynn.ops``; for several outputs one for all, a list in their order,
                or a dictionary by ``output_names``, with None for outputs that are not trained.
            loss_weights: what each output's loss is multiplied by before they are added; a list or dictionary.
            metrics: a list of names, Metric objects or functions; ``"accuracy"`` becomes binary, categorical or
                sparse categorical accuracy by the shapes of targets and predictions.  For several outputs a list of
                such lists, or a dictionary by ``output_names``.
            weighted_metrics: like ``metrics``, and given the sample weights.
            run_eagerly: compute op by op, running the Python code of layers, losses and ``train_step`` for each batch:
                ``print``, ``if`` and breakpoints in it see numbers.  Slow, for finding mistakes; it can also be
                switched by ``model.run_eagerly = True``.
            steps_per_execution: callbacks hear of every this many batches only.  Steps are single native calls with or
                without it, so it does not make them faster.
            jit_compile: accepted, since every step is compiled anyway.
            auto_scale_loss: accepted, since losses are float32 and need no scaling.
            distribute: a :class:`pynn.distribute.DataParallel`, to train in several processes; by default that of the
                ``with`` block around, or what ``PYNN_DISTRIBUTE`` says.

        Raises:
            ArgumentError: an unknown name; the message lists near matches.

        Example:
            >>> import pynn
            >>> model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(3, activation="softmax")])
            >>> model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
            >>> model.compiled
            True
        """
        from pynn.distribute.data_parallel import active
        from pynn.metrics import Mean
        from pynn.models.compiled import CompiledLoss, CompiledMetrics

        self._distribution, self._synchronized = active(distribute), False
        self.run_eagerly = bool(run_eagerly)
        self.steps_per_execution = checked_count("steps_per_execution", steps_per_execution)
        self.optimizer = _as_optimizer(optimizer)
        self.loss = loss
        self._compile_loss = None if loss is None else CompiledLoss(loss, loss_weights)
        self._compile_metrics = None
        if metrics is not None or weighted_metrics is not None:
            self._compile_metrics = CompiledMetrics(metrics, weighted_metrics, self._compile_loss)
        self._loss_tracker = Mean(name="loss")
        self.jit_compile = jit_compile
        self.stop_training = False
        self.compiled = True
        self._compile_config = {
            "optimizer": self.optimizer, "loss": loss, "loss_weights": loss_weights, "metrics": metrics,
            "weighted_metrics": weighted_metrics, "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution, "jit_compile": bool(jit_compile),
        }  # fmt: skip
        self._programs.clear()

    def get_compile_config(self) -> dict[str, Any]:
        """What :meth:`compile` was given, as plain Python objects; empty before."""
        from pynn.saving import serialize_keras_object

        return {name: serialize_keras_object(value) for name, value in self._compile_config.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as ``get_compile_config`` of a model says.

        A class with a ``compile`` of its own has to say itself how that is done: it gets a warning instead.
        """
        from pynn.saving import deserialize_keras_object

        if self.has_own("compile"):
            warnings.warn(
                f"model '{self.name}' was not compiled when it was loaded: {type(self).__name__} has a compile() of "
                "its own; give it get_compile_config() and compile_from_config(config), too, or call compile()",
                stacklevel=users_line(),
            )
            return
        self.compile(**{name: deserialize_keras_object(value) for name, value in config.items()})
        if self.optimizer is not None and self.built:
            self.optimizer.ensure_built(self.trainable_variables)

    @classmethod
    def has_own(cls, method: str) -> bool:
        """Whether the model's class replaces this method of :class:`~pynn.Model`."""
        return getattr(cls, method) is not getattr(Compiling, method)

    def _require_compiled(self, what: str) -> None:
        if not self.compiled:
            raise NotCompiledError(
                f"model '{self.name}': call compile(optimizer=..., loss=...) before {what}; for example "
                "model.compile(optimizer='sgd', loss='mse', metrics=['accuracy'])"
            )

    # ---- metrics ---------------------------------------------------------------------------------------------

    @property
    def metrics(self) -> list[Any]:
        """The loss's running mean, the compiled metrics as one, the outputs' losses, and metrics kept as attributes of
        the model or of its layers."""
        found: list[Any] = [self._loss_tracker] if self._loss_tracker is not None else []
        if self._compile_metrics is not None:
            found.append(self._compile_metrics)
        if self._compile_loss is not None:
            found += self._compile_loss.metrics
        inside = {"_loss_tracker", "_compile_metrics", "_compile_config"}  # the last has what compile was given
        found += _metrics_among(value for name, value in vars(self).items() if name not in inside)
        for layer in self._flatten_layers()[1:]:
            if not isinstance(layer, Compiling):  # a model inside has its own training
                found += _metrics_among(vars(layer).values())
        return list({id(m): m for m in found}.values())

    @property
    def metrics_names(self) -> list[str]:
        """The names of :attr:`metrics`; the ones given to ``compile`` are together ``"compile_metrics"``."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Begin all metrics anew."""
        for metric in self._programs.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Name -> value so far of all :attr:`metrics`."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            value = metric.result()
            results.update(value if isinstance(value, dict) else {metric.name: value})
        return results

    # ---- one step, traced ------------------------------------------------------------------------------------

    def train_step(self, data: Any) -> dict[str, Any]:
        """What happens with one batch in ``fit`` and ``train_on_batch``: traced once, then one native call.

        A subclass may replace it, with ``pynn.ops``, layers, losses, optimizers and metrics; Python around them runs
        only while it is traced.

        Args:
            data: traced values, as they were given: ``x``, ``(x, y)`` or ``(x, y, sample_weight)``.

        Returns:
            A dictionary for the logs, of traced values or of ``metric.result()``.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        # As in Keras 3, a model whose call() does not ask for ``training`` is run as in inference.
        asks = call_signature(type(self).call).takes_training  # type: ignore[attr-defined]
        y_pred = self(x, training=True) if asks else self(x)
        loss = self._loss_of(x, y, y_pred, sample_weight, training=True)
        self._loss_tracker.update_state(loss, sample_weight=_rows(x))
        if self.optimizer is None:
            raise NotCompiledError(
                f"model '{self.name}' has no optimizer; give compile one, e.g. optimizer='adam' or 'sgd'"
            )
        variables = self.trainable_variables
        self.optimizer.ensure_built(variables)
        found = gradients(self.optimizer.scale_loss(loss), [trace.current().read(v) for v in variables])
        self.optimizer.apply(found, variables)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """What happens with one batch in ``evaluate`` and ``test_on_batch``; see :meth:`train_step`."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        loss = self._loss_of(x, y, y_pred, sample_weight, training=False)
        self._loss_tracker.update_state(loss, sample_weight=_rows(x))
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data: Any) -> Any:
        """What ``predict`` gives for one batch; see :meth:`train_step`."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The number that is minimised: the compiled losses of all outputs, and what layers added.

        Args:
            x: the inputs, which only replacements of this method use.
            y, y_pred: targets and predictions in the structure of the outputs.
            sample_weight: for all targets, or a structure like ``y``.

        Raises:
            NotCompiledError: there is no loss at all.
        """
        from pynn.models.compiled import output_names

        total: Any = None
        if self._compile_loss is not None:
            total = self._compile_loss(output_names(self._known_names(), y_pred), y, y_pred, sample_weight)
        for loss in getattr(self, "losses", ()):
            total = loss if total is None else total + loss
        if total is None:
            raise NotCompiledError(
                f"model '{self.name}' was compiled without a loss, and no layer adds one, so there is nothing to "
                "compute; give compile a loss, e.g. loss='mse'"
            )
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Bring the compiled metrics up to date; gives the results of all :attr:`metrics` for the logs."""
        if self._compile_metrics is not None:
            self._compile_metrics.output_names = self._known_names()
            self._compile_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _known_names(self) -> list[str] | None:
        return self.output_names if self._outputs is not None else None

    def _loss_of(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Value:
        """``compute_loss``, also of classes whose own does not know ``training``."""
        options = {"training": training} if _takes_training(type(self).compute_loss) else {}
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **options)
        if not isinstance(loss, Value):
            raise ArgumentError(
                f"model '{self.name}': compute_loss returned {loss!r}, expected a traced value: write it with "
                "pynn.ops on y and y_pred"
            )
        return loss


@cache
def _takes_training(function: Any) -> bool:
    return takes_argument(function, "training")


def _rows(x: Any) -> float:
    return float(next(leaf for leaf in flatten(x) if leaf is not None).shape[0])


def _metrics_among(values: Any) -> Iterator[Any]:
    """Metrics in attributes, also inside lists and dictionaries."""
    from pynn.metrics import Metric

    for value in values:
        if isinstance(value, Metric):
            yield value
        elif isinstance(value, list | tuple):
            yield from _metrics_among(value)
        elif isinstance(value, dict):
            yield from _metrics_among(value.values())


def checked_count(argument: str, value: Any, least: int = 1) -> int:
    """``value`` as an int from ``least`` up."""
    import numpy as np

    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ArgumentError(f"{argument}: expected a whole number from {least} up, received {value!r}")
    return int(value)


def _as_optimizer(optimizer: Any) -> Any:
    from pynn import optimizers

    return optimizers.get(optimizer)
