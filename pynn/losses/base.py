"""What all losses share: a number per sample, then weights, then a reduction to the number that is minimised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, DtypeError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.losses.alignment import broadcast_weights, squeeze_or_expand_to_same_rank
from pynn.losses.targets import TARGET_CHECKS, check_numbers
from pynn.utils.arrays import as_float, to_array
from pynn.utils.naming import snake_case

_REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss:
    """Base of losses.  A subclass defines ``call(y_true, y_pred)``, written in ``pynn.ops``: one number per sample.

    Args:
        name: shown in progress and errors.
        reduction: ``"sum_over_batch_size"`` (also called ``"mean"``) divides the sum by the number of samples;
            ``"sum"``; ``"mean_with_sample_weight"`` divides by the sum of the weights; None keeps one per sample.

    Example:
        >>> class Quartic(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return ops.mean(ops.square(ops.square(y_pred - y_true)), axis=-1)
    """

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: str | None = None
    ):
        self.name = name or snake_case(type(self).__name__)
        if reduction not in _REDUCTIONS:
            raise ArgumentError(
                f"loss '{self.name}': reduction must be one of {', '.join(map(repr, _REDUCTIONS))}, "
                f"received {reduction!r}"
            )
        if dtype not in (None, "float32"):
            raise DtypeError(f"loss '{self.name}': dtype must be 'float32', received {dtype!r}")
        self.reduction = reduction
        self.dtype = "float32"

    def call(self, y_true: Value, y_pred: Value) -> Value:
        """The loss of each sample."""
        raise NotImplementedError(f"loss {type(self).__name__} must define call(y_true, y_pred)")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        operands = [y_true, y_pred] if sample_weight is None else [y_true, y_pred, sample_weight]
        if trace.is_tracing():
            return self.compute(*(trace.as_value(x) for x in operands))
        from pynn.executor.eager import run_traced

        return run_traced(self.compute, [to_array(x, f"loss '{self.name}'") for x in operands])

    def compute(self, y_true: Value, y_pred: Value, sample_weight: Value | None = None) -> Value:
        """The weighted and reduced loss of traced values."""
        values = self.call(y_true, as_float(y_pred))
        if not isinstance(values, Value):
            raise DtypeError(
                f"loss '{self.name}': expected a traced value, one number per sample, received {values!r}; "
                "write the loss with functions of pynn.ops on y_true and y_pred, and return the result"
            )
        if sample_weight is not None:
            sample_weight = as_float(sample_weight)
            values, sample_weight = broadcast_weights(f"loss '{self.name}'", values, sample_weight)
            values = values * sample_weight
        if self.reduction in (None, "none") or values.ndim == 0:
            return values
        total = ops.sum(values)
        if self.reduction == "sum":
            return total
        if self.reduction == "mean_with_sample_weight" and sample_weight is not None:
            return total / ops.sum(sample_weight)
        return total * (1.0 / max(1, values.size))

    def check_targets(self, y: np.ndarray, output_shape: Sequence[int | None], argument: str = "y") -> None:
        """Complain about targets this loss cannot use, in terms of the user's array.

        Args:
            y: all targets, before batching.
            output_shape: the model's, batch axis first.
            argument: what the user called the array.
        """
        check_numbers(f"loss '{self.name}'", np.asarray(y), argument)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, reduction={self.reduction}>"


class LossFunctionWrapper(Loss):
    """A loss whose ``call`` is a function ``fn(y_true, y_pred, **kwargs)``."""

    def __init__(
        self,
        fn: Callable[..., Value],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn = fn
        self.kwargs = kwargs

    def call(self, y_true: Value, y_pred: Value) -> Value:
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self.kwargs)

    def check_targets(self, y: np.ndarray, output_shape: Sequence[int | None], argument: str = "y") -> None:
        super().check_targets(y, output_shape, argument)
        if self.fn in TARGET_CHECKS:
            TARGET_CHECKS[self.fn](f"loss '{self.name}'", np.asarray(y), output_shape, argument)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.kwargs}
