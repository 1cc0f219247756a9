"""Calling layers, losses and functions on plain arrays: the same trace, compiled once per signature and cached."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn import config
from pynn.errors import DtypeError
from pynn.executor.native import compile_graph
from pynn.graph.ir import FEED_DTYPE, Spec, Value
from pynn.graph.trace import Trace

#: callable -> signature -> program.  Weak, so that a dropped layer takes its programs along.
_programs: weakref.WeakKeyDictionary[Any, dict[Any, Any]] = weakref.WeakKeyDictionary()


def as_feed(array: Any) -> np.ndarray:
    """A C-contiguous array of a dtype programs take: float32, or int32 for whole numbers."""
    array = np.asarray(array)
    dtype = FEED_DTYPE.get(array.dtype.kind)
    if dtype is None:
        raise DtypeError(f"expected an array of numbers, received dtype {array.dtype}")
    if str(array.dtype) in ("uint32", "int64"):
        dtype = str(array.dtype)
    return np.asarray(array, dtype, order="C")  # np.ascontiguousarray would give a scalar an axis


def run_traced(function: Callable[..., Any], arrays: Sequence[Any], **static: Any) -> Any:
    """``function(*arrays, **static)`` for a function written in ops: traced, compiled, cached, run.

    Returns what the function returns, a NumPy array or a tuple of them, in place of the traced values.
    """
    feeds = [as_feed(a) for a in arrays]
    owner = getattr(function, "__self__", function)
    signature = (
        getattr(function, "__name__", ""),
        tuple((a.shape, str(a.dtype)) for a in feeds),
        tuple(sorted(static.items())),
        getattr(owner, "trainable", None),
        config.conv_precision(),
    )
    programs = _programs.setdefault(owner, {})
    if signature not in programs:
        with Trace() as trace:
            inputs = [trace.input(f"x{i}", Spec(a.shape, str(a.dtype))) for i, a in enumerate(feeds)]
            result = function(*inputs, **static)
            several = isinstance(result, (tuple, list))
            outputs: list[Value] = list(result) if several else [] if result is None else [result]
            graph = trace.finish(outputs)
        programs[signature] = (compile_graph(graph, title=str(getattr(function, "__name__", owner))), several)
    program, several = programs[signature]
    results = program(feeds)
    if several:
        return tuple(results)
    return results[0] if results else None
