"""Symbolic tensors: what ``Input`` gives, and what layers and ops make of it, before there is any batch.

A :class:`KerasTensor` has a shape whose unknown lengths (the batch's at least) are None.  Calling a layer or a function
of ``pynn.ops`` on one records a :class:`Call`; a model made of symbolic inputs and outputs repeats the calls between
them, on traced values of known shapes, whenever one of its steps is traced.

Shape rules are not written twice: :func:`record` traces the operation for two different lengths of each unknown axis,
and an axis of the result that differs is unknown, too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import FunctionType, SimpleNamespace
from typing import Any, TypeVar

import numpy as np

from pynn.errors import ArgumentError, GraphError, NoNumbersError
from pynn.graph.arithmetic import Arithmetic
from pynn.graph.ir import Spec, Value
from pynn.graph.refusals import in_our_words
from pynn.graph.trace import Trace, is_tracing
from pynn.utils.naming import auto_name
from pynn.utils.structure import flatten, map_structure

Shape = tuple[int | None, ...]

#: Lengths to try for an unknown batch axis and for other unknown axes (images must survive a stack of poolings).
_TRIALS: ContextVar[tuple[tuple[int, int], ...]] = ContextVar("trials", default=((2, 224), (3, 256)))


class KerasTensor(Arithmetic):
    """An array that does not exist yet: a shape with None for unknown lengths, and a dtype.

    Example:
        >>> from pynn import layers, ops
        >>> x = layers.Input((4,), name="x")
        >>> x
        <KerasTensor shape=(None, 4), dtype=float32, name=x>
        >>> ops.relu(x)[:, 1:].shape
        (None, 3)

    Args:
        shape: with None for unknown lengths.
        dtype: of its numbers.
        sparse, ragged: only False; pynn has neither.
        record_history: nothing is recorded for a tensor that no call has made.
        name: ``keras_tensor``, ``keras_tensor_1`` ... if not given.
        call, index: what makes it, and which of the results it is; for pynn itself.

    Raises:
        ArgumentError: a sparse or ragged tensor.
    """

    #: ``_keras_mask`` is the shape of its mask, where layers have given it one.
    __slots__ = ("_keras_mask", "call", "dtype", "index", "name", "shape")

    def __init__(
        self,
        shape: Any,
        dtype: str = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        *,
        call: Call | None = None,
        index: int = 0,
    ):
        if sparse or ragged:
            what = "sparse" if sparse else "ragged"
            raise ArgumentError(f"KerasTensor: {what}=True is not supported; leave it out and give dense arrays")
        self.shape, self.dtype, self.index = tuple(shape), dtype, index
        self.name = name or auto_name("keras_tensor")
        self.call: Any = call
        self._keras_mask: Any = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def __len__(self) -> int:
        raise NoNumbersError(f"{self!r} has no length yet; use its shape")

    def __bool__(self) -> bool:
        raise NoNumbersError(
            f"{self!r} has no truth: it holds no numbers before the model runs; "
            "use ops (maximum, where, ...) instead of Python's if/and/or"
        )

    def __iter__(self) -> Any:
        raise NoNumbersError(f"{self!r} cannot be iterated over: it holds no numbers before the model runs")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise NoNumbersError(
            f"cannot turn {self!r} into a NumPy array: it holds no numbers before the model runs; "
            "use layers and functions of pynn.ops instead of NumPy's"
        )


class Call:
    """One use of an operation, a layer or another :class:`~pynn.Operation`, on symbolic tensors.

    ``index`` counts the uses of the same operation: a shared layer has several.
    """

    __slots__ = ("args", "index", "inputs", "kwargs", "operation", "outputs")

    def __init__(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]):
        self.operation, self.args, self.kwargs = operation, args, kwargs
        self.inputs: list[KerasTensor] = [a for a in flatten((args, kwargs)) if isinstance(a, KerasTensor)]
        self.outputs: Any = None  # a structure of KerasTensors
        self.index = len(operation._calls)
        operation._calls.append(self)


def is_symbolic(*structures: Any) -> bool:
    """Whether there is a symbolic tensor anywhere inside."""
    for item in structures:
        if isinstance(item, KerasTensor):
            return True
        if isinstance(item, list | tuple | dict) and is_symbolic(*(item.values() if isinstance(item, dict) else item)):
            return True
    return False


def record(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Note that ``operation`` is applied to these arguments; gives the symbolic outputs."""
    results = _infer(operation, args, kwargs)
    call = Call(operation, args, kwargs)
    places = iter(range(len(flatten(results))))
    call.outputs = map_structure(lambda r: r.tensor(operation.name, call, next(places)), results)
    operation.output_shape = map_structure(lambda t: t.shape, call.outputs)
    return call.outputs


def record_function(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """:func:`record` for a function of ``pynn.ops``."""
    from pynn.graph.operation import NamedFunction

    return record(NamedFunction(function), args, kwargs)


def output_shape(operation: Any, input_shape: Any, **others: Any) -> Any:
    """Shape (or structure of shapes) of the outputs for float32 inputs of this shape (or structure of shapes).

    ``others`` are the shapes of further arguments.
    """
    x, others = (map_shapes(lambda shape: _Unknown(shape, "float32"), shapes) for shapes in (input_shape, others))
    return map_structure(lambda result: result.shape, _infer(operation, (x,), others))


def output_spec(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Symbolic tensors like those :func:`record` gives, without a call behind them."""
    call = Call(SimpleNamespace(name=operation.name, _calls=[]), args, kwargs)
    results = _infer(operation, args, kwargs)
    return map_structure(lambda r: r.tensor(operation.name, call), results)


def is_shape(structure: Any) -> bool:
    """Whether it is one shape, and not a list, tuple or dictionary of shapes."""
    return isinstance(structure, list | tuple) and all(n is None or isinstance(n, int | np.integer) for n in structure)


def map_shapes(function: Callable[[Shape], Any], structure: Any) -> Any:
    """The same structure with ``function`` of each shape."""
    if is_shape(structure):
        return function(tuple(structure))
    if isinstance(structure, dict):
        return {key: map_shapes(function, item) for key, item in structure.items()}
    return type(structure)(map_shapes(function, item) for item in structure)


@contextmanager
def trial_lengths(first: int, second: int) -> Iterator[None]:
    """Within the block these lengths are tried for all unknown axes alike: what is recorded may then exchange them."""
    before = _TRIALS.set(((first, first), (second, second)))
    try:
        yield
    finally:
        _TRIALS.reset(before)


@dataclass(frozen=True)
class _Unknown:
    """Shape and dtype of something symbolic."""

    shape: Shape
    dtype: str
    _keras_mask: _Unknown | None = None

    def tensor(self, name: str, call: Call, index: int = 0) -> KerasTensor:
        tensor = KerasTensor(self.shape, self.dtype, name=name, call=call, index=index)
        tensor._keras_mask = self._keras_mask
        return tensor


def _infer(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Shapes and dtypes of what the operation gives."""
    first, second = (_trace(operation, args, kwargs, *lengths) for lengths in _TRIALS.get())
    others = iter(flatten(second))

    def compare(value: Any) -> _Unknown:
        if not isinstance(value, Value):
            raise GraphError(
                f"'{operation.name}' returned {value!r} ({type(value).__name__}) for a symbolic input; "
                "a layer's call must return tensors: write it with functions of pynn.ops and return the result"
            )
        return _compared(value, next(others))

    return map_structure(compare, first)


def _compared(a: Value, b: Value) -> _Unknown:
    """What two values from different trials have in common."""
    shape = tuple(m if m == n else None for m, n in zip(a.shape, b.shape, strict=True))
    mask, other = getattr(a, "_keras_mask", None), getattr(b, "_keras_mask", None)
    return _Unknown(shape, a.dtype, None if mask is None or other is None else _compared(mask, other))


def _trace(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], batch: int, other: int) -> Any:
    """What the operation makes of traced values in place of the symbolic tensors."""
    with _trial_of(operation) as trace:

        def value(leaf: Any) -> Any:
            if not isinstance(leaf, KerasTensor | _Unknown):
                return leaf
            shape = tuple((other if i else batch) if n is None else n for i, n in enumerate(leaf.shape))
            result = trace.input("x", Spec(shape, leaf.dtype))
            if leaf._keras_mask is not None:
                result._keras_mask = value(leaf._keras_mask)
            return result

        values, options = map_structure(value, (args, kwargs))
        return operation(*values, **options)


_F = TypeVar("_F", bound=Callable[..., Any])


def on_its_own(function: _F) -> _F:
    """Marks a function that deals with arrays, traced values and symbolic tensors itself."""
    function._on_its_own = True  # type: ignore[attr-defined]
    return function


def with_plain(*names: str) -> Callable[[_F], _F]:
    """Marks arguments of a function that decide shapes: arrays among them are plain numbers, not computed ones."""

    def mark(function: _F) -> _F:
        function._plain = names  # type: ignore[attr-defined]
        return function

    return mark


def _plain_numbers(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The arguments, those marked by :func:`with_plain` as lists and numbers."""
    marked = function._plain  # type: ignore[attr-defined]
    positions = function.__code__.co_varnames[: function.__code__.co_argcount]

    def plain(name: str, x: Any) -> Any:
        return x.tolist() if name in marked and isinstance(x, np.ndarray | np.generic) else x

    named = (*positions, *("" for _ in args[len(positions) :]))
    return tuple(plain(n, a) for n, a in zip(named, args, strict=False)), {k: plain(k, v) for k, v in kwargs.items()}


def _trial_of(operation: Any) -> Trace:
    """A trace for finding out shapes; with numbers (zeros) for a model whose Python code wants to see some."""
    if not getattr(operation, "run_eagerly", False):
        return Trace()
    from pynn.executor.eager_trace import TrialTrace

    return TrialTrace()


def make_callable_on_everything(namespace: dict[str, Any]) -> None:
    """Replace all public functions of a module, written for traced values, by ones that take arrays (which are computed
    at once) and symbolic tensors (which are recorded), too."""
    for name, function in namespace.items():
        if isinstance(function, FunctionType) and not (name.startswith("_") or hasattr(function, "_refuses")):
            on_its_own = hasattr(function, "_on_its_own")
            namespace[name] = _refusing(function) if on_its_own else callable_on_everything(function)


def callable_on_everything(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function written for traced values, for arrays and symbolic tensors, too."""
    marked = hasattr(function, "_plain")

    @functools.wraps(function)
    def either(*args: Any, **kwargs: Any) -> Any:
        try:
            if marked:
                args, kwargs = _plain_numbers(function, args, kwargs)
            if is_symbolic(args, kwargs):
                return record_function(function, args, kwargs)
            if is_tracing():
                return function(*args, **kwargs)
            from pynn.executor.eager import run_traced_with

            return run_traced_with(function, args, kwargs)
        except Exception as error:
            raise in_our_words(error, function, args, kwargs)  # noqa: B904 - it has its cause

    either._refuses = True  # type: ignore[attr-defined]
    return either


def _refusing(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, but arguments of a wrong kind are refused by name."""

    @functools.wraps(function)
    def refusing(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            raise in_our_words(error, function, args, kwargs)  # noqa: B904

    refusing._refuses = True  # type: ignore[attr-defined]
    return refusing
