"""Sums and means over everything a metric has seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from pynn import ops
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.losses.alignment import broadcast_weights
from pynn.losses.weighting import mask_of, masked_weights
from pynn.metrics.base import Metric
from pynn.metrics.results import as_result, divide_no_nan
from pynn.utils.arrays import as_float
from pynn.utils.from_function import FromFunction
from pynn.utils.serialization import serialize_object


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
        >>> m = Sum(); m.update_state([1, 2, 3]); float(m.result())
        6.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None):
        super().__init__(dtype, name)
        self.total = self.add_variable(shape=(), initializer="zeros", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, _ = _per_sample(self.name, values, sample_weight)
        self.total.assign_add(ops.sum(values))

    def result(self) -> Any:
        return as_result(self.total.array * 1.0)


class Mean(Metric):
    """Weighted mean of everything given to it.

    Example:
        >>> m = Mean(); m.update_state([1, 3, 5, 7]); float(m.result())
        4.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None):
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

    def result(self) -> Any:
        return as_result(divide_no_nan(self.total.array, self.count.array))


class MeanMetricWrapper(Mean):
    """Mean of a function ``fn(y_true, y_pred, **kwargs)`` that gives a number per sample.

    Steps that a mask of the predictions hides do not count.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.MeanMetricWrapper(lambda y_true, y_pred: (y_true - y_pred) ** 4)
        >>> metric.update_state([[1.0], [2.0]], [[1.0], [4.0]])
        >>> round(float(metric.result()), 4)
        8.0
    """

    def __init__(self, fn: Callable[..., Value], name: str | None = None, dtype: Any = None, **kwargs: Any):
        super().__init__(name or getattr(fn, "__name__", None), dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        mask = mask_of(y_pred)
        values = self._fn(trace.as_value(y_true), trace.as_value(y_pred), **self._fn_kwargs)
        if mask is not None:
            weights = None if sample_weight is None else as_float(trace.as_value(sample_weight))
            sample_weight = masked_weights(f"metric '{self.name}'", weights, trace.as_value(mask))
        super().update_state(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "fn": serialize_object(self._fn, "metrics"), **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        if "fn" in config:
            from pynn import metrics

            config = {**config, "fn": metrics.deserialize(config["fn"])}
        return cls(**config)


class FunctionMetric(FromFunction, MeanMetricWrapper):
    """Base of the metrics that are the mean of a function with its options chosen; see :class:`FromFunction`."""

    _shared: ClassVar[Mapping[str, Any]] = {"name": None, "dtype": None}
    _shared_first: ClassVar[bool] = True

    def get_config(self) -> dict[str, Any]:
        return {**Metric.get_config(self), **self.written_options()}
