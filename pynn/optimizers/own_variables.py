"""The variables of an optimizer: step counter, learning rate, and slots beside the weights; how they are saved."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import initializers
from pynn.errors import ArgumentError, NotBuiltError, NotInitializedError
from pynn.graph import trace
from pynn.graph.variable import Variable
from pynn.optimizers.learning_rate import HasLearningRate
from pynn.utils.callers import users_line
from pynn.utils.naming import auto_name


class HasVariables(HasLearningRate):
    """What optimizers know about their own variables, and about those they were built for."""

    built: bool
    use_ema: bool
    gradient_accumulation_steps: int | None
    _variables: list[Variable]
    _trainable_variables: list[Variable]

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
        made = len(self._variables)
        try:
            with trace.suspended():
                self.build(list(variables))
        except BaseException:  # an interrupt, or too little memory: it will be built anew
            del self._variables[made:]
            raise
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

    # Files

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
                stacklevel=users_line(),
            )
            return
        for i, variable in enumerate(self.variables):
            variable.assign(store[str(i)])
