"""Classes made from functions ``f(y_true, y_pred, **options)``: losses and metrics are those functions with the options
chosen beforehand, so their constructors follow from the functions' signatures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, Signature, signature
from typing import Any

from pynn.errors import ArgumentError


def constructor_of(
    function: Callable[..., Any], shared: Mapping[str, Any], order: Sequence[str] = (), **defaults: Any
) -> Signature:
    """The signature of a class made from ``function``.

    Args:
        function: its arguments after ``y_true`` and ``y_pred`` are the options.
        shared: arguments that all such classes have, with their defaults.
        order: the arguments, where they are not the options and then the shared ones, or the other way round.
        defaults: those that differ from the function's.

    Example:
        >>> def huber(y_true, y_pred, delta=1.0): ...
        >>> str(constructor_of(huber, {"name": "huber"}))
        "(delta=1.0, name='huber')"
    """
    options = list(signature(function).parameters.values())[2:]
    merged = {**{p.name: p.default for p in options}, **shared, **defaults}
    kind = Parameter.POSITIONAL_OR_KEYWORD
    return Signature([Parameter(name, kind, default=merged[name]) for name in order or merged])


def bind(signature: Signature, owner: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments by name, with defaults, each within its range."""
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{owner}() {error}; it takes {signature}") from None
    bound.apply_defaults()
    for name, value in bound.arguments.items():
        if name in _RANGES and not _RANGES[name][0](value):
            raise ArgumentError(f"{owner}: {name} must {_RANGES[name][1]}, received {value!r}")
    return bound.arguments


def _number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)


def _axes(x: Any) -> bool:
    return x is None or all(isinstance(a, int) and not isinstance(a, bool) for a in (x if _several(x) else [x]))


def _several(x: Any) -> bool:
    return isinstance(x, list | tuple)


#: What an option may be, by its name: it means the same wherever it occurs.
_RANGES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "label_smoothing": (lambda x: _number(x) and 0 <= x <= 1, "lie between 0 and 1"),
    "delta": (lambda x: _number(x) and x > 0, "be a number above 0"),
    "gamma": (lambda x: _number(x) and x >= 0, "be a number of at least 0"),
    "q": (lambda x: _number(x) and 0 < x < 1, "be in the interval (0, 1)"),
    "k": (lambda x: isinstance(x, int) and not isinstance(x, bool) and x >= 1, "be a whole number of at least 1"),
    "axis": (_axes, "be of type int (or several in a tuple where the loss takes them)"),
}
