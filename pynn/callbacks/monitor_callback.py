"""What callbacks that watch a metric share: which way is better, and is this better."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable

from pynn.callbacks.callback import Callback, Logs
from pynn.errors import ArgumentError


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
            warnings.warn(f"{type(self).__name__} mode {mode!r} is unknown, fallback to auto mode.", stacklevel=3)
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[float, float], bool] | None = None

    def _higher_is_better(self) -> bool:
        """Which way the monitored quantity improves; known only when the model's metrics are built."""
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

    def _set_monitor_op(self) -> None:
        self.monitor_op = operator.gt if self._higher_is_better() else operator.lt

    def _is_improvement(self, value: float, reference: float | None) -> bool:
        if reference is None:
            return True
        if self.monitor_op is None:
            self._set_monitor_op()
        assert self.monitor_op is not None
        margin = self.min_delta if self.monitor_op is operator.gt else -self.min_delta
        return self.monitor_op(value - margin, reference)

    def _monitored_value(self, logs: Logs | None) -> float | None:
        logs = logs or {}
        if self.monitor not in logs:
            warnings.warn(
                f"{type(self).__name__} conditioned on metric `{self.monitor}` which is not available. "
                f"Available metrics are: {','.join(logs)}",
                stacklevel=3,
            )
            return None
        return logs[self.monitor]
