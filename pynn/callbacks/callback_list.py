"""Calls a list of callbacks at every stage, and as few of them as possible at every batch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pynn.callbacks.callback import Callback, Logs
from pynn.callbacks.history import History
from pynn.callbacks.progbar_logger import ProgbarLogger
from pynn.errors import ArgumentError

# What a training loop may pass as logs: the numbers, or a function that works them out when somebody looks.
LazyLogs = Logs | Callable[[], Logs] | None

_MODES = ("train", "test", "predict")
_BATCH_HOOKS = tuple(f"on_{mode}_batch_{moment}" for mode in _MODES for moment in ("begin", "end"))


def plain_logs(logs: Logs | None) -> dict[str, Any]:
    """Logs as Python floats in Keras's order (by name), nested groups flattened."""
    result: dict[str, Any] = {}
    for name, value in sorted((logs or {}).items()):
        if isinstance(value, Mapping):
            result.update(plain_logs(value))
            continue
        if getattr(value, "ndim", 0) == 0:
            with contextlib.suppress(TypeError, ValueError):
                value = float(value)
        result[name] = value  # predictions, and whatever else is no single number, stay as they are
    return result


def flatten_callbacks(callbacks: Any, where: str = "callbacks") -> Iterator[Callback]:
    """The callbacks in a callback, None, or nested lists of them."""
    if callbacks is None:
        return
    if isinstance(callbacks, Callback):
        yield callbacks
    elif isinstance(callbacks, Iterable):
        for i, callback in enumerate(callbacks):
            yield from flatten_callbacks(callback, f"{where}[{i}]")
    else:
        what = f"the class {callbacks.__name__}" if isinstance(callbacks, type) else repr(callbacks)
        raise ArgumentError(
            f"{where} is {what}; expected an object of a subclass of pynn.callbacks.Callback; "
            "a function can be wrapped: LambdaCallback(on_epoch_end=function)"
        )


class CallbackList(Callback):
    """A list of callbacks that can be called like one.

    Training loops ask once per run which hooks have listeners (:meth:`listens_to`) and skip the others.
    ``logs`` may be a function without arguments; it is called only if somebody will read its result.

    Args:
        callbacks: callbacks, in nested lists if you like.
        add_history: add a ``History`` if there is none.
        add_progbar: add a ``ProgbarLogger`` if there is none.
        model: the model they are used with.
        **params: ``verbose``, ``epochs`` and ``steps`` of this run.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self.callbacks: list[Callback] = list(flatten_callbacks(callbacks))
        self.history = next((c for c in self.callbacks if isinstance(c, History)), None)
        self.progbar = next((c for c in self.callbacks if isinstance(c, ProgbarLogger)), None)
        if self.history is None and add_history:
            self.history = History()
            self.callbacks.append(self.history)
        if self.progbar is None and add_progbar:
            self.progbar = ProgbarLogger()
            self.callbacks.append(self.progbar)
        self._listeners: dict[str, list[Callback]] = {}
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def append(self, callback: Callback) -> None:
        """Add one more; from now on it is called last."""
        self.callbacks.extend(flatten_callbacks(callback))
        self._find_listeners()

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        if params:
            for callback in self.callbacks:
                callback.set_params(params)
        self._find_listeners()

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        if self.history is not None:
            model.history = self.history
        for callback in self.callbacks:
            callback.set_model(model)

    def listens_to(self, hook: str) -> bool:
        """Whether any callback does something at ``hook``."""
        if hook in self._listeners:
            return bool(self._listeners[hook])
        return any(callback.listens_to(hook) for callback in self.callbacks)

    def close(self) -> None:
        """To be called when a run ends by an exception: what was drawn stays readable."""
        if self.progbar is not None:
            self.progbar.close()

    def _find_listeners(self) -> None:
        self._listeners = {hook: [c for c in self.callbacks if c.listens_to(hook)] for hook in _BATCH_HOOKS}

    def _call_batch_hook(self, hook: str, batch: int, logs: LazyLogs) -> None:
        plain: dict[str, Any] | None = None
        for callback in self._listeners[hook]:
            if callback is self.progbar and not self.progbar.count(batch):
                continue
            if plain is None:
                plain = plain_logs(logs() if callable(logs) else logs)
            getattr(callback, hook)(batch, logs=plain)

    def on_train_batch_begin(self, batch: int, logs: LazyLogs = None) -> None:
        self._call_batch_hook("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: LazyLogs = None) -> None:
        self._call_batch_hook("on_train_batch_end", batch, logs)

    def on_test_batch_begin(self, batch: int, logs: LazyLogs = None) -> None:
        self._call_batch_hook("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: LazyLogs = None) -> None:
        self._call_batch_hook("on_test_batch_end", batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: LazyLogs = None) -> None:
        self._call_batch_hook("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: LazyLogs = None) -> None:
        self._call_batch_hook("on_predict_batch_end", batch, logs)

    def on_batch_begin(self, batch: int, logs: LazyLogs = None) -> None:
        self.on_train_batch_begin(batch, logs)

    def on_batch_end(self, batch: int, logs: LazyLogs = None) -> None:
        self.on_train_batch_end(batch, logs)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch, logs)
        self._find_listeners()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs)

    def _call_run_hook(self, hook: str, logs: Logs | None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            getattr(callback, hook)(logs)
        # A callback may have been given new methods meanwhile.
        self._find_listeners()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._call_run_hook("on_train_begin", logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._call_run_hook("on_train_end", logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._call_run_hook("on_test_begin", logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._call_run_hook("on_test_end", logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._call_run_hook("on_predict_begin", logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._call_run_hook("on_predict_end", logs)
