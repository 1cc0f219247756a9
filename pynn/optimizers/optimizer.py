"""What all optimizers share: the step counter, slots, and everything around one update of the weights."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pynn import initializers, ops
from pynn.errors import ArgumentError, NotBuiltError, NotInitializedError, ShapeError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.optimizers.arguments import SHARED, check_shared, full_signature
from pynn.optimizers.learning_rate import HasLearningRate
from pynn.optimizers.schedules import LearningRateSchedule
from pynn.optimizers.updates import clip_by_global_norm, clip_by_norm, keep_where
from pynn.utils.arrays import to_array
from pynn.utils.naming import auto_name, snake_case


class Optimizer(HasLearningRate):
    """Base of optimizers.

    A subclass defines ``update_step(gradient, variable, learning_rate)``, written in ``pynn.ops``, and ``build`` if it
    keeps arrays beside the weights.

    Args:
        learning_rate: a number; or a schedule, or a function of the step number or of nothing, evaluated before each
            step.  It lives in a variable: changing it never compiles anything again.
        weight_decay: each step takes ``weight_decay * learning_rate`` of each weight away before it follows the
            gradient; see :meth:`exclude_from_weight_decay`.
        clipnorm: gradients of a weight that are longer than this are shortened to it.
        clipvalue: gradients are cut off at this value, up and down.
        global_clipnorm: all gradients together are shortened to this length if they are longer.
        use_ema: keep a running mean of the weights, which replaces them at the end of ``fit``.
        ema_momentum: how much of the mean is kept in each step.
        ema_overwrite_frequency: have the mean replace the weights every so many steps, too.
        loss_scale_factor: the loss is multiplied by this before gradients are taken, and these are divided by it.
        gradient_accumulation_steps: gradients of so many steps are averaged for one update.
        name: ``sgd``, ``adam`` ... by default.

    Example:
        >>> class Signs(Optimizer):
        ...     def build(self, variables):
        ...         super().build(variables)
        ...         self.steps = self.add_optimizer_variables(variables, "steps")
        ...     def update_step(self, gradient, variable, learning_rate):
        ...         self.assign_sub(variable, learning_rate * ops.sign(gradient))
        ...         self.assign_add(self.steps[self._get_variable_index(variable)], ops.abs(ops.sign(gradient)))
        >>> w, optimizer = Variable([1.0, 2.0], name="w"), Signs(0.5)
        >>> optimizer.apply([np.array([3.0, -0.1])], [w])
        >>> w.numpy()
        array([0.5, 2.5], dtype=float32)
    """

    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls) and (signature := full_signature(cls)) is not None:
            cls.__signature__ = signature  # type: ignore[attr-defined]

    def __init__(
        self,
        learning_rate: Any = 0.01,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        self._variables: list[Variable] = []
        learning_rate = self._old_arguments(learning_rate, kwargs)
        given = locals()
        check_shared(self, given)
        for argument in SHARED:
            setattr(self, argument, given[argument])
        self.name = name or auto_name(snake_case(type(self).__name__))
        self.built = False
        self._iterations = self._own(np.zeros((), np.int64), "iteration")
        self._learning_rate = self._own(np.zeros((), np.float32), "learning_rate")
        self._trainable_variables: list[Variable] = []
        self._undecayed: list[Variable] = []
        self._undecayed_names: re.Pattern[str] | None = None
        self._was_traced = False
        self.learning_rate = learning_rate

    def _old_arguments(self, learning_rate: Any, kwargs: dict[str, Any]) -> Any:
        class_name = type(self).__name__
        if "lr" in kwargs:
            learning_rate = kwargs.pop("lr")
            warnings.warn(
                f"{class_name}(lr=...) is the way of older Keras versions; write learning_rate=... instead",
                DeprecationWarning,
                stacklevel=4,
            )
        if kwargs.pop("decay", None):
            warnings.warn(
                f"{class_name}: decay is ignored, as in Keras 3; give a schedule as learning_rate, such as "
                f"schedules.InverseTimeDecay({learning_rate!r}, 1, decay), or use optimizers.legacy.{class_name}",
                stacklevel=4,
            )
        if kwargs:
            raise ArgumentError(
                f"{class_name}: unknown argument {', '.join(f'{k}={v!r}' for k, v in kwargs.items())}; it takes "
                f"{', '.join(self._arguments())}"
            )
        return learning_rate

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Variable):
            self._track(value)
        super().__setattr__(name, value)

    def _track(self, variable: Variable) -> None:
        self._check_super_called()
        if not any(v is variable for v in self._variables):
            self._variables.append(variable)

    def _check_super_called(self) -> None:
        if "_variables" not in vars(self):
            raise NotInitializedError(
                f"optimizer '{type(self).__name__}': call super().__init__() first in its __init__()"
            )

    # Variables

    @property
    def iterations(self) -> Any:
        """How many updates were made: a variable, or, while gradients are accumulated, a number."""
        if self.gradient_accumulation_steps:
            return self._iterations // self.gradient_accumulation_steps
        return self._iterations

    @property
    def variables(self) -> list[Variable]:
        """Step counter, learning rate (if there is no schedule), then the slots."""
        return [v for v in self._variables if self._schedule is None or v is not self._learning_rate]

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots for these variables; if they exist, check that they do.

        Raises:
            ArgumentError: the optimizer was built for others.
        """
        variables = list(variables)
        if self.built:
            self._check_known(variables)
            return
        if self.use_ema:
            self._model_variables_moving_average = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulated_gradients = self.add_optimizer_variables(variables, "gradient_accumulator")
        self._trainable_variables = variables
        self.make_slots(variables)
        self.built = True

    def ensure_built(self, variables: Sequence[Variable]) -> None:
        """:meth:`build`, but once only, and outside of any trace: subclasses may make their slots without asking."""
        if self.built:
            self._check_known(variables)
            return
        with trace.suspended():
            self.build(list(variables))
        self.built = True

    def _check_known(self, variables: Sequence[Variable]) -> None:
        known = {id(v) for v in self._trainable_variables}
        found = [v for v in variables if id(v) not in known]
        new = [v.path for v in found]
        if new and len(self._variables) == 2:  # nothing is kept beside them: layers may be thawed at any time
            self._trainable_variables.extend(found)
        elif new:
            raise ArgumentError(
                f"{type(self).__name__} '{self.name}' was built for other variables; new are {', '.join(new)}: "
                "compile the model again, with a new optimizer"
            )

    def make_slots(self, variables: Sequence[Variable]) -> None:
        """Make the arrays that are kept beside each weight; called by :meth:`build`."""

    def _own(self, value: np.ndarray, name: str) -> Variable:
        variable = Variable(value, trainable=False, name=name, dtype=str(value.dtype))
        variable.path = f"{self.name}/{name}"
        self._track(variable)
        return variable

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str | None = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """A variable of the optimizer.

        Args:
            shape: all lengths.
            initializer: as for a layer's weight.
            dtype: ``"float32"`` by default; ``"int"`` is int64.
            aggregation, layout: accepted for compatibility; there is one device, so they change nothing.
            name: the last part of its path.
        """
        self._check_super_called()
        dtype = "int64" if dtype == "int" else str(dtype or "float32")
        array = np.asarray(initializers.get(initializer)(tuple(shape), dtype), dtype)
        return self._own(array, name or auto_name("variable"))

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A variable of the shape and dtype of one of the model's, named ``<its path>_<name>``."""
        path = reference_variable.path.replace("/", "_")
        return self.add_variable(
            reference_variable.shape, initializer, reference_variable.dtype, name=f"{path}_{name or 'var'}"
        )

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: str | Sequence[str], initializer: Any = "zeros"
    ) -> Any:
        """A list with one variable for each of the model's; with several names, as many lists.

        Args:
            trainable_variables: of the model.
            name: what the variables are, such as ``"momentum"``; or several names.
            initializer: one for all names, or as many as there are names.
        """
        if isinstance(name, str):
            return [self.add_variable_from_reference(v, name, initializer) for v in trainable_variables]
        several = initializer if isinstance(initializer, list | tuple) else [initializer] * len(name)
        if len(several) != len(name):
            raise ArgumentError(
                f"{type(self).__name__}: as many initializers as names are needed, received name={name!r} and "
                f"initializer={initializer!r}"
            )
        rows = [
            [self.add_variable_from_reference(v, n, i) for n, i in zip(name, several, strict=True)]
            for v in trainable_variables
        ]
        return tuple([row[i] for row in rows] for i in range(len(name)))

    def _get_variable_index(self, variable: Variable) -> int:
        for i, known in enumerate(self._trainable_variables):
            if known is variable:
                return i
        raise NotBuiltError(
            f"{type(self).__name__} '{self.name}' has no state for '{variable.path}': call build() with all variables"
        )

    def slots(self, group: Sequence[Variable], variables: Sequence[Variable]) -> list[Variable]:
        """Those of ``group`` (one slot per variable of :meth:`build`) that belong to ``variables``."""
        return [group[self._get_variable_index(v)] for v in variables]

    def assign(self, variable: Variable, value: Any) -> None:
        """Give ``variable`` a new value."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add ``value`` to ``variable``."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract ``value`` from ``variable``."""
        variable.assign_sub(value)

    # A step

    def update_step(self, gradient: Value, variable: Variable, learning_rate: Any) -> None:
        """Record the update of one variable and of its slots."""
        raise NotImplementedError(
            f"optimizer {type(self).__name__} must define update_step(gradient, variable, learning_rate)"
        )

    def update_variables(self, grads: Sequence[Value], variables: Sequence[Variable], learning_rate: Any) -> None:
        """Record the update of all variables: one after the other, unless a subclass knows better."""
        for gradient, variable in zip(grads, variables, strict=True):
            self.update_step(gradient, variable, learning_rate)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """One step: move each variable along its gradient.

        Args:
            grads: one per variable, traced values or arrays; None leaves that variable alone.
            trainable_variables: by default those of :meth:`build`.

        Raises:
            ArgumentError: no variable has a gradient.
            ShapeError: gradients and variables do not fit together.
        """
        grads = list(grads)
        if trainable_variables is None and not self.built:
            raise NotBuiltError(
                f"{type(self).__name__}.apply: without variables the optimizer must be built first: call "
                "build(trainable_variables)"
            )
        variables = list(self._trainable_variables if trainable_variables is None else trainable_variables)
        self._check_gradients(grads, variables)
        if not grads:
            return
        self.ensure_built(variables)
        pairs = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        if trace.is_tracing():
            self._apply_traced([trace.as_value(g) for g, _ in pairs], [v for _, v in pairs])
            return
        from pynn.executor.eager import run_traced

        arrays = [to_array(g, f"gradient of '{v.path}'") for g, v in pairs]
        run_traced(self._apply_arrays, arrays, variables=tuple(v for _, v in pairs))

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """:meth:`apply` for pairs of gradient and variable; gives the step counter."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def _check_gradients(self, grads: Sequence[Any], variables: Sequence[Variable]) -> None:
        who = type(self).__name__
        if len(grads) != len(variables):
            raise ShapeError(f"{who}.apply: received {len(grads)} gradients for {len(variables)} variables")
        for g, v in zip(grads, variables, strict=True):
            shape = v.shape if g is None else tuple(g.shape if hasattr(g, "shape") else np.shape(g))
            if shape != v.shape:
                raise ShapeError(f"{who}.apply: the gradient of '{v.path}' has shape {shape}, expected {v.shape}")
        missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
        if missing and len(missing) == len(grads):
            raise ArgumentError(f"{who}.apply: no gradients provided for any variable ({', '.join(missing)})")
        if missing:
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the loss: the loss does not depend "
                "on them",
                stacklevel=3,
            )

    def _apply_arrays(self, *grads: Value, variables: tuple[Variable, ...]) -> None:
        self._apply_traced(list(grads), list(variables))

    def _apply_traced(self, grads: list[Any], variables: list[Variable]) -> None:
        self._was_traced = True
        trace.current().before_run(self.prepare_step)
        self._record_step(grads, variables, self._learning_rate)

    def _record_step(self, grads: list[Any], variables: list[Variable], rate: Any) -> None:
        if self.loss_scale_factor is not None:
            grads = [g / self.loss_scale_factor for g in grads]
        if self.gradient_accumulation_steps:
            self._accumulate(grads, variables, rate)
        else:
            self._update(grads, variables, rate)
        if self.use_ema:
            self._average_weights()
        for v in variables:
            if v.constraint is not None:
                v.assign(v.constraint(trace.current().read(v)))
        self._iterations.assign(ops.increment(self._iterations))

    def _update(self, grads: list[Any], variables: list[Variable], rate: Any) -> None:
        grads = self._clipped(grads)
        self._apply_weight_decay(variables, rate)
        self.update_variables(grads, variables, rate)

    def _clipped(self, grads: list[Any]) -> list[Any]:
        if self.clipnorm:
            return [clip_by_norm(g, self.clipnorm) for g in grads]
        if self.global_clipnorm:
            return clip_by_global_norm(grads, self.global_clipnorm)
        if self.clipvalue:
            return [ops.clip(g, -self.clipvalue, self.clipvalue) for g in grads]
        return grads

    def _accumulate(self, grads: list[Any], variables: list[Variable], rate: Any) -> None:
        """Update in every n-th run only, with the mean of the gradients since the last one."""
        steps = self.gradient_accumulation_steps
        now = ops.equal((self._iterations + 1) % steps, 0)
        sums = self.slots(self._accumulated_gradients, variables)
        totals = [total + g for total, g in zip(sums, grads, strict=True)]
        state = [*variables, *(v for v in self._variables if v is not self._iterations)]
        keep_where(now, state, lambda: self._update([total / steps for total in totals], variables, rate))
        for variable, total in zip(sums, totals, strict=True):
            variable.assign(ops.where(now, 0.0, total))

    # Weight decay

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leave variables out of weight decay.

        Args:
            var_list: these variables.
            var_names: variables in whose name one of these is found, such as ``["bias", "gamma", "beta"]``.

        Raises:
            ArgumentError: a step has been made or compiled: it would not follow.
        """
        if self._was_traced:
            raise ArgumentError(
                f"{type(self).__name__}.exclude_from_weight_decay() can only be called before the first step"
            )
        self._undecayed = list(var_list or ())
        names = list(var_names or ())
        self._undecayed_names = re.compile("|".join(names)) if names else None

    def _use_weight_decay(self, variable: Variable) -> bool:
        if any(v is variable for v in self._undecayed):
            return False
        return self._undecayed_names is None or self._undecayed_names.search(variable.name) is None

    def _apply_weight_decay(self, variables: Sequence[Variable], rate: Any) -> None:
        if self.weight_decay is not None:
            for v in variables:
                if self._use_weight_decay(v):
                    v.assign(v - v * (self.weight_decay * rate))

    # Running mean of the weights

    def _average_weights(self) -> None:
        iterations = self.iterations
        # The mean begins as the weights after the first step.
        momentum = self.ema_momentum * ops.cast(ops.not_equal(iterations, 0), "float32")
        pairs = list(zip(self._trainable_variables, self._model_variables_moving_average, strict=True))
        for variable, average in pairs:
            average.assign(momentum * average + (1.0 - momentum) * variable)
        if self.ema_overwrite_frequency:
            now = ops.equal((iterations + 1) % self.ema_overwrite_frequency, 0)
            for variable, average in pairs:
                variable.assign(ops.where(now, average, variable))

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """At the end of training: with ``use_ema`` the running means become the weights."""
        if self.use_ema and self.built:
            for v, average in zip(var_list, self.slots(self._model_variables_moving_average, var_list), strict=True):
                v.assign(average)

    def swap_ema_values(self) -> None:
        """Exchange the weights and their running means; once more puts them back.

        Raises:
            ArgumentError: the optimizer keeps no means.
        """
        if not self.use_ema:
            raise ArgumentError(
                f"{type(self).__name__} '{self.name}' keeps no running means: make it with use_ema=True"
            )
        if self.built:
            for v, average in zip(self._trainable_variables, self._model_variables_moving_average, strict=True):
                weights = v.numpy()
                v.assign(average)
                average.assign(weights)

    # The loss

    def scale_loss(self, loss: Any) -> Any:
        """What gradients are to be taken of: the loss, times ``loss_scale_factor`` if there is one."""
        factor = self.loss_scale_factor
        return loss if factor is None else loss * factor

    # State from outside

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """One step from given values: the new values of model and optimizer.  Variables stay as they are.

        Args:
            optimizer_variables: one value for each of :attr:`variables`.
            grads: one gradient per variable of :meth:`build`.
            trainable_variables: one value for each of these.

        Returns:
            ``(trainable_variables, optimizer_variables)``.
        """
        who = type(self).__name__
        if not self.built:
            raise NotBuiltError(f"{who}.stateless_apply: call build(trainable_variables) first")
        if self._schedule is not None and not isinstance(self._schedule, LearningRateSchedule):
            raise ArgumentError(
                f"{who}.stateless_apply: the learning rate is a Python function, which is not traced; make it a number "
                "or a LearningRateSchedule"
            )
        own, model = self.variables, self._trainable_variables
        for name, given, expected in (
            ("optimizer_variables", optimizer_variables, own), ("grads", grads, model),
            ("trainable_variables", trainable_variables, model),
        ):  # fmt: skip
            if len(given) != len(expected):
                raise ArgumentError(f"{who}.stateless_apply: {name} has {len(given)} values, expected {len(expected)}")
        state = [*trainable_variables, *optimizer_variables]
        if trace.is_tracing():
            new = self._stateless(*state, *grads)
        else:
            from pynn.executor.eager import run_traced

            given_arrays = [v.numpy() if isinstance(v, Variable) else np.asarray(v) for v in (*state, *grads)]
            new = run_traced(self._stateless, given_arrays)
        return list(new[: len(model)]), list(new[len(model) :])

    def _stateless(self, *values: Any) -> list[Value]:
        current = trace.current()
        model = self._trainable_variables
        variables = [*model, *self.variables]
        before = [current.read(v) for v in variables]
        for v, value in zip(variables, values, strict=False):
            current.write(v, ops.cast(trace.as_value(value), v.dtype))
        rate = self._learning_rate if self._schedule is None else self._schedule(current.read(self._iterations))
        self._record_step([trace.as_value(g) for g in values[len(variables) :]], list(model), rate)
        new = [current.read(v) for v in variables]
        for v, old in zip(variables, before, strict=True):
            current.write(v, old)
        return new

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set :attr:`variables` from arrays."""
        if not self.built:
            raise NotBuiltError(f"{type(self).__name__}.set_weights: call build(trainable_variables) first")
        for variable, array in zip(self.variables, weights, strict=False):
            variable.assign(array)

    def save_own_variables(self, store: Any) -> None:
        """Write the state into a dictionary."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read the state from what :meth:`save_own_variables` wrote."""
        if len(store.keys()) != len(self.variables):
            warnings.warn(
                f"Skipping variable loading for optimizer '{self.name}', because it has {len(self.variables)} "
                f"variables whereas the saved optimizer has {len(store.keys())} variables",
                stacklevel=2,
            )
            return
        for i, variable in enumerate(self.variables):
            variable.assign(store[str(i)])

    # Config

    @classmethod
    def _arguments(cls) -> list[str]:
        signature = full_signature(cls)
        return [] if signature is None else [name for name in signature.parameters if name != "kwargs"]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        from pynn.saving.serialization import serialize_keras_object

        scheduled = self._schedule is not None
        rate = serialize_keras_object(self._schedule) if scheduled else float(self._learning_rate)
        order = ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", *list(SHARED)[4:])
        return {"name": self.name, "learning_rate": rate, **{name: getattr(self, name) for name in order}}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """An optimizer with these arguments."""
        if isinstance(config.get("learning_rate"), dict):
            from pynn.saving.serialization import deserialize_keras_object

            config = {**config, "learning_rate": deserialize_keras_object(config["learning_rate"], custom_objects)}
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, learning_rate={float(self._learning_rate):g}>"
