"""Functions compiled as a whole: traced once per signature, then one native call."""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from pynn import config
from pynn.errors import ArgumentError
from pynn.executor.eager import as_feed
from pynn.executor.locks import compile_lock
from pynn.executor.native import compile_graph
from pynn.graph import trace
from pynn.graph.ir import Spec, Value
from pynn.graph.symbolic import KerasTensor
from pynn.graph.tensor import Tensor
from pynn.graph.trace import Trace
from pynn.graph.variable import Variable
from pynn.utils.structure import flatten, is_nested, map_structure, pack

#: Programs kept of one function; more are dropped, oldest first.
_MOST_PROGRAMS = 256


def jit(
    function: Callable[..., Any] | None = None,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Iterable[str] = (),
) -> Any:
    """Compile a function of arrays: one native program for each signature it is called with.

    The function is written with ``pynn.ops``, layers, losses, metrics and optimizers.  Its Python code runs once per
    signature (shapes and dtypes of arrays, everything that is no number, what is trainable); after that a call is one
    native program, as a step of ``fit`` is.

    - Arrays and numbers anywhere in lists, tuples and dictionaries are fed at each call; a number does not have
      anything compiled again.
    - True, False, None, strings, and objects such as layers are part of the signature, and so are the arguments that
      ``static_argnums`` and ``static_argnames`` name (they must be hashable).
    - Variables may be read and assigned, also optimizers and metrics applied: changes happen at each call.
    - Gradients come from :func:`pynn.grad`, :func:`pynn.value_and_grad` or a ``GradientTape`` inside.
    - What else Python code does (``print``, appending to a list) happens while tracing only.

    Inside another compiled function, and while a ``GradientTape`` records, it is the plain function.

    Args:
        function: what to compile; without it a decorator is returned.
        static_argnums: positions of arguments that are plain Python values.
        static_argnames: their names.

    Returns:
        A function with the same arguments, whose results are tensors.

    Example:
        >>> import numpy as np, pynn
        >>> from pynn import ops
        >>> @pynn.jit
        ... def distance(a, b):
        ...     return ops.sqrt(ops.sum((a - b) ** 2))
        >>> distance(np.zeros(2), np.array([3.0, 4.0]))
        array(5., dtype=float32)
    """
    if function is None:
        return functools.partial(jit, static_argnums=static_argnums, static_argnames=static_argnames)
    return Jitted(function, static_argnums, static_argnames)


class Jitted:
    """A function compiled by :func:`jit`."""

    def __init__(
        self,
        function: Callable[..., Any],
        static_argnums: int | Sequence[int] = (),
        static_argnames: str | Iterable[str] = (),
    ):
        if not callable(function):
            raise ArgumentError(f"jit: expected a function, received {function!r}")
        self.function = function
        numbers = [static_argnums] if isinstance(static_argnums, int) else list(static_argnums)
        names = [static_argnames] if isinstance(static_argnames, str) else list(static_argnames)
        self._positions, self._names = _both_ways(function, numbers, names)
        self._programs: dict[Any, list[_Program]] = {}
        #: Of methods: the programs of each object.
        self._of_object: weakref.WeakKeyDictionary[Any, dict[Any, list[_Program]]] = weakref.WeakKeyDictionary()
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(self.function, self._programs, 0, args, kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        method = self.function.__get__(instance, owner)
        programs = self._of_object.setdefault(instance, {})
        return lambda *args, **kwargs: self._run(method, programs, 1, args, kwargs)

    def _run(
        self,
        function: Callable[..., Any],
        programs: dict[Any, list[_Program]],
        bound: int,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        if trace.is_tracing():
            return function(*args, **kwargs)
        call = _Call(self, bound, args, kwargs)
        for program in programs.get(call.key, ()):
            if program.is_valid():
                return program(call.feeds)
        with compile_lock():
            program = _Program(function, call)
            if len(programs) >= _MOST_PROGRAMS:
                del programs[next(iter(programs))]
            programs.setdefault(call.key, []).append(program)
        return program(call.feeds)

    def __repr__(self) -> str:
        return f"<jit of {getattr(self.function, '__qualname__', self.function)!r}>"


class _Call:
    """The arguments of one call, divided into numbers and signature."""

    def __init__(self, owner: Jitted, bound: int, args: tuple[Any, ...], kwargs: dict[str, Any]):
        self.feeds: list[np.ndarray] = []
        self.owner, self.args, self.kwargs = owner, args, kwargs
        key: list[Any] = [config.conv_precision()]
        self._is_static: list[bool] = []
        for i, arg in enumerate(args, bound):
            self._scan_argument(i in owner._positions, arg, key)
        for name in sorted(kwargs):
            key.append(name)
            self._scan_argument(name in owner._names, kwargs[name], key)
        self.key = tuple(key)

    def _scan_argument(self, static: bool, arg: Any, key: list[Any]) -> None:
        self._is_static.append(static)
        if static:
            self._add_static(arg, key)
        else:
            self._scan(arg, key)

    def _scan(self, x: Any, key: list[Any]) -> None:
        """Put numbers into the feeds, and what else there is into the key."""
        kind = type(x)
        if kind is list or kind is tuple:
            key.append(kind)
            for item in x:
                self._scan(item, key)
            key.append(")")
        elif isinstance(x, np.ndarray | np.generic | Value):
            feed = as_feed(x)
            self.feeds.append(feed)
            key.append((feed.shape, feed.dtype))
        elif kind is float or kind is int:
            feed = np.asarray(x, "float32" if kind is float else "int32" if -(2**31) <= x < 2**31 else "int64")
            self.feeds.append(feed)
            key.append((feed.shape, feed.dtype))
        elif isinstance(x, dict):
            key.append(dict)
            for name in sorted(x):
                key.append(name)
                self._scan(x[name], key)
            key.append(")")
        elif is_nested(x):
            key.append(kind)
            for item in x:
                self._scan(item, key)
            key.append(")")
        elif isinstance(x, KerasTensor):
            raise ArgumentError(f"{self.owner!r}: it computes with numbers, and {x!r} has none")
        elif hasattr(x, "__array__") and not isinstance(x, Variable):  # data frames and the like
            self._scan(np.asarray(x), key)
        else:
            self._add_static(x, key)

    def _add_static(self, x: Any, key: list[Any]) -> None:
        try:
            hash(x)
        except TypeError:
            raise ArgumentError(
                f"{self.owner!r}: an argument that is not made of arrays and numbers must be hashable, "
                f"received {type(x).__name__}: {x!r}"
            ) from None
        key.append((type(x), x))  # 1 and True are equal, but not the same signature

    def in_terms_of(self, inputs: Sequence[Value]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments with traced values in place of numbers."""
        rest = iter(inputs)

        def value(leaf: Any) -> Any:
            fed = isinstance(leaf, np.ndarray | np.generic | Value) or type(leaf) in (float, int)
            fed = fed or (hasattr(leaf, "__array__") and not isinstance(leaf, Variable))
            return next(rest) if fed else leaf

        static = iter(self._is_static)
        args = [arg if next(static) else map_structure(value, arg) for arg in self.args]
        kwargs = {
            name: self.kwargs[name] if next(static) else map_structure(value, self.kwargs[name])
            for name in sorted(self.kwargs)
        }
        return args, kwargs


class _Program:
    """What one signature was compiled to."""

    def __init__(self, function: Callable[..., Any], call: _Call):
        with Trace() as recording:
            inputs = [recording.input(f"x{i}", Spec(a.shape, a.dtype.name)) for i, a in enumerate(call.feeds)]
            args, kwargs = call.in_terms_of(inputs)
            result = function(*args, **kwargs)
            leaves = flatten(result)
            outputs = [leaf for leaf in leaves if isinstance(leaf, Value)]
            self._program = compile_graph(recording.finish(outputs), title=repr(call.owner))
        self._result = map_structure(lambda leaf: None if isinstance(leaf, Value) else leaf, result)
        self._is_output = [isinstance(leaf, Value) for leaf in leaves]
        self._single = isinstance(result, Value)
        #: What was trainable.  Weak: a program must not keep a model alive that nobody else has.
        self._flags = [(weakref.ref(x), x.trainable) for x in recording.looked_at.values()]
        self._checked_at = Variable.freezes

    def is_valid(self) -> bool:
        """Whether the same variables and layers are trainable as when it was traced."""
        if self._checked_at == Variable.freezes:
            return True
        if any((x := ref()) is not None and x.trainable != flag for ref, flag in self._flags):
            return False
        self._checked_at = Variable.freezes
        return True

    def __call__(self, feeds: Sequence[np.ndarray]) -> Any:
        arrays = self._program(feeds)
        if self._single:
            return arrays[0].view(Tensor)
        if not arrays:
            return self._result
        results = iter(arrays)
        leaves = flatten(self._result)
        return pack(
            self._result,
            [next(results).view(Tensor) if out else leaf for out, leaf in zip(self._is_output, leaves, strict=True)],
        )


def _both_ways(function: Callable[..., Any], numbers: list[int], names: list[str]) -> tuple[set[int], set[str]]:
    """Positions and names of the static arguments, each of which may be given either way."""
    positions, found = set(numbers), set(names)
    if not numbers and not names:
        return positions, found
    signature = inspect.signature(function).parameters
    parameters = list(signature)
    for name in names:
        if name in parameters:
            positions.add(parameters.index(name))
        elif all(p.kind is not p.VAR_KEYWORD for p in signature.values()):
            raise ArgumentError(
                f"jit: static_argnames: the function has no argument {name!r}, only {', '.join(parameters)}"
            )
    positions = {i + len(parameters) if i < 0 else i for i in positions}
    found.update(parameters[i] for i in positions if i < len(parameters))
    return positions, found
