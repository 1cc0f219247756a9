"""The progress bar of ``fit``, ``evaluate`` and ``predict``, also for loops of your own."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.utils.bar_displays import BarState, choose_display, write_text


def format_step_time(seconds: float, unit_name: str = "step") -> str:
    """Time per step with the unit that gives a readable number: ``2ms/step``."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/{unit_name}"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms/{unit_name}"
    return f"{seconds * 1e6:.0f}us/{unit_name}"


def format_metric(name: str, value: float) -> str:
    """``loss: 0.0921``; numbers of a thousandth and less as ``9.2100e-04``."""
    return f"{name}: {value:.4f}" if abs(value) > 1e-3 else f"{name}: {value:.4e}"


def _format_time_left(seconds: float) -> str:
    if seconds > 3600:
        return f"{seconds // 3600:.0f}:{seconds % 3600 // 60:02.0f}:{int(seconds % 60):02d}"
    if seconds > 60:
        return f"{seconds // 60:.0f}:{int(seconds % 60):02d}"
    return f"{int(seconds)}s"


class Progbar:
    """Displays a progress bar.

    On a terminal and in a notebook one line is redrawn in place; in a log file there is only the last state:
    ``469/469 ━━━━━━━━━━━━━━━━━━━━ 1s 2ms/step - accuracy: 0.9021 - loss: 0.0921``.

    Args:
        target: number of steps expected, None if unknown.
        width: width of the bar in characters.
        verbose: 0 (silent), 1 (a bar) or 2 (one line when complete).
        interval: least number of seconds between two redraws.
        stateful_metrics: names of values that are shown as they come; all others are averaged over the steps.
        stateless_metrics: names of values that are averaged; all others are shown as they come. Give only one
            of the two.
        unit_name: what a step is called, usually ``"step"`` or ``"sample"``.

    Example:

    >>> import pynn
    >>> bar = pynn.utils.Progbar(target=100)
    >>> for step in range(100):  # doctest: +SKIP
    ...     bar.update(step + 1, values=[("loss", 1 / (step + 1))])
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ArgumentError(
                "Progbar got both stateful_metrics and stateless_metrics; expected at most one: "
                "name either the values to show as they come or the values to average"
            )
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)

        self._display = choose_display()
        self._sums: dict[str, tuple[float, int]] = {}  # name -> (sum, number of steps in it)
        self._seen_so_far = 0
        self._start = time.perf_counter()
        self._after_first_step: float | None = None
        # A log never needs a redraw, so the moment of the next one is never reached.
        self._next_draw = self._start + interval if verbose == 1 and self._display.live else math.inf

    @property
    def redraw_is_due(self) -> bool:
        """Whether an update now would be seen. Cheap: loops ask it before they work out what to show."""
        return time.perf_counter() >= self._next_draw

    def update(
        self, current: int, values: Sequence[tuple[str, Any]] | None = None, finalize: bool | None = None
    ) -> None:
        """Show that ``current`` steps are done.

        Args:
            current: how many steps are done by now.
            values: pairs (name, value in the last step).
            finalize: whether this is the last update; None means ``current >= target``.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or ():
            self._record(name, value, current, finalize)
        self._seen_so_far = current

        now = time.perf_counter()
        if current == 1 and not finalize:
            self._after_first_step = now
        if finalize:
            self._finish(current, now)
        elif now >= self._next_draw:
            seconds = self._seconds_per_step(current, now)
            self._display.draw(self._state(current, seconds, now, finalize=False))
            # Counted from the drawing's end: a slow terminal slows the training down by a bounded part.
            self._next_draw = time.perf_counter() + self.interval

    def add(self, n: int, values: Sequence[tuple[str, Any]] | None = None) -> None:
        """Show that ``n`` more steps are done."""
        self.update(self._seen_so_far + n, values)

    def close(self) -> None:
        """Leave an unfinished bar behind, so that whatever is printed next starts on a new line."""
        self._display.close()

    def _record(self, name: str, value: Any, current: int, finalize: bool) -> None:
        value = value if isinstance(value, float) else float(np.mean(value))
        if self.stateless_metrics is not None:
            averaged = name in self.stateless_metrics
        else:
            averaged = name not in self.stateful_metrics
        if not averaged or finalize:
            # As in Keras, values that come with the last update are the results and are shown as they are.
            self._sums[name] = (value, 1)
            return
        steps = max(current - self._seen_so_far, 1)
        total, count = self._sums.get(name, (0.0, 0))
        self._sums[name] = (total + value * steps, count + steps)

    def _seconds_per_step(self, current: int, now: float) -> float:
        """The first step is left out where there are others: it traces, compiles and warms up."""
        if not current:
            return 0.0
        if self._after_first_step is not None and current > 1:
            return (now - self._after_first_step) / (current - 1)
        return (now - self._start) / current

    def _metrics(self) -> str:
        means = {name: total / count for name, (total, count) in self._sums.items()}
        return "".join(f" - {format_metric(name, mean)}" for name, mean in means.items())

    def _state(self, current: int, seconds: float, now: float, finalize: bool) -> BarState:
        if self.target and not finalize:
            elapsed = _format_time_left(seconds * (self.target - current))
        else:
            elapsed = f"{now - self._start:.0f}s"
        info = f" {format_step_time(seconds, self.unit_name)}{self._metrics()}"
        return BarState(current, self.target, self.width, elapsed, info)

    def _finish(self, current: int, now: float) -> None:
        seconds = self._seconds_per_step(current, now)
        if self.verbose == 1:
            self._display.finish(self._state(current, seconds, now, finalize=True))
        elif self.verbose == 2 and self.target:
            counts = f"{current:{len(str(self.target))}d}/{self.target}"
            step_time = format_step_time(seconds, self.unit_name)
            write_text(f"{counts} - {now - self._start:.0f}s - {step_time}{self._metrics()}\n")
