"""Sums and means over everything a metric has seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pynn import ops
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.losses.alignment import broadcast_weights
from pynn.metrics.base import Metric
from pynn.utils.arrays import as_float


def _per_sample(name: str, values: Any, sample_weight: Any) -> tuple[Value, Value | None]:
    """One (weighted) number per sample, and one weight per sample."""
    values = as_float(trace.as_value(values))
    weights = None
    if sample_weight is not None:
        weights = as_float(trace.as_value(sample_weight))
        if 0 < weights.ndim < values.ndim:
            values = ops.mean(values, axis=tuple(range(weights.ndim, values.ndim)))
        values, weights = broadcast_weights(f"metric '{name}'", values, weights)
        values = values * weights
        if weights.ndim > 1:
            weights = ops.mean(weights, axis=tuple(range(1, weights.ndim)))
    if values.ndim > 1:
        values = ops.mean(values, axis=tuple(range(1, values.ndim)))
    return values, weights


class Sum(Metric):
    """Sum of everything given to it.

    Example:
        >>> m = Sum(); m.update_state([1, 2, 3]); m.result()
        6.0
    """

    def __init__(self, name: str | None = "sum", dtype: str | None = None):
        super().__init__(dtype, name)
        self.total = self.add_variable(shape=(), initializer="zeros", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, _ = _per_sample(self.name, values, sample_weight)
        self.total.assign_add(ops.sum(values))

    def result(self) -> float:
        return float(self.total)


class Mean(Metric):
    """Weighted mean of everything given to it.

    Example:
        >>> m = Mean(); m.update_state([1, 3, 5, 7]); m.result()
        4.0
    """

    def __init__(self, name: str | None = "mean", dtype: str | None = None):
        super().__init__(dtype, name)
        self.total = self.add_variable(shape=(), initializer="zeros", name="total")
        self.count = self.add_variable(shape=(), initializer="zeros", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, weights = _per_sample(self.name, values, sample_weight)
        self.total.assign_add(ops.sum(values))
        if weights is None:
            count = trace.current().constant(float(values.size))
        else:
            # One weight for all samples counts once for each of them.
            count = ops.sum(weights) * float(values.size // weights.size)
        self.count.assign_add(count)

    def result(self) -> float:
        count = float(self.count)
        return float(self.total) / count if count else 0.0


class MeanMetricWrapper(Mean):
    """Mean of a function ``fn(y_true, y_pred, **kwargs)`` that gives a number per sample."""

    def __init__(self, fn: Callable[..., Value], name: str | None = None, dtype: str | None = None, **kwargs: Any):
        super().__init__(name or getattr(fn, "__name__", None), dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        super().update_state(self._fn(trace.as_value(y_true), trace.as_value(y_pred), **self._fn_kwargs), sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._fn_kwargs}
