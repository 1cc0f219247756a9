"""What callbacks that watch a metric share: which way is better, and is this better."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable

from pynn.callbacks.callback import Callback, Logs
from pynn.errors import ArgumentError
from pynn.utils.callers import users_line


class MonitorCallback(Callback):
    """Base of callbacks that watch a metric.

    Args:
        monitor: name of the quantity in the epoch's logs.
        mode: ``"min"``: lower is better; ``"max"``: higher is better; ``"auto"``: as the metric itself says.
        baseline: the first value to beat.
        min_delta: differences up to this are no improvement.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0,
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__}: mode {mode!r} is unknown, 'auto' is taken; it may be 'auto', 'min' or 'max'",
                stacklevel=users_line(),
            )
            mode = "auto"
        self.monitor, self.mode = monitor, mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        #: ``operator.gt`` or ``operator.lt``; None until it is known which of them, see :meth:`_find_direction`.
        self.monitor_op: Callable[[float, float], bool] | None = None

    def _find_direction(self) -> Callable[[float, float], bool]:
        """The comparison that says "better", found once; metrics have a direction only when they are built.

        Raises:
            ArgumentError: neither the mode nor the metric tells.
        """
        if self.monitor_op is None:
            self.monitor_op = operator.gt if self._higher_is_better() else operator.lt
        return self.monitor_op

    def _higher_is_better(self) -> bool:
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            return False
        for metric in getattr(self.model, "metrics", ()):
            if metric.name == name and getattr(metric, "_direction", None) is not None:
                return metric._direction == "up"
        if name.endswith(("acc", "accuracy", "auc")):
            return True
        raise ArgumentError(
            f"{type(self).__name__} got monitor={self.monitor!r}, and cannot tell whether it should grow or "
            "shrink; pass mode='max' if higher is better, or mode='min' if lower is better"
        )

    def _beats(self, value: float, record: float | None) -> bool:
        """Whether ``value`` is better than ``record`` by more than ``min_delta``; anything beats None."""
        if record is None:
            return True
        better = self._find_direction()
        return better(value - self.min_delta if better is operator.gt else value + self.min_delta, record)

    def _watched(self, logs: Logs | None) -> float | None:
        """The monitored quantity of an epoch; None, after a warning, if the logs lack it."""
        self._find_direction()
        logs = logs or {}
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__} does nothing: it watches `{self.monitor}` which is not available. "
                f"Available metrics are: {', '.join(logs)}",
                stacklevel=users_line(),
            )
        return value
