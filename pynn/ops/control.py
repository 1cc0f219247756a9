"""Loops and choices: functions of functions.

On arrays they run as Python does.  While a step is traced, a loop is written out as often as it runs, which must be
known then, and of a choice by a computed number all branches are computed and one is kept.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, GraphError
from pynn.graph.symbolic import is_symbolic, on_its_own, record_function
from pynn.utils.structure import flatten, map_structure, pack

#: How often a loop may be written out.
_MOST_WRITTEN_OUT = 100_000


def _ops() -> Any:
    from pynn import ops  # this module is part of it

    return ops


def _symbolic_too(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function of functions take symbolic tensors: it is recorded, and runs when a step is traced."""

    @functools.wraps(function)
    def either(*args: Any, **kwargs: Any) -> Any:
        if is_symbolic(args, kwargs):
            return record_function(function, args, kwargs)
        return function(*args, **kwargs)

    return on_its_own(either)


def _is_known(x: Any) -> bool:
    """Whether Python can look at the number now."""
    try:
        np.asarray(x)
    except TypeError:
        return False
    return True


def _whole_number(function: str, x: Any) -> int:
    array = np.asarray(x)
    if array.size != 1 or array.dtype.kind not in "iubf" or not np.isfinite(array).all():
        raise ArgumentError(f"{function}: expected a number, received {x!r}")
    return int(array.item())


@_symbolic_too
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """What ``true_fn`` gives if ``pred`` is true, else what ``false_fn`` gives.

    Where ``pred`` is computed by a traced step both are computed; they must give the same structure and shapes.

    Example:
        >>> from pynn import ops
        >>> ops.cond(ops.greater(2, 1), lambda: 1.0, lambda: 0.0)
        1.0
    """
    if _is_known(pred):
        return true_fn() if np.asarray(pred) else false_fn()
    chosen, other = true_fn(), false_fn()
    leaves = zip(flatten(chosen), flatten(other), strict=True)
    return pack(chosen, [_ops().where(pred, a, b) for a, b in leaves])


@_symbolic_too
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """What branch number ``index``, limited to those there are, makes of the operands."""
    if len(branches) == 0:
        raise ArgumentError("switch: expected at least one branch, received none")
    if _is_known(index):
        return branches[min(max(_whole_number("switch", index), 0), len(branches) - 1)](*operands)
    results = [branch(*operands) for branch in branches]
    chosen = results[-1]
    for i in reversed(range(len(branches) - 1)):
        leaves = zip(flatten(results[i]), flatten(chosen), strict=True)
        take_it = _ops().less_equal(index, i)
        chosen = pack(chosen, [_ops().where(take_it, a, b) for a, b in leaves])
    return chosen


def _length(function: str, xs: Any, length: int | None = None) -> int:
    shapes = [] if xs is None else [_ops().shape(x) for x in flatten(xs)]
    if () in shapes:
        raise ArgumentError(f"{function}: expected arrays of rows, received a number")
    lengths = {shape[0] for shape in shapes}
    if length is not None:
        lengths.add(int(length))
    if len(lengths) != 1:
        raise ArgumentError(f"{function}: expected arrays of one length, received lengths {sorted(lengths)}")
    return int(lengths.pop())


def _row(structure: Any, i: int) -> Any:
    return map_structure(lambda x: _ops().get_item(x, i), structure)


def _stacked(rows: Sequence[Any]) -> Any:
    if not rows:
        raise ArgumentError("expected at least one row: of none, the shape of the results is not known")
    return pack(rows[0], [_ops().stack(leaves) for leaves in zip(*[flatten(row) for row in rows], strict=True)])


@_symbolic_too
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """``f`` of each row of an array (or of arrays in a structure), stacked.

    Example:
        >>> from pynn import ops
        >>> ops.map(lambda row: ops.sum(row), ops.ones((3, 2)))
        array([2., 2., 2.], dtype=float32)
    """
    return _stacked([f(_row(xs, i)) for i in range(_length("map", xs))])


@_symbolic_too
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """``function`` of each row of an array (or of arrays in a structure), stacked: the same as :func:`map`."""
    return _stacked([function(_row(elements, i)) for i in range(_length("vectorized_map", elements))])


@_symbolic_too
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """``f`` along the rows of ``xs``, each time with what it has carried on.

    Args:
        f: takes what is carried and a row (None without ``xs``), gives what is carried on and a result.
        init: what the first call gets.
        xs: an array, or arrays in a structure.
        length: how many calls, without ``xs``.
        reverse: begin with the last row.
        unroll: loops are always written out, so nothing is made of it.

    Returns:
        What the last call carried on, and the results, stacked in the order of the rows; None if there are none.

    Example:
        >>> from pynn import ops
        >>> total, running = ops.scan(lambda carry, x: (carry + x, carry + x), 0, ops.arange(1, 5))
        >>> running
        array([ 1,  3,  6, 10], dtype=int32)
    """
    carry, results = init, []
    count = _length("scan", xs, length)
    order = range(count - 1, -1, -1) if reverse else range(count)
    for i in order:
        pair = f(carry, None if xs is None else _row(xs, i))
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ArgumentError(f"scan: f must give what it carries on and a result, a pair; it gave {pair!r}")
        carry, y = pair
        results.append(y)
    if reverse:
        results.reverse()
    return carry, None if not results or results[0] is None else _stacked(results)


@_symbolic_too
def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """``body_fun(i, value)`` for i from ``lower`` to ``upper - 1``, each time with the value before.

    Raises:
        GraphError: the bounds are computed by the traced step: how often it runs must be known.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> ops.fori_loop(0, 4, lambda i, total: total + i, 0)
        6
    """
    if not (_is_known(lower) and _is_known(upper)):
        raise GraphError(
            "fori_loop: the bounds are computed while the program runs, but a loop is written out when it is traced; "
            "give plain numbers, or loop up to a known maximum and keep values with ops.where"
        )
    value = init_val
    first, last = (_whole_number("fori_loop", end) for end in (lower, upper))
    for i in range(first, last):
        value = body_fun(i, value)
    return value


@_symbolic_too
def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """``body`` of the variables again and again, while ``cond`` of them is true.

    Args:
        cond: takes the variables, gives whether to go on.
        body: takes the variables, gives new ones, in the same structure.
        loop_vars: a list or tuple of variables, or one.
        maximum_iterations: at most so many times.  In a traced step it is needed where ``cond`` is computed by it:
            the loop is written out so many times, and from where ``cond`` is false nothing changes any more.

    Raises:
        GraphError: in a traced step, ``cond`` is computed and there is no maximum.

    Example:
        >>> import numpy as np
        >>> from pynn import ops
        >>> ops.while_loop(lambda i: i < 10, lambda i: (i + 3,), (0,))
        (12,)
    """
    if not isinstance(maximum_iterations, int | np.integer | None):
        raise ArgumentError(f"while_loop: maximum_iterations must be a number or None, received {maximum_iterations!r}")
    several = isinstance(loop_vars, list | tuple)
    values: Any = loop_vars if several else (loop_vars,)
    going: Any = True
    for step in itertools.count():
        if maximum_iterations is not None and step >= maximum_iterations:
            break
        go_on = cond(*values)
        if _is_known(go_on) and going is True:
            if not np.asarray(go_on):
                break
            values = _variables(body(*values), values)
            continue
        if maximum_iterations is None or maximum_iterations > _MOST_WRITTEN_OUT:
            raise GraphError(
                "while_loop: how often it runs depends on numbers that the program computes, but a loop is written "
                f"out when it is traced; give maximum_iterations (up to {_MOST_WRITTEN_OUT}), or call it outside of "
                "the model on arrays"
            )
        going = go_on if going is True else _ops().logical_and(going, go_on)
        new = _variables(body(*values), values)
        leaves = zip(flatten(new), flatten(values), strict=True)
        values = pack(new, [_ops().where(going, a, b) for a, b in leaves])
    return type(loop_vars)(values) if several else values[0]


def _variables(new: Any, old: Any) -> Any:
    return type(old)(new) if isinstance(new, list | tuple) else type(old)((new,))


@on_its_own
def vectorize(pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None) -> Callable[..., Any]:
    """A function of numbers (or, with a ``signature``, of small arrays) as one of arrays that broadcast.

    Args:
        pyfunc: the function, written in ops.
        excluded: positions and names of arguments that are handed on as they are.
        signature: how many axes the function takes and gives: ``"(n),(n)->()"``.

    Example:
        >>> from pynn import ops
        >>> ops.vectorize(lambda a, b: ops.maximum(a, b))([1.0, 5.0], 3.0)
        array([3., 5.], dtype=float32)
    """
    if not isinstance(excluded, set | frozenset | list | tuple | None):
        raise ArgumentError(f"vectorize: excluded must be a set of positions and names, received {excluded!r}")
    left = set(excluded or ())
    ranks = None if signature is None else [term.count(",") + bool(term.strip()) for term in _terms(signature)]

    @functools.wraps(pyfunc)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        ops = _ops()
        moved = [i for i in range(len(args)) if i not in left]
        named = {k: v for k, v in kwargs.items() if k not in left}
        if named:
            raise ArgumentError(f"vectorize: give arrays by position, or exclude them; received {', '.join(named)}")
        core = ranks or [0] * len(moved)
        if len(core) != len(moved):
            raise ArgumentError(f"vectorize: the signature {signature!r} takes {len(core)} arrays, not {len(moved)}")
        values = [ops.convert_to_tensor(args[i]) for i in moved]
        outer = [v.shape[: v.ndim - r] for v, r in zip(values, core, strict=True)]
        shape = np.broadcast_shapes(*outer)
        flat = []
        for v, lead in zip(values, outer, strict=True):
            rest = v.shape[len(lead) :]
            flat.append(ops.reshape(ops.broadcast_to(v, (*shape, *rest)), (-1, *rest) if shape else (1, *rest)))
        rows = []
        for i in range(int(np.prod(shape, dtype=int))):
            given = list(args)
            for at, v in zip(moved, flat, strict=True):
                given[at] = v[i]
            rows.append(pyfunc(*given, **kwargs))
        return map_structure(lambda y: ops.reshape(y, (*shape, *y.shape[1:])), _stacked(rows))

    return vectorized


def _terms(signature: str) -> list[str]:
    left = signature.replace(" ", "").partition("->")[0]
    return left.strip("()").split("),(")
