"""Calling layers, losses and functions on plain arrays: the same trace, compiled once per signature and cached."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn import config, settings
from pynn.executor.locks import compile_lock
from pynn.executor.native import compile_graph
from pynn.graph import dtypes
from pynn.graph.foreign import as_numpy
from pynn.graph.ir import Spec, Value
from pynn.graph.tensor import Tensor
from pynn.graph.trace import Trace
from pynn.utils.structure import flatten, map_structure, pack

#: callable -> signature -> program.  Weak, so that a dropped layer takes its programs along.
_programs: weakref.WeakKeyDictionary[Any, dict[Any, Any]] = weakref.WeakKeyDictionary()
#: Programs kept of one callable; more are dropped, oldest first: numbers given as Python's own are part of a signature.
_MOST_PROGRAMS = 256


def as_feed(array: Any) -> np.ndarray:
    """A C-contiguous array of a dtype programs take: float32 for all floats, whole numbers and bool as they are."""
    array = as_numpy(array)
    return np.asarray(array, dtypes.of_array(array), order="C")  # np.ascontiguousarray would give a scalar an axis


def run_traced(function: Callable[..., Any], arrays: Sequence[Any], **static: Any) -> Any:
    """``function(*arrays, **static)`` for a function written in ops: traced, compiled, cached, run.

    Returns what the function returns, with arrays (:class:`Tensor`) in place of traced values.
    """
    return run_traced_with(function, tuple(as_feed(a) for a in arrays), static)


def run_traced_with(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], **also: Any) -> Any:
    """``function(*args, **kwargs)``: arrays anywhere inside are inputs, all else is plain Python and hashable.

    ``also`` does not reach the function; it only tells programs apart.
    """
    feeds: list[np.ndarray] = []

    def slot(leaf: Any) -> Any:
        if not isinstance(leaf, np.ndarray | Value):
            return leaf
        feeds.append(as_feed(leaf))
        mask = getattr(leaf, "_keras_mask", None)
        if mask is None:
            return _Slot(len(feeds) - 1)
        feeds.append(as_feed(mask))
        return _Slot(len(feeds) - 2, masked=True)

    template = map_structure(slot, (args, kwargs))
    owner = getattr(function, "__self__", function)
    signature = (
        getattr(function, "__name__", ""),
        tuple((a.shape, str(a.dtype)) for a in feeds),
        _hashable(template),
        _hashable(also),
        getattr(owner, "trainable", None),
        config.conv_precision(),
        settings.image_data_format(),
        settings.epsilon(),
    )
    programs = _programs.setdefault(owner, {})
    made = programs.get(signature)
    if made is None:
        with compile_lock():
            made = programs.get(signature)  # another thread may have been faster
            if made is None:
                if len(programs) >= _MOST_PROGRAMS:
                    del programs[next(iter(programs))]
                made = programs[signature] = _compile(function, owner, template, feeds)
    program, structure, count, extras = made
    results = [array.view(Tensor) for array in program(feeds)]
    if extras is not None:
        extras.deliver(results[:count], results[count:])
    return pack(structure, results[:count]) if count else None


def _compile(
    function: Callable[..., Any], owner: Any, template: Any, feeds: Sequence[np.ndarray]
) -> tuple[Any, Any, int, _Extras | None]:
    """The program of one signature, what the function returned, how many arrays are in that, and what comes beside."""
    with Trace() as trace:
        inputs = [trace.input(f"x{i}", Spec(a.shape, str(a.dtype))) for i, a in enumerate(feeds)]
        values, options = map_structure(lambda leaf: leaf.of(inputs) if isinstance(leaf, _Slot) else leaf, template)
        result = function(*values, **options)
        outputs: list[Value] = [] if result is None else flatten(result)
        extras = _Extras(owner, outputs, trace)
        graph = trace.finish([*outputs, *extras.values])
    structure = None if result is None else map_structure(lambda _: None, result)
    program = compile_graph(graph, title=str(getattr(function, "__name__", owner)))
    found = extras if extras.values else None
    extras.values = []
    return program, structure, len(outputs), found


@dataclass(frozen=True)
class _Slot:
    """The place of an array among the arguments."""

    index: int
    #: Its mask comes next.
    masked: bool = False

    def of(self, inputs: Sequence[Value]) -> Value:
        value = inputs[self.index]
        if self.masked:
            value._keras_mask = inputs[self.index + 1]
        return value


class _Extras:
    """What a call gives beside its results: their masks, and the losses that layers have added.

    Layers are held weakly: programs belong to them.
    """

    def __init__(self, owner: Any, outputs: Sequence[Value], trace: Trace):
        masks: list[Any] = [getattr(value, "_keras_mask", None) for value in outputs]
        self.masked = [i for i, mask in enumerate(masks) if mask is not None]
        losses = trace.added_losses if hasattr(owner, "add_loss") else []
        self.owner = weakref.ref(owner) if losses else None
        self.layers = [weakref.ref(layer) for layer, _ in losses]
        self.values: list[Value] = [masks[i] for i in self.masked] + [value for _, value in losses]

    def deliver(self, results: Sequence[Tensor], extras: Sequence[Tensor]) -> None:
        for i, mask in zip(self.masked, extras, strict=False):
            results[i]._keras_mask = mask
        for layer, loss in zip(self.layers, extras[len(self.masked) :], strict=True):
            layer()._keep_losses([loss])  # type: ignore[union-attr]
        if self.owner is not None:
            self.owner()._holds_losses = True  # type: ignore[union-attr]


def _hashable(structure: Any) -> Any:
    if isinstance(structure, dict):
        return tuple((key, _hashable(structure[key])) for key in sorted(structure))
    if isinstance(structure, slice):
        return (slice, structure.start, structure.stop, structure.step)
    if isinstance(structure, list | tuple):
        return (type(structure), *map(_hashable, structure))
    return structure
