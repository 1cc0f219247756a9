"""What all optimizers share: the arguments, one step from gradients to weights, the config."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, NotBuiltError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.graph.refusals import RefusingConstructor
from pynn.graph.variable import Variable
from pynn.optimizers.arguments import SHARED, check_shared, full_signature
from pynn.optimizers.gradients import TreatsGradients
from pynn.optimizers.weight_average import AveragesWeights
from pynn.optimizers.weight_decay import DecaysWeights
from pynn.utils.arrays import to_array
from pynn.utils.callers import users_line
from pynn.utils.naming import auto_name, snake_case


class Optimizer(RefusingConstructor, TreatsGradients, DecaysWeights, AveragesWeights):
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
        learning_rate: Any,
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
                stacklevel=users_line(),
            )
        if kwargs.pop("decay", None):
            warnings.warn(
                f"{class_name}: decay is ignored, as in Keras 3; give a schedule as learning_rate, such as "
                f"schedules.InverseTimeDecay({learning_rate!r}, 1, decay), or use optimizers.legacy.{class_name}",
                stacklevel=users_line(),
            )
        if kwargs:
            raise ArgumentError(
                f"{class_name}: unknown argument {', '.join(f'{k}={v!r}' for k, v in kwargs.items())}; it takes "
                f"{', '.join(self._arguments())}"
            )
        return learning_rate

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

    def _apply_arrays(self, *grads: Value, variables: tuple[Variable, ...]) -> None:
        self._apply_traced(list(grads), list(variables))

    def _apply_traced(self, grads: list[Any], variables: list[Variable]) -> None:
        self._was_traced = True
        trace.current().before_run(self.prepare_step)
        replica = trace.current().replica
        if replica is not None:  # each process has seen its part of the batch
            grads = [replica.mean(g) for g in grads]
        self._record_step(grads, variables, self._rate())

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
        grads = [trace.as_value(g) for g in values[len(variables) :]]
        self._record_step(grads, list(model), self._rate(stateless=True))
        new = [current.read(v) for v in variables]
        for v, old in zip(variables, before, strict=True):
            current.write(v, old)
        return new

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
