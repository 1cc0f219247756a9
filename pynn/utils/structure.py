"""Nested lists, tuples and dictionaries, as models take and give them.  Dictionaries are read in the order of keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def flatten(structure: Any) -> list[Any]:
    """The leaves.

    Example:
        >>> flatten({"b": [1, 2], "a": 3})
        [3, 1, 2]
    """
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in flatten(structure[key])]
    if isinstance(structure, list | tuple):
        return [leaf for item in structure for leaf in flatten(item)]
    return [structure]


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """The same structure with ``function`` of each leaf, called in the order of :func:`flatten`."""
    if isinstance(structure, dict):
        mapped = {key: map_structure(function, structure[key]) for key in sorted(structure)}
        return {key: mapped[key] for key in structure}
    if isinstance(structure, list | tuple):
        items = [map_structure(function, item) for item in structure]
        return items if isinstance(structure, list) else tuple(items)
    return function(structure)


def pack(structure: Any, leaves: Iterable[Any]) -> Any:
    """``leaves``, in the order of :func:`flatten`, in the shape of ``structure``."""
    rest = iter(leaves)
    return map_structure(lambda _: next(rest), structure)


def is_nested(structure: Any) -> bool:
    """Whether it is a list, a tuple or a dictionary."""
    return isinstance(structure, list | tuple | dict)
