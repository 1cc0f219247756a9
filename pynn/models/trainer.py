"""``fit``, ``evaluate``, ``predict`` and the one-batch methods."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn import config
from pynn.data.packing import unpack_x_y_sample_weight
from pynn.errors import ArgumentError
from pynn.graph.symbolic import KerasTensor
from pynn.models.batches import ArrayBatches, Batches, iterated, makes_batches, warn_of_the_end
from pynn.models.compiling import Compiling, checked_count
from pynn.models.compiling import NotCompiledError as NotCompiledError
from pynn.models.feeding import columns_of
from pynn.models.loops import evaluate_batches, nothing_came, predict_batches, train_epoch
from pynn.models.step import in_order
from pynn.utils.callers import users_line

if TYPE_CHECKING:
    from pynn.callbacks import CallbackList, History
    from pynn.models.call_graph import CallGraph
    from pynn.models.columns import Columns
    from pynn.models.layout import Layout
    from pynn.models.step import Step


class Trainer(Compiling):
    """The training half of :class:`~pynn.Model`."""

    _inputs: Any
    _graph: CallGraph | None

    if TYPE_CHECKING:  # what Model adds

        @property
        def inputs(self) -> list[KerasTensor]: ...
        @property
        def outputs(self) -> list[KerasTensor]: ...
        @property
        def output(self) -> Any: ...
        def build(self, input_shape: Any = None) -> None: ...
        def _find_ends(self, input_shape: Any) -> None: ...
        def _trainable_signature(self) -> tuple[bool, ...]: ...

    def _init_trainer(self) -> None:
        from pynn.models.step import StepPrograms

        self._init_compiling()
        self._programs = StepPrograms(self)  # type: ignore[arg-type]
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self._initial_epoch = 0
        self.history: Any = None

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
        validation_freq: Any = 1,
    ) -> History:
        """Train for a number of epochs.

        Args:
            x: samples, first axis the batch; any numeric array, list or frame, or a list or dictionary of them for
                several inputs.  uint8 and integers become float32 where the model's input is.  Or what gives batches
                ``(x, y)`` or ``(x, y, sample_weight)`` by itself: a generator, a ``PyDataset``, a ``DataLoader`` or
                another iterable.
            y: targets: class indices for sparse losses, one-hot rows or numbers for the others; not with batches.
            batch_size: samples per step, 32 by default; the last step of an epoch may have fewer.  Batches that come
                ready have their own size.
            verbose: 0 silent, 1 a progress bar, 2 one line per epoch, "auto" a bar on a terminal and silence
                elsewhere.
            validation_split: this fraction of the *last* samples is held out (before shuffling).
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)``, or batches like ``x``, to evaluate on after an
                epoch.
            shuffle: a new order of the samples in each epoch, drawn from the seed of ``set_random_seed``; ``"batch"``
                changes the order inside each batch only.  A PyDataset's batches come in a new order; other sources
                of batches keep theirs.
            class_weight: ``{class number: weight}``, for models with one output.
            sample_weight: one number per sample, or per sample and time step; scales its loss.  For several outputs
                one for all, or one for each like ``y``.
            initial_epoch: the number of the first epoch, where training is resumed.
            steps_per_epoch: batches in an epoch; the next epoch goes on from there.  Sources without end need it.
            validation_steps: the same for the validation data, which begin anew each time if they can; a generator goes
                on where it stopped.  (Keras hands the first two batches of a generator out again in each pass.)
            validation_freq: validate after every so many epochs, or a list of epochs, counted from 1.

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
        self._require_compiled("fit")
        self._refuse_own_loop("train")
        epochs = _capped_epochs(checked_count("epochs", epochs))
        initial_epoch = checked_count("initial_epoch", initial_epoch, least=0)
        validates = _checked_freq(validation_freq)
        if not isinstance(shuffle, bool | np.bool_) and shuffle != "batch":
            raise ArgumentError(f"shuffle: expected True, False or 'batch', received {shuffle!r}")
        size = batch_size if validation_batch_size is None else validation_batch_size
        if validation_batch_size is not None:
            checked_count("validation_batch_size", validation_batch_size)
        steps = _checked_steps("steps_per_epoch", steps_per_epoch)
        validation_steps = _checked_steps("validation_steps", validation_steps)
        validation: Batches | None = None
        if validation_data is None and validation_split:
            if makes_batches(x):
                raise ArgumentError(
                    f"validation_split is for arrays; x is a {type(x).__name__}, so give validation_data instead"
                )
            whole = columns_of(self, "train", x, y, sample_weight, class_weight)
            columns, held_out = whole.split(validation_split)
            if class_weight is not None:
                held_out.sample_weight = None  # weights of classes are for training
            batches = self._array_batches(columns, _checked_size(batch_size), shuffle, steps)
            validation = self._array_batches(held_out, _checked_size(size), False, validation_steps)
        else:
            batches = self._batches("train", x, y, sample_weight, batch_size, steps, shuffle, class_weight)
        if validation_data is not None:
            validation = self._batches(
                "test", *_validation(self, validation_data), size, validation_steps, prefix="validation_"
            )
        cbs = self._callback_list(callbacks, verbose, batches.steps, epochs, add_history=True)
        self.stop_training = False
        self._initial_epoch = initial_epoch
        steps_before = self._steps_made()
        logs: dict[str, Any] = {}
        try:
            try:
                cbs.on_train_begin()
                if self._distribution is not None:
                    self._distribution.synchronize(self)
                initial_epoch = self._initial_epoch  # BackupAndRestore may know better
                if initial_epoch and hasattr(x, "resume_at"):
                    x.resume_at(initial_epoch, steps)
                for epoch in range(initial_epoch, epochs):
                    self.reset_metrics()
                    cbs.on_epoch_begin(epoch)
                    found = train_epoch(self, batches, cbs)
                    if found is None:
                        if epoch == initial_epoch:
                            raise nothing_came("x")
                        warn_of_the_end()  # a generator that is used up
                        break
                    logs = found
                    if validation is not None and validates(epoch + 1):
                        results = evaluate_batches(self, validation, cbs, "validation_data")
                        logs.update({f"val_{name}": value for name, value in results.items()})
                    cbs.on_epoch_end(epoch, logs)
                    if self._distribution is not None:
                        self._distribution.agree(self)
                    if self.stop_training:
                        break
            finally:  # an interrupted run leaves a model that can be used, too
                if self._steps_made() > steps_before:
                    self.optimizer.finalize_variable_values(self.trainable_variables)
            cbs.on_train_end(logs)
            if self._distribution is not None:
                self._distribution.barrier()  # what rank 0 has written is there
        finally:
            cbs.close()
        return self.history

    def _steps_made(self) -> int:
        return 0 if self.optimizer is None else int(self.optimizer.iterations)

    def _batches(
        self,
        kind: str,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        steps: int | None = None,
        shuffle: bool | str = False,
        class_weight: Any = None,
        prefix: str = "",
    ) -> Batches:
        batch_size = _checked_size(batch_size)
        self._refuse_own_loop(kind)
        if not makes_batches(x):
            columns = columns_of(self, kind, x, y, sample_weight, class_weight, prefix)
            return self._array_batches(columns, batch_size, shuffle, steps)
        for argument, given in (("y", y), ("sample_weight", sample_weight)):
            if given is not None:
                raise ArgumentError(
                    f"{prefix}{argument} is given beside {prefix}x, a {type(x).__name__}, which makes batches by "
                    f"itself; let it give ({'x, y' if argument == 'y' else 'x, y, sample_weight'})"
                )

        def prepare(x: Any, y: Any, sample_weight: Any) -> tuple[Sequence[np.ndarray], Layout]:
            columns = columns_of(self, kind, x, y, sample_weight, class_weight, prefix)
            return columns.feeds(), columns.layout

        batches = iterated(x, prepare, f"{prefix}x", shuffle, steps)
        if self._distribution is None:
            return _capped(batches)
        from pynn.distribute.batches import RankBatches

        return _capped(RankBatches(self._distribution, batches))

    def _array_batches(
        self, columns: Columns, batch_size: int | None, shuffle: bool | str, steps: int | None
    ) -> Batches:
        if self._distribution is None:
            return _capped(ArrayBatches(columns, batch_size, shuffle, steps))
        from pynn.distribute.batches import own_array_batches

        return _capped(own_array_batches(self._distribution, columns, batch_size, shuffle, steps))

    # ---- what Keras's own loops are made of --------------------------------------------------------------------

    def make_train_function(self, force: bool = False) -> Callable[[Any], dict[str, Any]]:
        """Make ``model.train_function``: it takes an iterator over batches, trains on the next, and gives the logs.

        ``fit`` does not call it.  To change a step override ``train_step``.
        """
        self._require_compiled("make_train_function")
        self.train_function = self._function_of_batches("train")
        return self.train_function

    def make_test_function(self, force: bool = False) -> Callable[[Any], dict[str, Any]]:
        """The same for ``model.test_function``, which evaluates one batch more."""
        self._require_compiled("make_test_function")
        self.test_function = self._function_of_batches("test")
        return self.test_function

    def make_predict_function(self, force: bool = False) -> Callable[[Any], Any]:
        """The same for ``model.predict_function``, which gives the outputs for the next batch."""
        self.predict_function = self._function_of_batches("predict")
        return self.predict_function

    def _function_of_batches(self, kind: str) -> Callable[[Any], Any]:
        def function(iterator: Any) -> Any:
            step, feeds = self._batch(kind, *unpack_x_y_sample_weight(next(iterator)))
            outputs = step.program(feeds)
            return step.outputs(outputs) if kind == "predict" else step.results(outputs)

        return function

    def _refuse_own_loop(self, kind: str) -> None:
        if getattr(type(self), f"make_{kind}_function") is not getattr(Trainer, f"make_{kind}_function"):
            raise ArgumentError(
                f"model '{self.name}': {type(self).__name__} has a make_{kind}_function of its own, which pynn would "
                f"not call; override {kind}_step (or train with a loop of your own) instead"
            )

    def _begin_equal(self) -> None:
        """Give all processes that train together the same state, if they have had no reason yet to have it."""
        if self._distribution is not None and not self._synchronized:
            self._distribution.synchronize(self)

    def _callback_list(
        self, callbacks: Any, verbose: Any, steps: int | None, epochs: int = 1, add_history: bool = False
    ) -> CallbackList:
        from pynn.callbacks import CallbackList

        if self._distribution is not None and self._distribution.rank > 0:
            from pynn.distribute.callbacks import silent

            callbacks, verbose = silent(callbacks), 0
        return CallbackList(
            callbacks, add_history=add_history, add_progbar=verbose != 0, verbose=verbose, epochs=epochs, steps=steps,
            model=self,
        )  # fmt: skip

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

        Args:
            x, y, batch_size, sample_weight: as :meth:`fit` takes them.
            steps: batches to evaluate, if not all.

        Returns:
            The loss, or ``[loss, metric, ...]`` if there are metrics, or a dict with ``return_dict=True``.

        Example:
            >>> import numpy as np, pynn
            >>> model = pynn.Sequential([pynn.Input((2,)), pynn.layers.Dense(1, kernel_initializer="ones")])
            >>> model.compile(loss="mse", optimizer="sgd", metrics=["mae"])
            >>> model.evaluate(np.ones((8, 2)), np.zeros(8), verbose=0)
            [4.0, 2.0]
        """
        self._require_compiled("evaluate")
        batches = self._batches("test", x, y, sample_weight, batch_size, _checked_steps("steps", steps))
        self._begin_equal()
        cbs = self._callback_list(callbacks, verbose, batches.steps)
        try:
            results = evaluate_batches(self, batches, cbs)
        finally:
            cbs.close()
        return dict(sorted(results.items())) if return_dict else in_order(self._programs.metrics, results)

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
            x: samples, first axis the batch; or what gives batches by itself.
            batch_size: samples per step, 32 by default; it changes speed and memory, not the results.
            steps: batches to predict, if not all.

        Example:
            >>> import numpy as np, pynn
            >>> model = pynn.Sequential([pynn.Input((2,)), pynn.layers.Dense(1, kernel_initializer="ones")])
            >>> model.predict(np.ones((3, 2)), verbose=0).shape
            (3, 1)
        """
        from pynn.utils.bar_displays import resolve_verbose

        quiet = not callbacks and resolve_verbose(verbose) == 0
        if quiet and steps is None and type(x) is np.ndarray and x.ndim and len(x) <= (_checked_size(batch_size) or 32):
            return self.predict_on_batch(x)  # what loops over samples call: there is nothing to cut into batches
        batches = self._batches("predict", x, batch_size=batch_size, steps=_checked_steps("steps", steps))
        self._begin_equal()
        cbs = None if quiet else self._callback_list(callbacks, verbose, batches.steps)
        try:
            return predict_batches(self, batches, cbs)
        finally:
            if cbs is not None:
                cbs.close()

    # ---- one batch -------------------------------------------------------------------------------------------

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One step on one batch.  Returns this batch's loss, or ``[loss, metric, ...]``, or a dict."""
        self._require_compiled("train_on_batch")
        step, feeds = self._batch("train", x, y, sample_weight, class_weight)
        return self._run_batch(step, feeds, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The loss and metrics of one batch, in inference mode."""
        self._require_compiled("test_on_batch")
        step, feeds = self._batch("test", x, y, sample_weight)
        return self._run_batch(step, feeds, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The model's outputs for one batch."""
        step, feeds = self._batch("predict", x)
        return step.outputs(step.program(feeds))

    def _run_batch(self, step: Step, feeds: Sequence[np.ndarray], return_dict: bool) -> Any:
        step.reset()
        results = step.results(step.program(feeds))
        return dict(sorted(results.items())) if return_dict else step.in_order(results)

    def _batch(
        self, kind: str, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None
    ) -> tuple[Step, Sequence[np.ndarray]]:
        """The step for one batch, and its feeds."""
        programs = self._programs
        given = (x,) if y is None else (x, y)
        key = programs.plain_key(kind, x, y) if sample_weight is None and class_weight is None else None
        found = programs.plain.get(key) if key is not None else None
        if found is not None:  # what depends on shapes alone was checked before: a small step takes less time than that
            step, dtypes, check_numbers = found
            check_numbers(given)
            return step, [np.ascontiguousarray(a, d) for a, d in zip(given, dtypes, strict=True)]
        columns = columns_of(self, kind, x, y, sample_weight, class_weight)
        feeds: Sequence[np.ndarray] = columns.feeds()
        if self._distribution is not None and kind != "predict":
            from pynn.distribute.batches import own_rows

            self._begin_equal()
            feeds, share = own_rows(self._distribution, feeds)
            return programs.get(kind, feeds, columns.layout, share), feeds
        step = programs.get(kind, feeds, columns.layout)
        if key is not None and len(feeds) == len(given) and columns.keep_values:
            programs.plain[programs.plain_key(kind, x, y)] = (step, columns.dtypes, columns.check_numbers)
        return step, feeds


def _validation(model: Trainer, data: Any) -> tuple[Any, Any, Any]:
    """``x, y, sample_weight`` of ``validation_data``."""
    if makes_batches(data):
        return data, None, None
    if isinstance(data, list | tuple) and len(data) in (2, 3):
        return unpack_x_y_sample_weight(data)
    if model._compile_loss is None or model.has_own("test_step"):  # targets are not needed
        return unpack_x_y_sample_weight(data) if isinstance(data, list | tuple) else (data, None, None)
    raise ArgumentError(
        "validation_data: expected (x, y) or (x, y, sample_weight), received "
        f"{type(data).__name__}{f' of length {len(data)}' if hasattr(data, '__len__') else ''}"
    )


def _checked_size(batch_size: int | None) -> int | None:
    return None if batch_size is None else checked_count("batch_size", batch_size)


def _checked_steps(argument: str, steps: int | None) -> int | None:
    return None if steps is None else checked_count(argument, steps)


def _checked_freq(validation_freq: Any) -> Callable[[int], bool]:
    """Whether there is a validation after an epoch, counted from 1."""
    if isinstance(validation_freq, list | tuple | set):
        epochs = {checked_count("validation_freq", epoch) for epoch in validation_freq}
        return lambda epoch: epoch in epochs
    every = checked_count("validation_freq", validation_freq)
    return lambda epoch: epoch % every == 0


def _capped_epochs(epochs: int) -> int:
    most = config.max_epochs()
    if most is None or most >= epochs:
        return epochs
    warnings.warn(
        f"KERAS_MAX_EPOCHS or config.set_max_epochs limits epochs={epochs} to {most}", stacklevel=users_line()
    )
    return most


def _capped(batches: Batches) -> Batches:
    most = config.max_steps_per_epoch()
    if most is not None and batches.cap(most):
        warnings.warn(
            f"KERAS_MAX_STEPS_PER_EPOCH or config.set_max_steps_per_epoch limits an epoch to {most} steps",
            stacklevel=users_line(),
        )
    return batches
