"""What the small families (regularizers, constraints ...) share: objects from names, classes, configs, functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pynn.errors import ArgumentError
from pynn.utils.naming import snake_case, unknown_name
from pynn.utils.serialization import custom_named, deserialize_object, serialize_object


def names_of(classes: Sequence[type]) -> dict[str, type]:
    """The classes by their own names and by the snake-case ones: ``L1L2`` and ``l1_l2``."""
    return {**{c.__name__: c for c in classes}, **{snake_case(c.__name__): c for c in classes}}


def object_of(
    identifier: Any, kind: str, table: Mapping[str, Any], deserialize: Callable[[Any], Any], advice: str
) -> Any:
    """What an argument means: an object or a function.  None stays None.

    Args:
        identifier: a name from ``table``, a registered name, a class, a config, an object or a function.
        kind: what errors call it.
        table: classes and functions by name.
        deserialize: makes an object of a config.
        advice: how an error ends.
    """
    if identifier is None:
        return None
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    identifier = custom_named(identifier) or identifier
    if isinstance(identifier, str):
        if identifier not in table:
            raise unknown_name(kind, identifier, table)
        identifier = table[identifier]
    if isinstance(identifier, type):
        identifier = identifier()
    if callable(identifier):
        return identifier
    raise ArgumentError(f"cannot make a {kind} of {identifier!r}: {advice}")


class Family:
    """``get``, ``serialize`` and ``deserialize`` of one family of objects.

    Args:
        kind: what errors call one of them.
        module: the last part of the module in Keras's configs.
        classes: those that a name or a config may mean.
        example: a name to show in errors.
        aliases: more names.
    """

    def __init__(
        self, kind: str, module: str, classes: Sequence[type], example: str, aliases: Mapping[str, type] | None = None
    ):
        self.kind, self.module, self.example = kind, module, example
        self.table: dict[str, type] = {**names_of(classes), **(aliases or {})}

    def get(self, identifier: Any) -> Any:
        """An object of a name, a class, a config, an object or a function; None stays None."""
        advice = f"give a name such as {self.example!r}, an object, or a function"
        return object_of(identifier, self.kind, self.table, self.deserialize, advice)

    def serialize(self, item: Any) -> dict[str, Any] | None:
        """The dictionary that :meth:`deserialize` takes; None stays None."""
        if item is None:
            return None
        return serialize_object(item, self.module)

    def deserialize(self, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """The object that ``config`` describes: one of pynn's own classes or of ``custom_objects``."""
        return deserialize_object(config, self.table, self.kind, custom_objects)
