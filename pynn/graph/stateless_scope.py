"""``keras.StatelessScope``: code that changes variables, run without changing them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.graph import trace
from pynn.graph.tensor import Tensor
from pynn.graph.variable import Variable


class StatelessScope:
    """Inside the ``with`` block variables have the values that are given, and keep no change that is made to them.

    What they are at the end of the block is found by :meth:`get_current_value`.  It works on numbers and, inside a
    function that is traced (``pynn.jit``, ``train_step``), on traced values, through which gradients go.

    On numbers the values stand in the variables' own arrays until the block ends, so other threads see them, too.

    Args:
        state_mapping: pairs ``(variable, value)``.
        collect_losses: whether what layers add by ``add_loss`` inside the block is kept in :attr:`losses`.
        initialize_variables: accepted, since a variable has its numbers from the beginning.

    Attributes:
        losses: see ``collect_losses``.

    Raises:
        ArgumentError: a pair whose first item is no variable.
        ShapeError: a value of another shape than its variable.

    Example:
        >>> import pynn
        >>> v = pynn.Variable([1.0, 2.0])
        >>> with StatelessScope([(v, [5.0, 5.0])]) as scope:
        ...     _ = v.assign_add([1.0, 1.0])
        >>> v.numpy(), scope.get_current_value(v)
        (array([1., 2.], dtype=float32), array([6., 6.], dtype=float32))
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ):
        self._given = [_checked(variable, value) for variable, value in state_mapping or ()]
        self.collect_losses = bool(collect_losses)
        self.initialize_variables = initialize_variables
        self.losses: list[Any] = []
        #: Variables that were given or changed, and their state before.
        self._before: dict[int, tuple[Variable, Any]] = {}
        #: Their state at the end of the block.
        self._after: dict[int, Any] = {}
        self._trace: trace.Trace | None = None
        #: Those that no block around this one had substituted.
        self._substituted: set[int] = set()
        self._is_open = False
        #: Other threads may train other models meanwhile.
        self._thread = 0

    def __enter__(self) -> StatelessScope:
        self._thread = threading.get_ident()
        self._trace = trace.current() if trace.is_tracing() else None
        self._before, self._after, self._substituted, self._is_open = {}, {}, set(), True
        Variable.guards = (*Variable.guards, self._about_to_change)
        _open.append(self)
        try:
            for variable, value in self._given:
                _set(variable, value)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: Any) -> None:
        Variable.guards = tuple(guard for guard in Variable.guards if guard != self._about_to_change)
        _open.remove(self)
        self._after = {key: _state(variable) for key, (variable, _) in self._before.items()}
        for variable, value in self._before.values():
            _set(variable, value)
        if self._trace is not None:
            self._trace.substituted -= self._substituted
        self._is_open = False

    def _about_to_change(self, variable: Variable) -> None:
        """Keep the state of a variable that is about to get another; see :attr:`Variable.guards`."""
        key = id(variable)
        if self._is_here() and key not in self._before:
            self._before[key] = (variable, _state(variable))
            if self._trace is not None and key not in self._trace.substituted:
                self._trace.substituted.add(key)
                self._substituted.add(key)

    def _is_here(self) -> bool:
        """Whether the code that runs is traced, or computed, as the one that opened the block."""
        here = trace.current() if trace.is_tracing() else None
        return self._trace is here and self._thread == threading.get_ident()

    @property
    def state_mapping(self) -> dict[int, Any]:
        """``id(variable)`` -> what :meth:`get_current_value` gives."""
        return {key: _state(v) for key, (v, _) in self._before.items()} if self._is_open else dict(self._after)

    def get_current_value(self, variable: Variable) -> Any:
        """What the variable is now or, after the block, was at its end; None if the block did not give or change it."""
        if not self._is_open:
            return self._after.get(id(variable))
        return _state(variable) if id(variable) in self._before else None

    def add_loss(self, loss: Any) -> None:
        """Keep one more of :attr:`losses`."""
        self.losses.append(loss)

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Let a variable have another value for the rest of the block: ``(variable, value)``."""
        variable, value = _checked(*update)
        _set(variable, value)


#: The blocks that are open, innermost last.
_open: list[StatelessScope] = []


def collect_loss(loss: Any) -> None:
    """Tell the innermost block that collects losses."""
    for scope in reversed(_open):
        if scope.collect_losses and scope._is_here():
            scope.add_loss(loss)
            return


def _checked(variable: Any, value: Any) -> tuple[Variable, Any]:
    if not isinstance(variable, Variable):
        raise ArgumentError(f"StatelessScope: expected pairs (variable, value), received {variable!r} as a variable")
    shape = tuple(value.shape) if hasattr(value, "shape") else np.shape(value)
    if shape != variable.shape:
        raise ShapeError(
            f"StatelessScope: the value for '{variable.path}' has shape {shape}, expected {variable.shape}"
        )
    return variable, value


def _state(variable: Variable) -> Any:
    return trace.current().read(variable) if trace.is_tracing() else variable.numpy().view(Tensor)


def _set(variable: Variable, value: Any) -> None:
    if trace.is_tracing():
        from pynn import ops

        trace.current().substitute(variable, ops.cast(trace.as_value(value), variable.dtype))
    else:
        variable.assign(value)
