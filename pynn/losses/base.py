"""What all losses share: a number per sample, then weights and masks, then a reduction to one number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from pynn.errors import ArgumentError, DtypeError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.graph.refusals import RefusingConstructor
from pynn.losses.alignment import squeeze_or_expand_to_same_rank
from pynn.losses.targets import TARGET_CHECKS, check_numbers
from pynn.losses.weighting import REDUCTIONS, both_masks, mask_of, reduce
from pynn.utils.arrays import as_float, to_array
from pynn.utils.from_function import FromFunction
from pynn.utils.naming import auto_name, snake_case
from pynn.utils.serialization import serialize_object


class Loss(RefusingConstructor):
    """Base of losses.  A subclass defines ``call(y_true, y_pred)``, written in ``pynn.ops``: one number per sample.

    Args:
        name: shown in progress and errors.
        reduction: ``"sum_over_batch_size"`` (also called ``"mean"``) divides the sum by the number of samples;
            ``"sum"``; ``"mean_with_sample_weight"`` divides by the sum of the weights; None keeps one per sample.
        dtype: what is computed in: None or ``"float32"``.

    Where ``y_pred`` carries a mask, entries that it hides weigh nothing, and means are those of the others.

    Example:
        >>> class Quartic(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return ops.mean(ops.square(ops.square(y_pred - y_true)), axis=-1)
    """

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None):
        if name is not None and not isinstance(name, str):
            raise ArgumentError(f"{type(self).__name__}: name must be a string, received {name!r}")
        self.name = name or auto_name(snake_case(type(self).__name__))
        if reduction not in REDUCTIONS:
            raise ArgumentError(
                f"loss '{self.name}': reduction must be one of {', '.join(map(repr, REDUCTIONS))}, "
                f"received {reduction!r}"
            )
        if getattr(dtype, "compute_dtype", dtype) not in (None, "float32"):
            raise DtypeError(f"loss '{self.name}': dtype must be 'float32', received {dtype!r}")
        self.reduction = reduction
        self.dtype = "float32"

    def call(self, y_true: Value, y_pred: Value) -> Value:
        """The loss of each sample."""
        raise NotImplementedError(f"loss {type(self).__name__} must define call(y_true, y_pred)")

    def call_and_mask(self, y_true: Value, y_pred: Value) -> tuple[Value, Value | None]:
        """The loss of each sample, and which of them count if the loss itself leaves some out."""
        return self.call(y_true, y_pred), None

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        operands = (y_true, y_pred, sample_weight, mask_of(y_pred))
        if trace.is_tracing():
            y_true, y_pred, *rest = operands
            weights, mask = (None if x is None else trace.as_value(x) for x in rest)
            return self.compute(trace.as_value(y_true), trace.as_value(y_pred), weights, mask)
        from pynn.executor.eager import run_traced_with

        owner = f"loss '{self.name}'"
        return run_traced_with(self.compute, tuple(None if x is None else to_array(x, owner) for x in operands), {})

    def compute(
        self, y_true: Value, y_pred: Value, sample_weight: Value | None = None, mask: Value | None = None
    ) -> Value:
        """The weighted and reduced loss of traced values."""
        values, own_mask = self.call_and_mask(y_true, as_float(y_pred))
        if not isinstance(values, Value):
            raise DtypeError(
                f"loss '{self.name}': expected a traced value, one number per sample, received {values!r}; "
                "write the loss with functions of pynn.ops on y_true and y_pred, and return the result"
            )
        return reduce(f"loss '{self.name}'", values, sample_weight, both_masks(mask, own_mask), self.reduction)

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
        dtype: Any = None,
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
        return {**super().get_config(), "fn": serialize_object(self.fn, "losses"), **self.kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        if "fn" in config:
            from pynn import losses

            config = {**config, "fn": losses.get(config["fn"])}
        return cls(**config)


class FunctionLoss(FromFunction, LossFunctionWrapper):
    """Base of the losses that are a function with its options chosen; see :class:`FromFunction`."""

    _shared: ClassVar[Mapping[str, Any]] = {"reduction": "sum_over_batch_size", "name": None, "dtype": None}

    def get_config(self) -> dict[str, Any]:
        return {**Loss.get_config(self), **self.written_options()}
