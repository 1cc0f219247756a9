"""Functions on nested structures of lists, tuples, named tuples, deques and dictionaries: ``keras.tree``.

Dictionaries are read in the order of their keys, an ``OrderedDict`` in its own.  None is a leaf.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

from pynn.errors import StructureError
from pynn.utils.structure import check_alike, items_of, keys_of, rebuilt
from pynn.utils.structure import flatten as flatten
from pynn.utils.structure import is_nested as is_nested
from pynn.utils.structure import map_structure as map_structure

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]


class MAP_TO_NONE:
    """What a function gives :func:`traverse` to put None in the place of something."""


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Call ``func`` on the structure and on everything inside it, and replace what it gives a result for.

    Args:
        func: gives None for what is to stay, :class:`MAP_TO_NONE` for what is to become None.
        structure: any structure.
        top_down: outer structures first: what was replaced is not looked into.  Otherwise inner ones first.

    Example:
        >>> traverse(lambda x: "pair" if isinstance(x, tuple) else None, [1, (2, 3)])
        [1, 'pair']
    """
    if not callable(func):
        raise TypeError(f"traverse: expected a function, received {func!r}")
    if top_down:
        found = func(structure)
        if found is not None:
            return None if found is MAP_TO_NONE else found
    if is_nested(structure):
        structure = rebuilt(structure, [traverse(func, item, top_down) for item in items_of(structure)])
    if top_down:
        return structure
    found = func(structure)
    return structure if found is None else None if found is MAP_TO_NONE else found


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """``(path, leaf)`` of each leaf; a path is a tuple of indices and keys.

    Example:
        >>> flatten_with_path({"b": [1, 2], "a": 3})
        [(('a',), 3), (('b', 0), 1), (('b', 1), 2)]
    """
    if not is_nested(structure):
        return [((), structure)]
    inside = zip(keys_of(structure), items_of(structure), strict=True)
    return [((key, *path), leaf) for key, item in inside for path, leaf in flatten_with_path(item)]


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """``func`` of what stands in ``structures`` where ``shallow_structure`` has its leaves.

    Raises:
        StructureError: no structure, or one that is not like ``shallow_structure`` as far as that goes.

    Example:
        >>> map_structure_up_to([0, [0, 0]], str, [[1, 1], [2, 2]])
        ['[1, 1]', ['2', '2']]
    """
    if not callable(func):
        raise TypeError(f"map_structure_up_to: expected a function, received {func!r}")
    if not structures:
        raise StructureError("map_structure_up_to: expected at least one structure, received none")
    others = check_alike(shallow_structure, structures, only_above=True)
    if not is_nested(shallow_structure):
        return func(*structures)
    parts = zip(items_of(shallow_structure), *map(items_of, others), strict=True)
    return rebuilt(shallow_structure, [map_structure_up_to(shallow, func, *rest) for shallow, *rest in parts])


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Check that two structures are built alike: the same kinds, lengths and keys at each level, and any leaves.

    All kinds of dictionaries count as the same.  ``check_types`` has no effect any more, as in Keras.

    Raises:
        StructureError: they are not alike.

    Example:
        >>> assert_same_structure([(0, 1)], [(2, 3)])
        >>> assert_same_structure([0, 1], (2, 3))
        Traceback (most recent call last):
        pynn.errors.StructureError: structures are not alike: expected a list, received tuple: (2, 3)
    """
    if check_types is not None:
        warnings.warn(
            "assert_same_structure: check_types has no effect, leave it out; for a check that takes lists and tuples "
            "as the same use assert_same_paths",
            DeprecationWarning,
            stacklevel=2,
        )
    map_structure(lambda *leaves: None, a, b)


def assert_same_paths(a: Any, b: Any) -> None:
    """Check that two structures have leaves at the same paths; lists, tuples and deques count as the same.

    Raises:
        StructureError: they have not; the message lists the paths that differ.

    Example:
        >>> assert_same_paths([0, {"x": 1}], (2, {"x": 3}))
    """
    in_a, in_b = ({path for path, _ in flatten_with_path(structure)} for structure in (a, b))
    if in_a != in_b:
        raise StructureError(
            f"structures have different paths: only in the first {sorted(in_a - in_b, key=repr)}, "
            f"only in the second {sorted(in_b - in_a, key=repr)}"
        )


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """The items of ``flat_sequence``, in the order of :func:`flatten`, in the shape of ``structure``.

    Raises:
        StructureError: there are too few or too many.

    Example:
        >>> pack_sequence_as({"b": 0, "a": (0, 0)}, [1, 2, 3])
        {'b': 3, 'a': (1, 2)}
    """
    leaves = list(flat_sequence)
    expected = len(flatten(structure))
    if len(leaves) != expected:
        raise StructureError(f"pack_sequence_as: the structure has {expected} leaves, received {len(leaves)}")
    rest = iter(leaves)
    return map_structure(lambda _: next(rest), structure)


def lists_to_tuples(structure: Any) -> Any:
    """The same with tuples in place of lists.

    Example:
        >>> lists_to_tuples([1, {"a": [2, 3]}])
        (1, {'a': (2, 3)})
    """
    return traverse(lambda item: tuple(item) if isinstance(item, list) else None, structure, top_down=False)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """``func`` of each shape: of lists and tuples of whole numbers and None, which are not looked into.

    Example:
        >>> map_shape_structure(len, {"a": (None, 2), "b": [(1,), (2, 3, 4)]})
        {'a': 2, 'b': [1, 3]}
    """
    if not callable(func):
        raise TypeError(f"map_shape_structure: expected a function, received {func!r}")
    if isinstance(structure, list | tuple) and all(n is None or isinstance(n, int) for n in structure):
        return func(structure)
    if not is_nested(structure):
        raise StructureError(f"map_shape_structure: expected shapes, received {structure!r}")
    return rebuilt(structure, [map_shape_structure(func, item) for item in items_of(structure)])
