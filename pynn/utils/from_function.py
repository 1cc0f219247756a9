"""Classes made from functions ``f(y_true, y_pred, **options)``: losses and metrics are those functions with the options
chosen beforehand, so their constructors follow from the functions' signatures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, Signature, signature
from typing import Any, ClassVar

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


class FromFunction:
    """Mixin of classes that are a function with its options chosen.

    ``class Huber(FunctionLoss, of=huber, name="huber_loss")`` takes the options of ``huber`` and what all losses take.
    ``order`` and ``defaults`` are those of :func:`constructor_of`; ``unwritten`` names options that configs leave out
    while they have their default, because Keras's do.
    """

    #: What all classes of the kind take, with defaults, and whether it comes before the options.
    _shared: ClassVar[Mapping[str, Any]] = {}
    _shared_first: ClassVar[bool] = False
    _signature: ClassVar[Signature]
    _unwritten: ClassVar[tuple[str, ...]] = ()
    #: The function; as a class attribute, so that tables can be made of the classes.
    fn: Callable[..., Any]

    def __init_subclass__(
        cls,
        of: Callable[..., Any] | None = None,
        name: str = "",
        order: Sequence[str] = (),
        unwritten: tuple[str, ...] = (),
        **defaults: Any,
    ) -> None:
        super().__init_subclass__()
        if of is not None:
            shared = {**cls._shared, "name": name or of.__name__}
            if cls._shared_first and not order:
                order = [*shared, *list(signature(of).parameters)[2:]]
            cls._signature = cls.__signature__ = constructor_of(of, shared, order, **defaults)  # type: ignore[attr-defined]
            cls._unwritten = unwritten
            cls.fn = staticmethod(of)
        elif "__init__" in cls.__dict__:  # a subclass with arguments of its own
            parameters = list(signature(cls.__init__).parameters.values())[1:]
            cls.__signature__ = Signature(parameters)  # type: ignore[attr-defined]

    def __init__(self, *args: Any, **kwargs: Any):
        options = bind(self._signature, type(self).__name__, args, kwargs)
        shared = {name: options.pop(name) for name in self._shared}
        super().__init__(self.fn, **shared, **options)  # type: ignore[call-arg]
        #: The options of the function; each is also an attribute.
        self.options = options
        vars(self).update(options)

    def written_options(self) -> dict[str, Any]:
        """The options as configs have them."""
        defaults = self._signature.parameters
        return {k: v for k, v in self.options.items() if k not in self._unwritten or v != defaults[k].default}
