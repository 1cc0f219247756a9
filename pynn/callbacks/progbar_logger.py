"""The callback that shows a progress bar; ``fit``, ``evaluate`` and ``predict`` add it by themselves."""

from __future__ import annotations

from typing import Any

from pynn.callbacks.callback import Callback, Logs
from pynn.utils.bar_displays import choose_display, resolve_verbose
from pynn.utils.progbar import Progbar

# Ten redraws per second look smooth, and drawing (some 100 us each) stays at a thousandth of the time.
REDRAW_INTERVAL = 0.1


class ProgbarLogger(Callback):
    """Shows the progress of a run on standard output, one bar per epoch.

    ``verbose=1`` is a bar (in a log file only its last state), 2 is one line per epoch, 0 is silence;
    ``"auto"`` is 1 on a terminal or in a notebook and 0 in a log file.
    """

    rank_0_only = True

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.progbar: Progbar | None = None
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self._is_fitting = False

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        self.verbose = resolve_verbose(params.get("verbose", 1))
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def listens_to(self, hook: str) -> bool:
        if hook.endswith("_batch_end"):
            if hook == "on_test_batch_end" and self._is_fitting:
                return False  # a validation shows in its epoch's line
            # Other modes only have to count, and that only where the number of steps is not known before.
            return self.verbose == 1 or (self.verbose == 2 and self.target is None)
        return super().listens_to(hook)

    def count(self, batch: int) -> bool:
        """Note that ``batch`` is done; tells whether its numbers would be seen. Cheap: asked every time."""
        self.seen = batch + 1
        bar = self.progbar
        if bar is None:
            return False
        if bar.redraw_is_due:
            return True
        if batch == 0 and self.verbose == 1:
            bar.update(1, finalize=False)  # starts the clock of the time per step
        return False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._is_fitting = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        # Unlike in Keras the same object can serve an evaluate after a fit.
        self._is_fitting = False

    def on_test_begin(self, logs: Logs | None = None) -> None:
        if not self._is_fitting:
            self._start_bar()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._start_bar()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if self.verbose and self.epochs > 1:
            choose_display().print_line(f"Epoch {epoch + 1}/{self.epochs}")
        self._start_bar()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._update_bar(batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if not self._is_fitting:
            self._update_bar(batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._update_bar(batch, None)  # predictions are no metrics

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._finish_bar(logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        if not self._is_fitting:
            self._finish_bar(logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._finish_bar(None)

    def close(self) -> None:
        """Leave an unfinished bar as it is; for runs that end by an exception."""
        if self.progbar is not None:
            self.progbar.close()
            self.progbar = None
        self._is_fitting = False

    def _start_bar(self) -> Progbar:
        self.seen = 0
        # Training loops hand in averages already, so no value is averaged again: stateless_metrics is empty.
        self.progbar = Progbar(self.target, verbose=self.verbose, interval=REDRAW_INTERVAL, stateless_metrics=())
        return self.progbar

    def _update_bar(self, batch: int, logs: Logs | None) -> None:
        self.seen = batch + 1
        if self.verbose == 1:
            bar = self.progbar or self._start_bar()
            bar.update(self.seen, list((logs or {}).items()), finalize=False)

    def _finish_bar(self, logs: Logs | None) -> None:
        if not self.verbose:
            return
        bar = self.progbar or self._start_bar()
        if self.target is None:
            self.target = self.seen
            bar.target = self.seen
        bar.update(self.target, list((logs or {}).items()), finalize=True)
        self.progbar = None
