"""Gradients of functions: ``grad`` and ``value_and_grad``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn.autodiff.jitted import Jitted
from pynn.autodiff.tape import GradientTape
from pynn.errors import ArgumentError, DtypeError, ShapeError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.graph.variable import Variable
from pynn.ops.shape import Reshape
from pynn.utils.structure import flatten, map_structure, pack

Argnums = int | Sequence[int] | None


def value_and_grad(
    function: Callable[..., Any], argnums: Argnums = None, has_aux: bool = False, variables: Any = None
) -> Callable[..., Any]:
    """A function that gives the value of ``function`` and its gradient, compiled like :func:`pynn.jit`.

    ``function`` is written in ``pynn.ops``, layers and losses, and gives one number.

    What is differentiated are arguments: arrays, numbers, variables, and lists, tuples and dictionaries of them.
    Variables that the function uses without having them as arguments are named by ``variables``.

    Args:
        function: gives a scalar; with ``has_aux`` a pair of a scalar and anything else.
        argnums: the position of the argument to differentiate, or several; the first by default, none if ``variables``
            are given.
        has_aux: whether the function gives something beside its value.
        variables: variables in any structure; or a layer or model, whose ``trainable_variables`` are meant.

    Returns:
        A function with the same arguments; it gives ``(value, gradient)``, or ``((value, aux), gradient)``.  The
        gradient has the structure of the argument (a tuple of such for several positions) or of ``variables``; if both
        are asked for, it is the pair of both.  What the value does not depend on has zeros.

    Raises:
        ShapeError: the value is no scalar.
        DtypeError: an argument to differentiate holds whole numbers.

    Example:
        >>> import numpy as np, pynn
        >>> from pynn import ops
        >>> f = pynn.value_and_grad(lambda w, x: ops.sum((w["a"] * x + w["b"]) ** 2))
        >>> value, gradient = f({"a": 2.0, "b": 1.0}, np.array([1.0, 2.0]))
        >>> float(value), {name: float(g) for name, g in gradient.items()}
        (34.0, {'a': 26.0, 'b': 16.0})
    """

    @functools.wraps(function, updated=())
    def both(*args: Any, **kwargs: Any) -> Any:
        return _differentiate(function, argnums, has_aux, variables, args, kwargs)

    return Jitted(both)


def grad(
    function: Callable[..., Any], argnums: Argnums = None, has_aux: bool = False, variables: Any = None
) -> Callable[..., Any]:
    """The gradient alone; see :func:`value_and_grad`.  With ``has_aux`` the result is ``(gradient, aux)``.

    Example:
        >>> import pynn
        >>> slope = pynn.grad(lambda x: 5 * x**5)
        >>> float(slope(2.0))
        400.0
        >>> float(pynn.grad(slope)(2.0))
        800.0
    """

    @functools.wraps(function, updated=())
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = _differentiate(function, argnums, has_aux, variables, args, kwargs)
        return (found, value[1]) if has_aux else found

    return Jitted(gradient)


def _differentiate(
    function: Callable[..., Any],
    argnums: Argnums,
    has_aux: bool,
    variables: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Inside a trace: ``(value, gradient)``."""
    if argnums is None and variables is None:
        argnums = 0
    positions = [] if argnums is None else checked_positions(function, argnums, len(args))
    with GradientTape() as tape:
        args = watched(tape, function, args, positions)
        if variables is not None and not hasattr(variables, "trainable_variables"):
            tape.watch(variables)
        result = function(*args, **kwargs)
    value = result[0] if has_aux else result
    if not isinstance(value, Value) or value.shape != ():
        came = value.spec if isinstance(value, Value) else f"{type(value).__name__}: {value!r}"
        raise ShapeError(
            f"grad: {name_of(function)} must give one number computed from its arguments, received {came}; "
            "reduce it with ops.sum or ops.mean, or use pynn.jacobian"
        )
    # A model may have been built by the call.
    of_variables = getattr(variables, "trainable_variables", variables)
    sources = ([args[i] for i in positions], [] if variables is None else of_variables)
    numbers = [leaf for leaf in flatten(sources) if isinstance(leaf, Value | Variable)]
    found = iter(tape.gradient(value, numbers, unconnected_gradients="zero"))
    by_argument, by_variable = map_structure(
        lambda leaf: next(found) if isinstance(leaf, Value | Variable) else None, sources
    )
    if isinstance(argnums, int):
        by_argument = by_argument[0]
    elif argnums is not None:
        by_argument = tuple(by_argument)
    gradient = by_variable if argnums is None else by_argument if variables is None else (by_argument, by_variable)
    return result, gradient


def checked_positions(function: Callable[..., Any], argnums: int | Sequence[int], count: int) -> list[int]:
    """``argnums`` as positions from 0."""
    positions = [argnums] if isinstance(argnums, int) else list(argnums)
    for i in positions:
        if isinstance(i, bool) or not isinstance(i, int | np.integer) or not -count <= i < count:
            raise ArgumentError(
                f"argnums={argnums!r}: {name_of(function)} was called with {count} positional arguments; "
                "those to differentiate must be among them"
            )
    return [int(i) % count for i in positions]


def watched(
    tape: GradientTape, function: Callable[..., Any], args: Sequence[Any], positions: Sequence[int]
) -> tuple[Any, ...]:
    """The arguments, with a watched value for each number of those to differentiate."""

    def watch(leaf: Any) -> Any:
        if isinstance(leaf, Variable):
            tape.watch(leaf)
            return leaf
        if not isinstance(leaf, Value | np.ndarray | np.generic | int | float) or isinstance(leaf, bool):
            return leaf
        value = trace.as_value(leaf)
        if not value.spec.is_float:
            raise DtypeError(
                f"grad: the arguments of {name_of(function)} to differentiate must be floating-point numbers, "
                f"received {value.spec}; write 3.0 instead of 3"
            )
        value = Reshape(value.shape)(value)  # a name of its own: f(x, x) has two arguments
        tape.watch(value)
        return value

    return tuple(map_structure(watch, arg) if i in positions else arg for i, arg in enumerate(args))


def name_of(function: Callable[..., Any]) -> str:
    """What errors call the function."""
    return f"function '{getattr(function, '__name__', function)}'"


def packed_like(structure: Any, leaves: Sequence[Any]) -> Any:
    """``leaves`` for the numbers of ``structure``, None for what is no number."""
    rest = iter(leaves)
    return pack(structure, [next(rest) if is_number(leaf) else None for leaf in flatten(structure)])


def is_number(leaf: Any) -> bool:
    """Whether a leaf of the arguments can be differentiated."""
    number = isinstance(leaf, Variable | Value | np.ndarray | np.generic | float | int)
    return number and not isinstance(leaf, bool)
