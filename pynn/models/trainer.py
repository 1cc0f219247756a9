"""``compile``, ``fit``, ``evaluate``, ``predict`` and the one-batch methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn.errors import ArgumentError, PynnError
from pynn.graph.ir import Value
from pynn.graph.symbolic import KerasTensor
from pynn.models import inputs
from pynn.models.columns import Columns, arrange
from pynn.utils.structure import map_structure, pack

if TYPE_CHECKING:
    from pynn.callbacks import CallbackList, History
    from pynn.data.batcher import Batcher
    from pynn.models.call_graph import CallGraph
    from pynn.models.compiled import CompiledLoss, CompiledMetrics
    from pynn.models.step import StepPrograms


class NotCompiledError(PynnError, ValueError):
    """Training or evaluation was asked of a model without a loss and an optimizer."""


class Trainer:
    """The training half of :class:`~pynn.Model`."""

    name: str
    built: bool
    _inputs: Any
    _programs: StepPrograms
    _compiled: CompiledMetrics | None
    _graph: CallGraph | None

    if TYPE_CHECKING:  # what Model adds

        @property
        def inputs(self) -> list[KerasTensor]: ...
        @property
        def outputs(self) -> list[KerasTensor]: ...
        @property
        def output(self) -> Any: ...
        @property
        def output_names(self) -> list[str]: ...
        def build(self, input_shape: Any = None) -> None: ...
        def _find_ends(self, input_shape: Any) -> None: ...

    def _init_trainer(self) -> None:
        from pynn.models.step import StepPrograms

        self._programs = StepPrograms(self)  # type: ignore[arg-type]
        self.optimizer: Any = None
        self.loss: Any = None
        self._loss: CompiledLoss | None = None
        self._output_losses: list[tuple[Any, float]] | None = None
        self._compiled = None
        self.stop_training = False
        self.history: Any = None

    # ---- compile ---------------------------------------------------------------------------------------------

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
            jit_compile, auto_scale_loss: accepted for compatibility; every step is compiled anyway.

        Raises:
            ArgumentError: an unknown name; the message lists near matches.

        Example:
            >>> import pynn
            >>> model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(3, activation="softmax")])
            >>> model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
            >>> model.compiled
            True
        """
        from pynn.models.compiled import CompiledLoss, CompiledMetrics

        unsupported = (
            ("weighted_metrics", weighted_metrics, None), ("run_eagerly", run_eagerly, False),
            ("steps_per_execution", steps_per_execution, 1),
        )  # fmt: skip
        for argument, value, default in unsupported:
            if value != default and value is not None:
                raise ArgumentError(f"compile: {argument}={value!r} is not supported yet; leave it out")
        self.optimizer = _as_optimizer(optimizer)
        self.loss = loss
        self._loss = None if loss is None else CompiledLoss(loss, loss_weights)
        self._output_losses = None
        self._compiled = CompiledMetrics(metrics)
        self._programs.clear()

    @property
    def compiled(self) -> bool:
        """Whether :meth:`compile` was called."""
        return self._compiled is not None

    @property
    def metrics(self) -> list[Any]:
        """The loss's running mean and the metrics."""
        return self._compiled.all if self._compiled else []

    @property
    def metrics_names(self) -> list[str]:
        return self._compiled.names if self._compiled else []

    def _require_compiled(self, what: str) -> CompiledMetrics:
        if self._compiled is None:
            raise NotCompiledError(
                f"model '{self.name}': call compile(optimizer=..., loss=...) before {what}; for example "
                "model.compile(optimizer='sgd', loss='mse', metrics=['accuracy'])"
            )
        if self._loss is None:
            raise NotCompiledError(
                f"model '{self.name}' was compiled without a loss, so {what} has nothing to compute; "
                "give compile a loss, e.g. loss='mse'"
            )
        return self._compiled

    # ---- what a traced step is made of -----------------------------------------------------------------------

    def _losses(self) -> list[tuple[Any, float]]:
        """``(loss or None, weight)`` of each output."""
        if self._output_losses is None:
            assert self._loss is not None
            self._output_losses = self._loss.of_outputs(self.output_names)
        return self._output_losses

    def _target_count(self) -> int:
        return sum(loss is not None for loss, _ in self._losses())

    def _compute_loss(self, targets: list[Value], predictions: list[Value], weights: list[Value]) -> Value:
        """The weighted sum of the outputs' losses; brings the metrics up to date, too.

        Args:
            targets: those of the outputs that have a loss.
            predictions: all outputs.
            weights: none, one for all targets, or one for each: numbers per sample.
        """
        compiled, chosen = self._compiled, self._losses()
        assert compiled is not None
        target, weight = iter(targets), iter(weights if len(weights) != 1 else weights * len(targets))
        of_output = [None if loss is None else (next(target), next(weight, None)) for loss, _ in chosen]
        shapes = [
            None if given is None else (given[0].shape, y_pred.shape)
            for given, y_pred in zip(of_output, predictions, strict=True)
        ]
        metrics = compiled.resolve(self.output_names, [loss for loss, _ in chosen], shapes)
        rows = float(predictions[0].shape[0])  # a short last batch counts for what it is
        total: Any = None
        for i, ((loss, factor), given, y_pred) in enumerate(zip(chosen, of_output, predictions, strict=True)):
            if given is None:
                continue
            value = loss(given[0], y_pred, sample_weight=given[1])
            if compiled.output_losses:
                compiled.output_losses[i].update_state(value, sample_weight=rows)
            value = value if factor == 1.0 else value * factor
            total = value if total is None else total + value
        for penalty in self.losses:  # type: ignore[attr-defined]
            total = total + penalty
        compiled.loss_tracker.update_state(total, sample_weight=rows)
        for given, y_pred, own in zip(of_output, predictions, metrics, strict=True):
            for metric in own:
                assert given is not None
                metric.update_state(given[0], y_pred)
        return total

    # ---- data ------------------------------------------------------------------------------------------------

    def _columns(self, x: Any, y: Any, sample_weight: Any, prefix: str = "") -> Columns:
        """Inputs, targets and sample weights as checked arrays; builds the model if it has no shape yet."""
        if y is None:
            raise ArgumentError(f"{prefix}y: targets are missing; a compiled loss needs them")
        columns = self._input_columns(x, f"{prefix}x", check=self.built)
        chosen = self._losses()
        trained = [(end, name, loss) for end, name, (loss, _) in
                   zip(self.outputs, self.output_names, chosen, strict=True) if loss is not None]  # fmt: skip
        ends, names = [end for end, _, _ in trained], [name for _, name, _ in trained]
        if len(ends) < len(chosen):
            y = _without_untrained(y, self.output_names, chosen)
        targets = [(name, inputs.as_array(item, name)) for name, item in arrange(y, ends, f"{prefix}y", names)]
        for name, array in targets:
            columns.add(name, array, inputs.feed_dtype(array, keep_integers=True))
        if sample_weight is not None:
            argument = f"{prefix}sample_weight"
            one = len(ends) > 1 and not isinstance(sample_weight, list | tuple | dict)
            given = arrange(sample_weight, ends[:1] if one else ends, argument, names[:1] if one else names)
            for name, item in given:
                weight = inputs.as_array(item, name)
                inputs.check_weights(weight, len(columns.arrays[0]), name)
                columns.add(name, weight, "float32")
        columns.check_lengths()
        self._check_input_shapes(columns)
        for (name, array), (end, _, loss) in zip(targets, trained, strict=True):
            loss.check_targets(array, _known_shape(end, array), argument=name)
        return columns

    def _input_columns(self, x: Any, argument: str = "x", check: bool = True) -> Columns:
        """The inputs alone; ``check`` compares their shapes with the model's at once."""
        columns = Columns()
        if not self.built or self._inputs is None:
            several = isinstance(x, dict) or (isinstance(x, list | tuple) and any(hasattr(i, "shape") for i in x))
            arrays = map_structure(lambda item: inputs.as_array(item, argument), x) if several else (
                inputs.as_array(x, argument)
            )  # fmt: skip
            shapes = map_structure(lambda a: (None, *a.shape[1:]), arrays)
            if not self.built:
                self.build(shapes)
            if self._inputs is None:  # the build() of a class of one's own made weights only
                self._find_ends(shapes)
        for (name, item), end in zip(arrange(x, self._inputs, argument), self.inputs, strict=True):
            array = inputs.as_array(item, name)
            columns.add(name, array, "float32" if end.dtype.startswith("float") else end.dtype)
        if check:  # first: one sample without a batch axis also has a wrong "number of samples"
            self._check_input_shapes(columns)
        columns.check_lengths()
        if self._graph is not None:
            for i, check_numbers in self._graph.number_checks():
                check_numbers(columns.arrays[i])
        return columns

    def _check_input_shapes(self, columns: Columns) -> None:
        for name, array, end in zip(columns.names, columns.arrays, self.inputs, strict=False):
            inputs.check_input_shape(array, end.shape, self.name, name)

    def _feed_names(self, count: int) -> list[str]:
        """What the feeds of a step are called in printed graphs."""
        several = len(self.inputs) > 1
        names = [f"x.{t.name}" for t in self.inputs] if several else ["x"]
        if count > len(names):
            trained = [n for n, (loss, _) in zip(self.output_names, self._losses(), strict=True) if loss is not None]
            names += [f"y.{n}" for n in trained] if len(trained) > 1 else ["y"]
            weights = count - len(names)
            names += [f"sample_weight.{n}" for n in trained] if weights > 1 else ["sample_weight"] * weights
        return names

    def _batcher(self, columns: Columns, batch_size: int | None) -> Batcher:
        from pynn.data.batcher import Batcher

        size = min(_checked_batch_size(batch_size), len(columns.arrays[0]))
        return Batcher(columns.arrays, columns.dtypes, size, names=columns.names)

    # ---- fit -------------------------------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
    ) -> History:
        """Train for a number of epochs.

        Args:
            x: samples, first axis the batch; any numeric array, list or frame.  uint8 and integers become float32.
            y: targets: class indices for sparse losses, one-hot rows or numbers for the others.
            batch_size: samples per step, 32 by default; the last step of an epoch may have fewer.
            verbose: 0 silent, 1 a progress bar, 2 one line per epoch, "auto" a bar on a terminal and silence
                elsewhere.
            validation_split: this fraction of the *last* samples is held out (before shuffling).
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)`` to evaluate on after each epoch.
            shuffle: a new order of the samples in each epoch, drawn from the seed of ``set_random_seed``.
            sample_weight: one number per sample; scales its loss.

        Returns:
            A History: ``history.history`` maps each metric's name to its values by epoch.

        Raises:
            NotCompiledError: :meth:`compile` was not called, or without a loss.
            ShapeError, DtypeError: arrays that do not fit the model or each other; the message names the argument.

        Example:
            >>> import numpy as np, pynn
            >>> model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(1)])
            >>> model.compile("sgd", "mse")
            >>> history = model.fit(np.ones((64, 4)), np.ones(64), epochs=3, verbose=0)
            >>> len(history.history["loss"])
            3
        """
        from pynn.callbacks import CallbackList

        compiled = self._require_compiled("fit")
        _reject_unsupported(
            "fit", class_weight=class_weight, steps_per_epoch=steps_per_epoch, validation_steps=validation_steps
        )
        epochs = _checked_count("epochs", epochs)
        initial_epoch = _checked_count("initial_epoch", initial_epoch, least=0)
        validation_freq = _checked_count("validation_freq", validation_freq)
        if not isinstance(shuffle, (bool, np.bool_)):
            raise ArgumentError(f"shuffle: expected True or False, received {shuffle!r}")
        columns = self._columns(x, y, sample_weight)
        validation: Columns | None = None
        if validation_data is not None:
            validation = self._validation_columns(validation_data)
        elif validation_split:
            columns, validation = columns.split(validation_split)
        batcher = self._batcher(columns, batch_size)
        size = batch_size
        if validation_batch_size is not None:
            size = _checked_count("validation_batch_size", validation_batch_size)
        validation_batcher = None if validation is None else self._batcher(validation, size)
        batcher.begin_epoch(None)
        cbs = CallbackList(
            callbacks, add_history=True, add_progbar=verbose != 0, verbose=verbose, epochs=epochs,
            steps=batcher.steps, model=self,
        )  # fmt: skip
        self.stop_training = False
        try:
            cbs.on_train_begin()
            logs: dict[str, float] = {}
            for epoch in range(initial_epoch, epochs):
                cbs.on_epoch_begin(epoch)
                compiled.reset()
                batcher.begin_epoch(_epoch_order(batcher.rows) if shuffle else None)
                self._train_epoch(batcher, cbs)
                logs = compiled.results()
                if validation_batcher is not None and (epoch + 1) % validation_freq == 0:
                    results = self._evaluate_batches(validation_batcher, cbs)
                    logs.update({f"val_{name}": value for name, value in results.items()})
                cbs.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
            cbs.on_train_end(logs)
        finally:
            cbs.close()
        return self.history

    def _train_epoch(self, batcher: Batcher, cbs: CallbackList) -> None:
        """All steps of one epoch; while one step runs, its idle threads fill the next batch."""
        programs, steps = self._programs, batcher.steps
        assert self._compiled is not None
        results = self._compiled.results  # called only if a callback reads it
        on_begin, on_end = cbs.listens_to("on_train_batch_begin"), cbs.listens_to("on_train_batch_end")
        arrays = batcher.fill(0)
        program = programs.get("train", arrays)
        for step in range(steps):
            if step == steps - 1:
                program = programs.get("train", arrays)  # the last batch may be shorter
            if on_begin:
                cbs.on_train_batch_begin(step)
            if step + 1 < steps:
                program(arrays, batcher.task(step + 1))
                arrays = batcher.buffers(step + 1)
            else:
                program(arrays)
            if on_end:
                cbs.on_train_batch_end(step, results)
                if self.stop_training:
                    return

    def _validation_columns(self, data: Any) -> Columns:
        if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
            raise ArgumentError(
                "validation_data: expected (x, y) or (x, y, sample_weight), received "
                f"{type(data).__name__}{f' of length {len(data)}' if hasattr(data, '__len__') else ''}"
            )
        return self._columns(data[0], data[1], data[2] if len(data) == 3 else None, "validation_")

    # ---- evaluate and predict --------------------------------------------------------------------------------

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """The loss and the metrics on ``(x, y)``, in inference mode.

        Returns:
            The loss, or ``[loss, metric, ...]`` if there are metrics, or a dict with ``return_dict=True``.

        Example:
            >>> import numpy as np, pynn
            >>> model = pynn.Sequential([pynn.Input((2,)), pynn.layers.Dense(1, kernel_initializer="ones")])
            >>> model.compile(loss="mse", optimizer="sgd", metrics=["mae"])
            >>> model.evaluate(np.ones((8, 2)), np.zeros(8), verbose=0)
            [4.0, 2.0]
        """
        from pynn.callbacks import CallbackList

        self._require_compiled("evaluate")
        _reject_unsupported("evaluate", steps=steps)
        batcher = self._batcher(self._columns(x, y, sample_weight), batch_size)
        batcher.begin_epoch(None)
        cbs = CallbackList(
            callbacks, add_progbar=verbose != 0, verbose=verbose, epochs=1, steps=batcher.steps, model=self
        )
        try:
            results = self._evaluate_batches(batcher, cbs)
        finally:
            cbs.close()
        return results if return_dict else _flat(results)

    def _evaluate_batches(self, batcher: Batcher, cbs: CallbackList) -> dict[str, float]:
        compiled = self._require_compiled("evaluate")
        cbs.on_test_begin()
        compiled.reset()
        batcher.begin_epoch(None)
        arrays = batcher.fill(0)
        on_begin, on_end = cbs.listens_to("on_test_batch_begin"), cbs.listens_to("on_test_batch_end")
        for step in range(batcher.steps):
            program = self._programs.get("test", arrays)
            if on_begin:
                cbs.on_test_batch_begin(step)
            following = step + 1 < batcher.steps
            program(arrays, batcher.task(step + 1) if following else None)
            if following:
                arrays = batcher.buffers(step + 1)
            if on_end:
                cbs.on_test_batch_end(step, compiled.results)
        results = compiled.results()
        cbs.on_test_end(results)
        return results

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The model's outputs for all samples, in inference mode: an array, or a list or dictionary like ``output``.

        Args:
            x: samples, first axis the batch.
            batch_size: samples per step, 32 by default; it changes speed and memory, not the results.

        Example:
            >>> import numpy as np, pynn
            >>> model = pynn.Sequential([pynn.Input((2,)), pynn.layers.Dense(1, kernel_initializer="ones")])
            >>> model.predict(np.ones((3, 2)), verbose=0).shape
            (3, 1)
        """
        from pynn.callbacks import CallbackList

        _reject_unsupported("predict", steps=steps)
        batcher = self._batcher(self._input_columns(x), batch_size)
        batcher.begin_epoch(None)
        quiet = verbose == 0 and not callbacks
        cbs = None if quiet else CallbackList(
            callbacks, add_progbar=verbose != 0, verbose=verbose, epochs=1, steps=batcher.steps, model=self
        )  # fmt: skip
        try:
            return self._predict_batches(batcher, cbs)
        finally:
            if cbs is not None:
                cbs.close()

    def _predict_batches(self, batcher: Batcher, cbs: CallbackList | None) -> Any:
        if cbs is not None:
            cbs.on_predict_begin()
        results: list[np.ndarray] = []
        done = 0
        for step in range(batcher.steps):
            arrays = batcher.fill(step)
            if cbs is not None:
                cbs.on_predict_batch_begin(step)
            outputs = self._programs.get("predict", arrays)(arrays)
            if batcher.steps == 1:
                results = outputs
            else:
                if not results:
                    results = [np.empty((batcher.rows, *output.shape[1:]), output.dtype) for output in outputs]
                for result, output in zip(results, outputs, strict=True):
                    result[done : done + len(output)] = output
                done += len(outputs[0])
            if cbs is not None:
                cbs.on_predict_batch_end(step, {"outputs": pack(self.output, outputs)})
        if cbs is not None:
            cbs.on_predict_end()
        return pack(self.output, results)

    # ---- one batch -------------------------------------------------------------------------------------------

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One step on one batch.  Returns this batch's loss, or ``[loss, metric, ...]``, or a dict."""
        compiled = self._require_compiled("train_on_batch")
        _reject_unsupported("train_on_batch", class_weight=class_weight)
        arrays = self._batch(x, y, sample_weight)
        compiled.reset()
        self._programs.get("train", arrays)(arrays)
        return compiled.results() if return_dict else _flat(compiled.results())

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The loss and metrics of one batch, in inference mode."""
        compiled = self._require_compiled("test_on_batch")
        arrays = self._batch(x, y, sample_weight)
        compiled.reset()
        self._programs.get("test", arrays)(arrays)
        return compiled.results() if return_dict else _flat(compiled.results())

    def predict_on_batch(self, x: Any) -> Any:
        """The model's outputs for one batch."""
        feeds = self._input_columns(x).feeds()
        return pack(self.output, self._programs.get("predict", feeds)(feeds))

    def _batch(self, x: Any, y: Any, sample_weight: Any) -> list[np.ndarray]:
        plain = sample_weight is None and type(x) is np.ndarray and type(y) is np.ndarray
        signature = (x.shape, x.dtype, y.shape, y.dtype) if plain else None
        found = self._programs.plain.get(signature)
        if found is not None:  # what depends on shapes alone was checked before: a small step takes less time than that
            loss, shape = found
            loss.check_targets(y, shape, argument="y")
            return [np.ascontiguousarray(x), np.ascontiguousarray(y)]
        columns = self._columns(x, y, sample_weight)
        if (
            plain
            and len(columns.arrays) == 2
            and len(self.outputs) == 1
            and [str(a.dtype) for a in columns.arrays] == columns.dtypes
            and not (self._graph is not None and self._graph.number_checks())
        ):
            self._programs.plain[signature] = (self._losses()[0][0], _known_shape(self.outputs[0], y))
        return columns.feeds()


def _known_shape(end: Any, target: np.ndarray) -> list[int | None]:
    """An output's shape; where the model leaves a length open, that of the targets (the trace compares them)."""
    return [n if n is not None or not 0 < i < target.ndim else target.shape[i] for i, n in enumerate(end.shape)]


def _without_untrained(y: Any, names: Sequence[str], chosen: Sequence[tuple[Any, float]]) -> Any:
    """Targets of the outputs that have a loss; those of others may be given, too."""
    unused = [name for name, (loss, _) in zip(names, chosen, strict=True) if loss is None]
    if isinstance(y, dict):
        return {name: item for name, item in y.items() if name not in unused}
    if isinstance(y, list | tuple) and len(y) == len(names):
        return [item for name, item in zip(names, y, strict=True) if name not in unused]
    return y


def _epoch_order(rows: int) -> np.ndarray:
    from pynn.utils.random_seed import generator

    return generator().permutation(rows)


def _flat(results: dict[str, float]) -> Any:
    values = list(results.values())
    return values[0] if len(values) == 1 else values


def _checked_batch_size(batch_size: int | None) -> int:
    if batch_size is None:
        return 32
    return _checked_count("batch_size", batch_size)


def _checked_count(argument: str, value: Any, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ArgumentError(f"{argument}: expected a whole number from {least} up, received {value!r}")
    return int(value)


def _as_optimizer(optimizer: Any) -> Any:
    from pynn import optimizers

    if optimizer == "rmsprop":  # what Keras takes when none is given
        raise ArgumentError(
            "compile: the optimizer 'rmsprop', which Keras takes by default, is not supported yet; "
            "give one, e.g. optimizer='adam' or 'sgd'"
        )
    return optimizers.get(optimizer)


def _reject_unsupported(method: str, **arguments: Any) -> None:
    for name, value in arguments.items():
        if value is not None:
            raise ArgumentError(f"{method}: {name} is not supported yet; leave it out")
