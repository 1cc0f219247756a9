"""Weights as :class:`~pynn.saving.KerasFileEditor` holds them: objects are dictionaries, in each other as in the file,
and weights are arrays."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pynn.errors import ArgumentError

#: The folder of an object in which files keep its own weights.
VARS = "vars"


def object_at(tree: Any, path: str) -> Any:
    """The object of this path, made if it is not there."""
    for part in path.split("/") if path else ():
        tree = tree.setdefault(part, OrderedDict())
    return tree


def objects(tree: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Path and content of this object and of all inside it."""
    yield path, tree
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from objects(value, f"{path}/{key}".lstrip("/"))


def tree_lines(tree: dict[str, Any], indent: str) -> Iterator[str]:
    """What to print, line by line."""
    keys = _ordered(tree)
    for key in keys:
        value, last = tree[key], key == keys[-1]
        text = key if isinstance(value, dict) else f"{key}: shape={value.shape}, dtype={value.dtype}"
        yield f"{indent}{'└─' if last else '├─'} {text}"
        if isinstance(value, dict):
            yield from tree_lines(value, f"{indent}{'    ' if last else '│   '}")


def pairs(a: dict[str, Any], b: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """``(path, in a, in b)`` of all weights, and of objects that only one of them has."""
    for key in _ordered({**a, **b}):
        one, other, where = a.get(key), b.get(key), f"{path}/{key}"
        if isinstance(one, dict) and isinstance(other, dict):
            yield from pairs(one, other, where)
        else:
            yield where, one, other


def _ordered(tree: dict[str, Any]) -> list[str]:
    """The names in order, numbers by their size."""
    return sorted(tree, key=lambda key: (not key.isdigit(), int(key) if key.isdigit() else 0, key))


def checked_weights(weights: Mapping[str, Any], where: str) -> OrderedDict[str, Any]:
    """What the user gave as weights, as an object."""
    if not isinstance(weights, Mapping):
        raise ArgumentError(f"{where}: expected a dictionary of names and arrays, received {weights!r}")
    found: OrderedDict[str, Any] = OrderedDict()
    for key, value in weights.items():
        if not isinstance(key, str) or not key or "/" in key or key == VARS:
            raise ArgumentError(f"{where}: {key!r} cannot be the name of a weight")
        if isinstance(value, Mapping):
            found[key] = checked_weights(value, where)
            continue
        array = np.array(value)
        if array.dtype.kind not in "fiub":
            raise ArgumentError(f"{where}: expected numbers for {key!r}, received {array.dtype}")
        found[key] = array
    return found


def is_inside(path: str, folder: str) -> bool:
    """Whether the path is the folder's, or leads into it."""
    return path == folder or path.startswith(f"{folder}/")


def moved(path: str, old: str, new: str) -> str:
    """The path after the folder ``old`` was renamed."""
    return new + path.removeprefix(old) if is_inside(path, old) else path
