"""Errors of Python and NumPy in our words: asked for when a call has failed, so good calls pay nothing for it.

Functions of ``pynn.ops`` and constructors check numbers (an axis that is not there, a stride of 0) where they use them.
That an axis is a number at all, their annotations say already: ``axis: int | Sequence[int] | None``.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from types import NoneType, UnionType
from typing import Any, ClassVar

import numpy as np

from pynn.errors import ArgumentError, DtypeError, NoNumbersError, PynnError

#: What no operand can be.
_NO_ARRAY = (str, bytes, Mapping, NoneType, slice)


def in_our_words(
    error: Exception, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], name: str = ""
) -> Exception:
    """What to raise in place of ``error``, which a call of pynn's own function, or constructor, has ended with.

    Python's and NumPy's complaints about arguments become an ArgumentError that names function and argument.  Errors
    that are pynn's, that point at a defect of pynn's, or that come from a function the user gave stay what they are.
    """
    name = name or function.__name__
    if isinstance(error, DtypeError) and str(error).startswith("expected "):  # about an array, wherever it was
        return DtypeError(f"{name}: {error}")
    if isinstance(error, MemoryError) or (isinstance(error, PynnError) and not isinstance(error, NoNumbersError)):
        return error
    constructs = inspect.unwrap(function).__name__ == "__init__"
    new: Exception | None = _refusal(function, args, kwargs, name, constructs)
    plain = args[1:] if constructs else args
    if new is None and isinstance(error, ValueError | OverflowError) and not any(map(callable, plain)):
        given = ", ".join([*map(_shown, plain), *(f"{k}={_shown(v)}" for k, v in kwargs.items())])
        new = ArgumentError(f"{name}: {error}; received {given or 'nothing'}")
    if new is None:
        return error
    new.__cause__ = error
    return new


def _refusal(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], name: str, constructs: bool
) -> PynnError | None:
    """The error that names the first argument which is not what the function's annotation asks for; None if all are."""
    try:
        given = inspect.signature(function).bind(*args, **kwargs).arguments
    except TypeError:
        return None  # too many, too few or unknown ones: Python has said which
    for argument, value in given.items():
        parameter, kind = inspect.signature(function).parameters[argument], _kinds(function)[argument]
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if kind is Any:
            needed = parameter.default is parameter.empty and not constructs
            if needed and (isinstance(value, _NO_ARRAY) or callable(value)):
                return DtypeError(f"{name}: {argument} must be an array or a number, received {_shown(value)}")
        elif not _fits(value, kind):
            expected = parameter.annotation.replace("Axis", "int | Sequence[int] | None")
            return ArgumentError(f"{name}: {argument} must be {expected}, received {_shown(value)}")
    return None


@cache
def _kinds(function: Callable[..., Any]) -> dict[str, Any]:
    """The parameters' annotations; those that only type checkers can read count as Any."""
    scope = inspect.unwrap(function).__globals__
    kinds: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        try:
            kinds[name] = eval(parameter.annotation, scope)
        except (NameError, TypeError, AttributeError):
            kinds[name] = Any
    return kinds


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value is of the kind that an annotation says; Python's numbers and NumPy's count alike."""
    origin = typing.get_origin(kind)
    if origin in (UnionType, typing.Union):
        return any(_fits(value, part) for part in typing.get_args(kind))
    if kind is None or kind is NoneType:
        return value is None
    if kind is int:
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        return whole and bool(-(2**63) <= value < 2**63)
    if kind is float:
        return isinstance(value, int | float | np.number)
    if kind is bool:
        return isinstance(value, bool | np.bool_)
    if origin is Sequence:
        (part,) = typing.get_args(kind)
        several = isinstance(value, list | tuple | range) or (isinstance(value, np.ndarray) and value.ndim > 0)
        return several and all(_fits(item, part) for item in value)
    if origin is tuple:
        parts = typing.get_args(kind)
        return isinstance(value, list | tuple) and len(value) == len(parts) and all(map(_fits, value, parts))
    if kind is Callable or origin is Callable:
        return callable(value)
    return isinstance(value, kind) if isinstance(kind, type) and kind is not Any else True


def blaming_the_constructor(error: Exception, made: Any) -> Exception:
    """:func:`in_our_words` for the use of an object of pynn's own class: an argument of its constructor may be to
    blame, that nothing had looked at before."""
    if isinstance(error, PynnError | MemoryError) or not type(made).__module__.startswith("pynn."):
        return error
    args, kwargs = made._given
    new = _refusal(type(made).__init__, (made, *args), kwargs, type(made).__name__, constructs=True)
    if new is None:
        return error
    new.__cause__ = error
    return new


class RefusingConstructor:
    """Base: constructors of pynn's own classes refuse arguments of a wrong kind in pynn's words.

    Those of a strict class do so in any case; others only where Python or NumPy stumble over the argument, then or when
    the object is used, and so take whatever works.
    """

    _strict: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls) and cls.__module__.startswith("pynn."):
            cls.__init__ = _refusing_init(cls.__init__)  # type: ignore[method-assign]


def _refusing_init(init: Callable[..., None]) -> Any:
    @wraps(init)
    def refusing(self: Any, *args: Any, **kwargs: Any) -> None:
        if self._strict and (refused := _refusal(init, (self, *args), kwargs, type(self).__name__, constructs=True)):
            raise refused
        try:
            init(self, *args, **kwargs)
        except Exception as error:
            raise in_our_words(error, init, (self, *args), kwargs, type(self).__name__)  # noqa: B904 - has its cause

    return refusing


def _shown(value: Any, length: int = 100) -> str:
    text = repr(value)
    return text if len(text) <= length else text[:length] + " ..."
