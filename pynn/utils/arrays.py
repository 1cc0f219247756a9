"""Numbers from the user into arrays the engine takes, and functions that take either arrays or traced values."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import numpy as np

from pynn.errors import DtypeError
from pynn.graph import symbolic, trace
from pynn.graph.foreign import as_numpy
from pynn.graph.ir import Value
from pynn.graph.variable import Variable


def to_array(x: Any, owner: str) -> np.ndarray:
    """A float32 or int32 array of ``x``; ``owner`` is named when it is not made of numbers."""
    if isinstance(x, Variable):
        x = x.value
    try:
        array = as_numpy(x, owner)
    except ValueError as error:  # rows of different lengths
        raise DtypeError(f"{owner}: expected an array of numbers, received rows of different lengths") from error
    if array.dtype.kind not in "fiub":
        raise DtypeError(f"{owner}: expected an array of numbers, received {type(x).__name__} of dtype {array.dtype}")
    return array.astype("float32" if array.dtype.kind in "fb" else "int32", copy=False)


def as_float(x: Value) -> Value:
    """``x`` itself if it holds floating-point numbers, else cast to float32."""
    from pynn import ops

    return x if x.spec.is_float else ops.cast(x, "float32")


class traceable:
    """Makes a function written in ops work on arrays too: they are traced, compiled, cached and run.

    The first ``arrays`` positional arguments are arrays; all others are NumPy arrays or plain Python values, which must
    be hashable.
    """

    def __init__(self, arrays: int = 1):
        self.arrays = arrays

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        count, name = self.arrays, function.__name__
        names = function.__code__.co_varnames[: function.__code__.co_argcount]

        def either(*args: Any, **kwargs: Any) -> Any:
            kwargs.update(zip(names[count:], args[count:], strict=False))
            operands = [*args[:count], *(kwargs.pop(n) for n in names[len(args) : count] if n in kwargs)]
            if len(operands) < count:
                raise TypeError(f"{name}() needs its argument '{names[len(operands)]}'")
            if symbolic.is_symbolic(operands):
                return symbolic.record_function(function, tuple(operands), kwargs)
            if trace.is_tracing():
                return function(*(trace.as_value(x) for x in operands), **kwargs)
            from pynn.executor.eager import run_traced_with

            kwargs = {k: to_array(v, name) if isinstance(v, np.ndarray | Variable) else v for k, v in kwargs.items()}
            return run_traced_with(function, tuple(to_array(x, name) for x in operands), kwargs)

        return update_wrapper(either, function)
