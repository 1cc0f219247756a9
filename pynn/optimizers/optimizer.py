"""What all optimizers share: the learning rate, the step counter, slots, and writing the new weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, NotBuiltError, ShapeError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.utils.arrays import to_array
from pynn.utils.naming import auto_name, snake_case

#: Arguments of Keras's optimizers that are accepted only when they are left at these values.
_NOT_YET: dict[str, Any] = {
    "weight_decay": None,
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


class Optimizer:
    """Base of optimizers.

    A subclass defines ``make_slots(variables)``, if it keeps arrays beside the weights, and
    ``step(grads, variables)``, written in ``pynn.ops``.

    Args:
        learning_rate: a number; or a schedule, an object or function of the step number, evaluated before each step.
        name: ``sgd``, ``adam`` ... by default.

    The learning rate lives in a variable: changing it never compiles anything again.
    """

    def __init__(self, learning_rate: Any = 0.01, name: str | None = None, **kwargs: Any):
        class_name = type(self).__name__
        if "lr" in kwargs:
            learning_rate = kwargs.pop("lr")
            warnings.warn(
                f"{class_name}(lr=...) is the way of older Keras versions; write learning_rate=... instead",
                DeprecationWarning,
                stacklevel=3,
            )
        for argument, value in kwargs.items():
            if argument not in _NOT_YET:
                raise ArgumentError(
                    f"{class_name}: unknown argument {argument}={value!r}; it takes {', '.join(self._arguments())}"
                )
            if value is not None and value != _NOT_YET[argument]:
                raise ArgumentError(f"{class_name}: {argument}={value!r} is not supported yet; leave it out")
        self.name = name or auto_name(snake_case(class_name))
        self.built = False
        self._schedule: Callable[[int], Any] | None = None
        self.iterations = self._own(np.zeros((), np.int64), "iteration")
        self._learning_rate = self._own(np.zeros((), np.float32), "learning_rate")
        self._slots: list[Variable] = []
        self._slots_of: list[Variable] = []
        self.learning_rate = learning_rate

    def _own(self, value: np.ndarray, name: str) -> Variable:
        variable = Variable(value, trainable=False, name=name, dtype=str(value.dtype))
        variable.path = f"{self.name}/{name}"
        return variable

    # The learning rate

    @property
    def learning_rate(self) -> Any:
        """The variable that holds it (``float()`` gives the number).  Assign a number or a schedule."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, Variable):
            value = float(value)
        if callable(value):
            self._schedule = value
            self._learning_rate.assign(self._scheduled())
            return
        if isinstance(value, bool) or not isinstance(value, int | float | np.number | np.ndarray):
            raise self._bad_rate(value)
        if np.ndim(value) or not np.isfinite(value) or value < 0:
            raise self._bad_rate(value)
        self._schedule = None
        self._learning_rate.assign(value)

    def _bad_rate(self, value: Any) -> ArgumentError:
        return ArgumentError(
            f"{type(self).__name__}: learning_rate must be a number from 0, or a schedule (a function of the step "
            f"number), received {value!r}"
        )

    def _scheduled(self) -> float:
        assert self._schedule is not None
        step = int(self.iterations)
        rate = float(np.asarray(self._schedule(step)))
        if not np.isfinite(rate) or rate < 0:
            raise ArgumentError(
                f"{type(self).__name__}: the learning rate schedule gave {rate} for step {step}; "
                "it must give a number from 0"
            )
        return rate

    def prepare_step(self) -> None:
        """On the host, before each step: put the scheduled learning rate in place."""
        if self._schedule is not None:
            self._learning_rate.assign(self._scheduled())

    # Slots and steps

    @property
    def variables(self) -> list[Variable]:
        """Step counter, learning rate, then the slots."""
        return [self.iterations, self._learning_rate, *self._slots]

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots; does nothing if they exist for these variables."""
        variables = list(variables)
        if self.built and [id(v) for v in variables] == [id(v) for v in self._slots_of]:
            return
        if self.built and self._slots:
            old = {id(v) for v in self._slots_of}
            new = [v.path for v in variables if id(v) not in old]
            if new:
                raise ArgumentError(
                    f"{type(self).__name__} '{self.name}' was built for other variables; new are {', '.join(new)}: "
                    "compile the model again, with a new optimizer"
                )
        else:
            self.make_slots(variables)
            self._slots_of = variables
        self.built = True

    def make_slots(self, variables: Sequence[Variable]) -> None:
        """Make the arrays that are kept beside each weight."""

    def add_slot(self, variable: Variable, name: str) -> Variable:
        """An array of zeros of ``variable``'s shape."""
        path = variable.path.replace("/", "_")
        slot = self._own(np.zeros(variable.shape, variable.dtype), f"{path}_{name}")
        self._slots.append(slot)
        return slot

    def slots(self, group: Sequence[Variable], variables: Sequence[Variable]) -> list[Variable]:
        """Those of ``group`` (one slot per variable of ``build``) that belong to ``variables``."""
        position = {id(v): i for i, v in enumerate(self._slots_of)}
        try:
            return [group[position[id(v)]] for v in variables]
        except KeyError:
            raise NotBuiltError(
                f"{type(self).__name__} '{self.name}' has no state for some of these variables: call build() with all"
            ) from None

    def step(self, grads: Sequence[Value], variables: Sequence[Variable]) -> None:
        """Record the update of all variables."""
        raise NotImplementedError(f"optimizer {type(self).__name__} must define step(grads, variables)")

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """One step: move each variable along its gradient.

        Args:
            grads: one per variable, traced values or arrays; None leaves that variable alone.
            trainable_variables: by default those of :meth:`build`.
        """
        grads = list(grads)
        variables = list(self._slots_of if trainable_variables is None else trainable_variables)
        if len(grads) != len(variables):
            raise ShapeError(
                f"{type(self).__name__}.apply: received {len(grads)} gradients for {len(variables)} variables"
            )
        for g, v in zip(grads, variables, strict=True):
            if g is not None and tuple(np.shape(g) if not isinstance(g, Value) else g.shape) != v.shape:
                raise ShapeError(
                    f"{type(self).__name__}.apply: the gradient of '{v.path}' has shape "
                    f"{tuple(getattr(g, 'shape', np.shape(g)))}, expected {v.shape}"
                )
        if not self.built:
            with trace.suspended():
                self.build(variables)
        pairs = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        if trace.is_tracing():
            self._apply_traced([trace.as_value(g) for g, _ in pairs], [v for _, v in pairs])
            return
        from pynn.executor.eager import run_traced

        arrays = [to_array(g, f"gradient of '{v.path}'") for g, v in pairs]
        run_traced(self._apply_arrays, arrays, variables=tuple(v for _, v in pairs))

    def _apply_arrays(self, *grads: Value, variables: tuple[Variable, ...]) -> None:
        self._apply_traced(list(grads), list(variables))

    def _apply_traced(self, grads: list[Value], variables: list[Variable]) -> None:
        trace.current().before_run(self.prepare_step)
        if variables:
            self.step(grads, variables)
        for v in variables:
            if v.constraint is not None:
                v.assign(v.constraint(trace.current().read(v)))
        self.iterations.assign(ops.increment(self.iterations))

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> None:
        """:meth:`apply` for pairs of gradient and variable."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])

    # Config

    @classmethod
    def _arguments(cls) -> list[str]:
        own = cls.__init__.__code__
        return [*own.co_varnames[1 : own.co_argcount], *_NOT_YET]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        if self._schedule is not None:
            raise ArgumentError(
                f"{type(self).__name__}: the config of an optimizer with a learning rate schedule is not supported yet"
            )
        return {"name": self.name, "learning_rate": float(self._learning_rate), **_NOT_YET}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, learning_rate={float(self._learning_rate):g}>"
