"""Nested lists, tuples and dictionaries, as models take and give them.

Dictionaries are read in the order of their keys, an ``OrderedDict`` in its own.  ``pynn.tree`` has more functions.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pynn.errors import StructureError


def flatten(structure: Any) -> list[Any]:
    """The leaves; None is one.

    Example:
        >>> flatten({"b": [1, 2], "a": 3})
        [3, 1, 2]
    """
    if isinstance(structure, dict):
        return [leaf for key in keys_of(structure) for leaf in flatten(structure[key])]
    if isinstance(structure, list | tuple | deque):
        return [leaf for item in structure for leaf in flatten(item)]
    return [structure]


def map_structure(function: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """The same structure with ``function`` of each leaf, called in the order of :func:`flatten`.

    Args:
        function: takes one leaf of each structure.
        structures: several must be built alike, see :func:`pynn.tree.assert_same_structure`.
        none_is_leaf: whether the function is called for None; else None stays None.

    Raises:
        TypeError: ``function`` cannot be called.
        StructureError: no structure, or several that are not alike.

    Example:
        >>> map_structure(lambda a, b: a + b, [1, {"x": 2}], [10, {"x": 20}])
        [11, {'x': 22}]
    """
    if not callable(function):
        raise TypeError(f"map_structure: expected a function, received {function!r}")
    if not structures:
        raise StructureError("map_structure: expected at least one structure, received none")
    first, *others = structures
    if others:
        if not is_nested(first):
            check_alike(first, others)
            return None if first is None and not none_is_leaf else function(first, *others)
        parts = zip(items_of(first), *(items_of(other) for other in check_alike(first, others)), strict=True)
        return rebuilt(first, [map_structure(function, *part, none_is_leaf=none_is_leaf) for part in parts])
    if isinstance(first, dict | list | tuple | deque):
        return rebuilt(first, [map_structure(function, item, none_is_leaf=none_is_leaf) for item in items_of(first)])
    return None if first is None and not none_is_leaf else function(first)


def pack(structure: Any, leaves: Iterable[Any]) -> Any:
    """``leaves``, in the order of :func:`flatten`, in the shape of ``structure``."""
    rest = iter(leaves)
    return map_structure(lambda _: next(rest), structure)


def is_nested(structure: Any) -> bool:
    """Whether it is a list, a tuple, a deque or a dictionary.

    Example:
        >>> from pynn import tree
        >>> tree.is_nested([1, 2]), tree.is_nested(1)
        (True, False)
    """
    return isinstance(structure, list | tuple | dict | deque)


def keys_of(structure: Any) -> list[Any]:
    """Keys or indices of what is directly inside, in order."""
    if not isinstance(structure, dict):
        return list(range(len(structure)))
    if isinstance(structure, OrderedDict):
        return list(structure)
    try:
        return sorted(structure)
    except TypeError:  # of several types
        return sorted(structure, key=lambda key: (type(key).__qualname__, key))


def items_of(structure: Any) -> list[Any]:
    """What is directly inside, in order."""
    return [structure[key] for key in keys_of(structure)] if isinstance(structure, dict) else list(structure)


def rebuilt(structure: Any, items: Sequence[Any]) -> Any:
    """A structure of the same kind with other items, which come in the order of :func:`items_of`."""
    if isinstance(structure, dict):
        mapped = dict(zip(keys_of(structure), items, strict=True))
        pairs = ((key, mapped[key]) for key in structure)  # as the user wrote them
        if isinstance(structure, defaultdict):
            return defaultdict(structure.default_factory, pairs)
        return OrderedDict(pairs) if isinstance(structure, OrderedDict) else dict(pairs)
    if isinstance(structure, list):
        return list(items)
    if isinstance(structure, deque):
        return deque(items, structure.maxlen)
    return type(structure)(*items) if hasattr(structure, "_fields") else tuple(items)


def check_alike(first: Any, others: Sequence[Any], only_above: bool = False) -> Sequence[Any]:
    """``others``, if they are of the same kind as ``first`` and have as many items or the same keys.

    With ``only_above`` they may be nested where ``first`` is a leaf.
    """
    kind = kind_of(first)
    for other in others:
        if kind is None and only_above:
            continue
        if kind_of(other) is not kind:
            raise StructureError(
                f"structures are not alike: expected {_described(first)}, received {type(other).__name__}: {other!r}"
            )
        if kind is dict and set(first) != set(other):
            raise StructureError(
                f"structures are not alike: expected a dictionary with the keys {keys_of(first)}, "
                f"received {keys_of(other)}"
            )
        if kind is not None and len(first) != len(other):
            raise StructureError(
                f"structures are not alike: expected {len(first)} items, received {len(other)}: {other!r}"
            )
    # The first one decides on the order.
    return [OrderedDict((key, other[key]) for key in keys_of(first)) for other in others] if kind is dict else others


def kind_of(structure: Any) -> type | None:
    """What has to be equal for two structures to be alike: that of all dictionaries is, two named tuples' is not."""
    if isinstance(structure, dict):
        return dict
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)
    return next((kind for kind in (list, tuple, deque) if isinstance(structure, kind)), None)


def _described(structure: Any) -> str:
    return "a leaf" if kind_of(structure) is None else f"a {type(structure).__name__}"
