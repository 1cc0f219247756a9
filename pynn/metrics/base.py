"""What all metrics share: variables that add up over batches, and a result computed from them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn import initializers
from pynn.errors import DtypeError
from pynn.graph import trace
from pynn.graph.later import Later
from pynn.graph.variable import Variable
from pynn.utils.arrays import to_array
from pynn.utils.naming import auto_name, snake_case


class Metric:
    """Base of metrics.

    A subclass defines ``update_state``, written in ``pynn.ops`` with ``variable.assign``, and ``result``, which reads
    the variables on the host.  ``update_state`` then works inside a compiled step and on arrays.

    Example:
        >>> class CountAbove(Metric):
        ...     def __init__(self, limit, name=None):
        ...         super().__init__(name=name)
        ...         self.limit = limit
        ...         self.total = self.add_variable(shape=(), initializer="zeros", name="total")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.total.assign_add(ops.sum(ops.cast(ops.greater(y_pred, self.limit), "float32")))
        ...     def result(self):
        ...         return float(self.total)
    """

    def __init__(self, dtype: str | None = None, name: str | None = None):
        if dtype not in (None, "float32"):
            raise DtypeError(f"metric {type(self).__name__}: dtype must be 'float32', received {dtype!r}")
        self.name = name or auto_name(snake_case(type(self).__name__))
        self.dtype = "float32"
        self._variables: list[Variable] = []
        self._initial: list[np.ndarray] = []

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "update_state" in cls.__dict__:
            cls.update_state = _on_arrays_too(cls.__dict__["update_state"])  # type: ignore[method-assign]
        if "result" in cls.__dict__:
            cls.result = _later_in_a_step(cls.__dict__["result"])  # type: ignore[method-assign]

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: str | None = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """A variable that :meth:`reset_state` sets back to its initial numbers (``aggregation`` is not used)."""
        value = initializers.get(initializer)(tuple(shape), dtype or self.dtype)
        variable = Variable(value, trainable=False, name=name or "variable")
        variable.path = f"{self.name}/{variable.name}"
        self._variables.append(variable)
        self._initial.append(np.array(value))
        return variable

    add_weight = add_variable

    @property
    def variables(self) -> list[Variable]:
        """The variables, in the order they were added."""
        return list(self._variables)

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take one more batch into account."""
        raise NotImplementedError(f"metric {type(self).__name__} must define update_state()")

    def result(self) -> Any:
        """The metric over everything since the last reset."""
        raise NotImplementedError(f"metric {type(self).__name__} must define result()")

    def reset_state(self) -> None:
        """Begin again: at the start of each epoch."""
        for variable, value in zip(self._variables, self._initial, strict=True):
            variable.mark_changed()
            variable.array[...] = value  # once per train_on_batch: assign's checks would cost more than the rest

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """``update_state`` and then ``result``."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        return cls(**config)

    def _update_traced(self, *values: Any, names: tuple[str, ...]) -> None:
        self.update_state(**dict(zip(names, values, strict=True)))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _later_in_a_step(result: Callable[..., Any]) -> Callable[..., Any]:
    """``result`` that is put off while a step is traced."""

    @functools.wraps(result)
    def either(self: Metric, *args: Any, **kwargs: Any) -> Any:
        if trace.is_compiling():
            return Later(self.name, lambda: result(self, *args, **kwargs))
        return result(self, *args, **kwargs)

    return either


def _on_arrays_too(update: Callable[..., None]) -> Callable[..., None]:
    """``update_state`` that is traced, compiled and run when no trace is active."""
    signature = inspect.signature(update)

    @functools.wraps(update)
    def update_state(self: Metric, *args: Any, **kwargs: Any) -> None:
        if trace.is_tracing():
            update(self, *args, **kwargs)
            return
        from pynn.executor.eager import run_traced

        given = {k: v for k, v in signature.bind(self, *args, **kwargs).arguments.items() if v is not None}
        given.pop(next(iter(signature.parameters)))
        arrays = [to_array(v, f"metric '{self.name}': {k}") for k, v in given.items()]
        run_traced(self._update_traced, arrays, names=tuple(given))

    return update_state
