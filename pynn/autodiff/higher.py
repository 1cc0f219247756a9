"""Derivatives of results with axes, and second derivatives."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn.autodiff.functional import checked_positions, grad, is_number, name_of, packed_like, watched
from pynn.autodiff.jitted import Jitted
from pynn.autodiff.tape import GradientTape
from pynn.errors import ArgumentError, ShapeError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.graph.tensor import Tensor
from pynn.utils.structure import flatten, is_nested


def jacobian(function: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """A function that gives the derivatives of all elements of ``function``'s result by all elements of an argument.

    One backward pass is compiled and run once for each element of the result.

    Args:
        function: gives an array, or arrays in lists, tuples and dictionaries.
        argnums: the position of the argument, or several.

    Returns:
        A function with the same arguments.  For a result of shape ``r`` and an argument of shape ``a`` it gives an
        array of shape ``(*r, *a)``; for structures, the structure of the result with one of the argument in each place.

    Example:
        >>> import numpy as np, pynn
        >>> pynn.jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
        array([[2., 0.],
               [0., 4.]], dtype=float32)
    """
    return _Jacobian(function, argnums)


def hessian(function: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """A function that gives the second derivatives of ``function``, which gives one number.

    Args:
        function: gives a scalar.
        argnums: the position of the argument, or several.

    Returns:
        A function with the same arguments.  For an argument of shape ``a`` it gives an array of shape ``(*a, *a)``; for
        structures and several arguments, the structure of the arguments with one of the arguments in each place.

    Example:
        A critical point of f is a minimum if the Hessian has positive eigenvalues only, a saddle if it has both kinds.

        >>> import numpy as np, pynn
        >>> f = lambda p: p[0] ** 2 - 3 * p[1] ** 2
        >>> pynn.hessian(f)(np.zeros(2))
        array([[ 2.,  0.],
               [ 0., -6.]], dtype=float32)
    """
    return _Jacobian(grad(function, argnums), argnums)


def hvp(function: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """A function that gives the product of ``function``'s Hessian with a vector, without making the Hessian.

    Args:
        function: gives a scalar.
        argnums: the position of the argument.

    Returns:
        A function of the same arguments and, last, the vector, of the structure and shapes of the argument.

    Example:
        >>> import numpy as np, pynn
        >>> from pynn import ops
        >>> pynn.hvp(lambda x: ops.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
        array([  6., 120.], dtype=float32)
    """
    first = grad(function, argnums)

    @functools.wraps(function, updated=())
    def along(*args: Any, **kwargs: Any) -> Any:
        from pynn import ops

        if not args:
            raise ArgumentError(f"hvp: {name_of(function)} needs its arguments and, last, the vector")
        vector = _numbers(args[-1])

        def slope(*args: Any) -> Any:
            pairs = zip(_numbers(first(*args, **kwargs)), vector, strict=True)
            return functools.reduce(ops.add, (ops.sum(g * _of_shape(v, g.shape, "hvp")) for g, v in pairs))

        return grad(slope, argnums)(*args[:-1])

    return Jitted(along)


def vjp(function: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], Any]]:
    """``function(*primals)``, and the function that takes a gradient from its result back to the arguments.

    Args:
        function: gives an array, or arrays in lists, tuples and dictionaries.
        primals: its arguments.

    Returns:
        ``(result, pull)``: ``pull(g)``, with ``g`` of the structure of the result, gives a tuple of gradients, one for
        each argument.  It computes the function again.

    Example:
        >>> import numpy as np, pynn
        >>> y, pull = pynn.vjp(lambda a, b: a * b, np.array([1.0, 2.0]), np.array([3.0, 4.0]))
        >>> pull(np.array([1.0, 10.0]))
        (array([ 3., 40.], dtype=float32), array([ 1., 20.], dtype=float32))
    """
    forward, backward = _vjp_programs(function)
    result = forward(*primals)

    def back(g: Any) -> Any:
        seeds = [leaf for leaf in flatten(g) if leaf is not None] if is_nested(result) else [np.asarray(g)]
        found = backward(tuple(range(len(primals))), seeds, *primals)
        return packed_like(primals, found)

    return result, back


@functools.lru_cache(maxsize=64)  # calling again must not compile again
def _vjp_programs(function: Callable[..., Any]) -> tuple[Jitted, Jitted]:
    def backward(positions: tuple[int, ...], seeds: list[Any], *args: Any, **kwargs: Any) -> list[Any]:
        return _pull(function, positions, seeds, args, kwargs)

    backward.__name__ = backward.__qualname__ = f"backward of {name_of(function)}"
    return Jitted(function), Jitted(backward, static_argnums=0)


class _Jacobian:
    """What :func:`jacobian` and :func:`hessian` give."""

    def __init__(self, function: Callable[..., Any], argnums: int | Sequence[int]):
        self._function, self._argnums = function, argnums
        functools.update_wrapper(self, function, updated=())
        self._forward, self._backward = _vjp_programs(function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        positions = checked_positions(self._function, self._argnums, len(args))
        if trace.is_tracing():
            return self._unrolled(positions, args, kwargs)
        result = self._forward(*args, **kwargs)
        outputs = _numbers(result)
        found = []
        for k, y in enumerate(outputs):
            rows = []
            for i in range(y.size):
                seeds = [np.zeros(other.shape, "float32") for other in outputs]
                seeds[k].reshape(-1)[i] = 1
                rows.append(self._backward(tuple(positions), seeds, *args, **kwargs))
            columns = [np.stack(row) for row in zip(*rows, strict=True)]
            found.append([c.reshape((*y.shape, *c.shape[1:])).view(Tensor) for c in columns])
        return self._arranged(result, found, positions, args)

    def _unrolled(self, positions: Sequence[int], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The same inside a trace: all backward passes are recorded."""
        with GradientTape(persistent=True) as tape:
            args = watched(tape, self._function, args, positions)
            result = self._function(*args, **kwargs)
        sources = _numbers([args[i] for i in positions])
        found = [tape.jacobian(y, sources, unconnected_gradients="zero") for y in _numbers(result)]
        return self._arranged(result, found, positions, args)

    def _arranged(
        self, result: Any, found: Sequence[Sequence[Any]], positions: Sequence[int], args: tuple[Any, ...]
    ) -> Any:
        """One structure of arguments in each place of the result."""
        asked = tuple(args[i] for i in positions)
        each = [packed_like(asked, leaves) for leaves in found]
        if isinstance(self._argnums, int):
            each = [one[0] for one in each]
        return packed_like(result, each)


def _pull(
    function: Callable[..., Any], positions: Sequence[int], seeds: Sequence[Any], args: tuple[Any, ...], kwargs: Any
) -> list[Any]:
    """Inside a trace: the gradients of all numbers among the arguments at ``positions``, for those of the result."""
    with GradientTape() as tape:
        args = watched(tape, function, args, positions)
        outputs = _numbers(function(*args, **kwargs))
    sources = _numbers([args[i] for i in positions])
    return tape.gradient(outputs, sources, list(seeds), unconnected_gradients="zero")


def _numbers(structure: Any) -> list[Any]:
    return [leaf for leaf in flatten(structure) if is_number(leaf)]


def _of_shape(x: Any, shape: tuple[int, ...], function: str) -> Value:
    value = trace.as_value(x)
    if value.shape != shape:
        raise ShapeError(f"{function}: received a vector of shape {value.shape} for an argument of shape {shape}")
    return value
