"""What all metrics share: variables that add up over batches, and a result computed from them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn import initializers
from pynn.errors import ArgumentError, DtypeError, GraphError
from pynn.graph import trace
from pynn.graph.later import Later
from pynn.graph.refusals import RefusingConstructor
from pynn.graph.stateless_scope import StatelessScope
from pynn.graph.tensor import Tensor
from pynn.graph.variable import Variable
from pynn.metrics.results import as_number
from pynn.utils.arrays import to_array
from pynn.utils.naming import auto_name, snake_case


class Metric(RefusingConstructor):
    """Base of metrics.

    A subclass defines ``update_state``, written in ``pynn.ops`` with ``variable.assign``, and ``result``, which reads
    the variables.  ``update_state`` then works inside a compiled step and on arrays; ``result`` is worked out when the
    step has run.

    Args:
        dtype: what is computed in: None or ``"float32"``.
        name: what logs call it.

    Example:
        >>> from pynn import ops
        >>> class CountAbove(Metric):
        ...     def __init__(self, limit, name=None):
        ...         super().__init__(name=name)
        ...         self.limit = limit
        ...         self.total = self.add_weight(name="total")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.total.assign_add(ops.sum(ops.cast(ops.greater(y_pred, self.limit), "float32")))
        ...     def result(self):
        ...         return self.total * 1.0
        >>> metric = CountAbove(0.5)
        >>> float(metric([0, 1], [0.4, 0.6]))
        1.0
    """

    #: Dtypes that the constructor takes.
    _DTYPES: tuple[str, ...] = ("float32",)

    def __init__(self, dtype: Any = None, name: str | None = None):
        dtype = getattr(dtype, "compute_dtype", dtype) or self._DTYPES[0]
        if dtype not in self._DTYPES:
            expected = " or ".join(map(repr, self._DTYPES))
            raise DtypeError(f"metric {type(self).__name__}: dtype must be {expected}, received {dtype!r}")
        self.name = name or auto_name(snake_case(type(self).__name__))
        self.dtype = dtype

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "update_state" in cls.__dict__:
            cls.update_state = _on_arrays_too(cls.__dict__["update_state"])  # type: ignore[method-assign]
        if "result" in cls.__dict__:
            cls.result = _later_in_a_step(cls.__dict__["result"])  # type: ignore[method-assign]

    def __setattr__(self, name: str, value: Any) -> None:
        """Variables and metrics kept as attributes are reset with this metric."""
        if isinstance(value, Variable):
            self._track(value)
        elif isinstance(value, Metric):
            vars(self).setdefault("_metrics", []).append(value)
        super().__setattr__(name, value)

    def _track(self, variable: Variable) -> None:
        tracked = vars(self).setdefault("_tracked", [])
        if all(variable is not known for known, _ in tracked):
            tracked.append((variable, variable.numpy()))

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = None,
        dtype: str | None = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """A variable that :meth:`reset_state` sets back to its initial numbers, zeros by default.

        ``aggregation`` says how devices would be combined; there is one, so it changes nothing.
        """
        value = initializers.get(initializer or "zeros")(tuple(shape), dtype or "float32")
        variable = Variable(value, trainable=False, name=name or "variable")
        variable.path = f"{self.name}/{variable.name}"
        self._track(variable)
        return variable

    def add_weight(
        self, shape: Sequence[int] = (), initializer: Any = None, dtype: str | None = None, name: str | None = None
    ) -> Variable:
        """:meth:`add_variable` with a scalar by default."""
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The variables in the order they were added, then those of metrics kept as attributes."""
        own = [variable for variable, _ in vars(self).get("_tracked", ())]
        return [*own, *(v for metric in vars(self).get("_metrics", ()) for v in metric.variables)]

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take one more batch into account."""
        raise NotImplementedError(f"metric {type(self).__name__} must define update_state()")

    def result(self) -> Any:
        """The metric over everything since the last reset."""
        raise NotImplementedError(f"metric {type(self).__name__} must define result()")

    def reset_state(self) -> None:
        """Begin again: at the start of each epoch."""
        if trace.is_tracing() or Variable.guards:
            for variable, value in vars(self).get("_tracked", ()):
                variable.assign(value)
        else:
            for variable, value in vars(self).get("_tracked", ()):
                variable.mark_changed()
                variable.array[...] = value  # once per train_on_batch: assign's checks would cost more than the rest
        for metric in vars(self).get("_metrics", ()):
            metric.reset_state()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """``update_state`` and then ``result``."""
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """What the variables would be after ``update_state``, beginning with ``metric_variables``."""
        return self._stateless(metric_variables, self.update_state, *args, **kwargs)[1]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """What ``result`` would be with ``metric_variables``.

        Raises:
            GraphError: inside a traced function: results are computed on the host, when it has run.
        """
        if trace.is_compiling():
            raise GraphError(
                f"metric '{self.name}': stateless_result() works on numbers, not inside a traced function; return "
                "the metric's variables from the function and call it on them"
            )
        return self._stateless(metric_variables, self.result)[0]

    def stateless_reset_state(self) -> list[Any]:
        """What the variables are after ``reset_state``."""
        return self._stateless([v.value for v in self.variables], self.reset_state)[1]

    def _stateless(self, values: Sequence[Any], method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What the method gives, and what the variables would be after it."""
        variables = self.variables
        if len(values) != len(variables):
            raise ArgumentError(
                f"metric '{self.name}': received {len(values)} metric_variables, expected {len(variables)}"
            )
        with StatelessScope(zip(variables, values, strict=True)) as scope:
            result = method(*args, **kwargs)
            return result, [scope.get_current_value(v) for v in variables]

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
            return Later(self.name, lambda: as_number(result(self, *args, **kwargs)))
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
        from pynn.executor.eager import run_traced_with

        given = {k: v for k, v in signature.bind(self, *args, **kwargs).arguments.items() if v is not None}
        given.pop(next(iter(signature.parameters)))
        arrays = [_with_mask_of(v, to_array(v, f"metric '{self.name}': {k}")) for k, v in given.items()]
        run_traced_with(self._update_traced, tuple(arrays), {"names": tuple(given)})

    return update_state


def _with_mask_of(given: Any, array: np.ndarray) -> np.ndarray:
    mask = getattr(given, "_keras_mask", None)
    if mask is None:
        return array
    tensor = array.view(Tensor)
    tensor._keras_mask = mask
    return tensor
