"""The arrays of a run, for models with any number of inputs and outputs: matched by place or name, and checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import numpy as np

from pynn.data.batcher import check_values
from pynn.errors import ArgumentError
from pynn.graph.symbolic import KerasTensor
from pynn.models import inputs
from pynn.models.layout import Layout, layout_of
from pynn.utils.structure import flatten, is_nested


class Columns:
    """Arrays with one row per sample: inputs, targets and sample weights, in the order in which a step takes them.

    Attributes:
        names: what messages call each array.
        dtypes: what each becomes on its way into the program.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.arrays: list[np.ndarray] = []
        self.dtypes: list[str] = []
        self._labels: list[str] = []
        self._checks: list[tuple[int, Callable[[np.ndarray], None]]] = []
        #: Where the arrays stand in the structures of the data, by their numbers.
        self.x: Any = None
        self.y: Any = None
        self.sample_weight: Any = None

    def add(self, name: str, array: np.ndarray, dtype: str, label: str) -> int:
        """Take one more; gives its number.  ``label`` is what printed graphs call it."""
        self.names.append(name)
        self.arrays.append(array)
        self.dtypes.append(dtype)
        self._labels.append(label)
        return len(self.arrays) - 1

    @property
    def layout(self) -> Layout:
        """What the numbers mean to a step."""
        return layout_of(self._labels, self.x, self.y, self.sample_weight)

    def check(self, number: int, check: Callable[[np.ndarray], None]) -> None:
        """Have the numbers in an array looked at; what follows from its shape and dtype is to be found out before."""
        self._checks.append((number, check))

    def check_numbers(self, arrays: Sequence[np.ndarray]) -> None:
        """Look at these numbers: those of the columns, or others of the same shapes."""
        for i, check in self._checks:
            check(arrays[i])

    def check_lengths(self) -> None:
        """Raise a ShapeError unless all have the same number of rows."""
        inputs.same_length(list(zip(self.names, self.arrays, strict=True)))

    def split(self, fraction: float) -> tuple[Columns, Columns]:
        """The first part for training and the last ``fraction`` of the rows for validation."""
        at = inputs.split_at(len(self.arrays[0]), fraction)
        first, last = copy(self), copy(self)
        first.arrays = [array[:at] for array in self.arrays]
        last.arrays = [array[at:] for array in self.arrays]
        return first, last

    @property
    def keep_values(self) -> bool:
        """Whether any numbers of the arrays' dtypes can be converted, so that nobody has to look at them."""
        return all(a.dtype == d or d == "float32" for a, d in zip(self.arrays, self.dtypes, strict=True))

    def feeds(self) -> list[np.ndarray]:
        """The arrays as a program takes them."""
        for name, array, dtype in zip(self.names, self.arrays, self.dtypes, strict=True):
            if array.dtype != dtype:
                check_values(name, array, dtype)
        return [np.ascontiguousarray(a, d) for a, d in zip(self.arrays, self.dtypes, strict=True)]


def arrange(data: Any, ends: Any, argument: str, names: Sequence[str] | None = None) -> list[tuple[str, Any]]:
    """``data`` item by item in the order of ``ends``, symbolic inputs or outputs, each with a name for errors.

    One end takes the data itself, a list of just one array, or a dictionary with its name.  Several take a list in
    their order or a dictionary of names (``names``, or those of the input layers; the keys, where ``ends`` has some).

    Raises:
        ArgumentError: too few, too many, or other names.
    """
    leaves = flatten(ends)
    if names is None:
        names = sorted(ends) if isinstance(ends, dict) else [t.name for t in leaves]
    if isinstance(data, dict):
        unknown = [key for key in data if key not in names]
        missing = [name for name in names if name not in data]
        if missing or unknown:
            wrong = f"'{missing[0]}' is missing" if missing else f"'{unknown[0]}' is not one of them"
            raise ArgumentError(
                f"{argument}: expected {'an array, or ' if len(names) == 1 else ''}a dictionary with the keys "
                f"{_listed(names)}, received a dictionary with {_listed(data)}: {wrong}"
            )
        return [(f"{argument}[{name!r}]", data[name]) for name in names]
    if len(leaves) == 1:
        return [(argument, data[0] if _is_list_of_one(data, leaves[0]) else data)]
    items = flatten(data) if is_nested(ends) and any(map(is_nested, _children(ends))) else data
    if not isinstance(items, list | tuple) or len(items) != len(leaves):
        received = f"{len(items)} of them" if isinstance(items, list | tuple) else f"a {type(data).__name__}"
        raise ArgumentError(
            f"{argument}: expected a list of {len(leaves)} arrays, for {_listed(names)}, "
            f"or a dictionary with these keys, received {received}"
        )
    return [(f"{argument}[{i}]", item) for i, item in enumerate(items)]


def _children(structure: Any) -> list[Any]:
    return list(structure.values() if isinstance(structure, dict) else structure)


def _is_list_of_one(data: Any, end: KerasTensor) -> bool:
    """``[x]`` for a model with one input, as opposed to a list of rows."""
    return isinstance(data, list | tuple) and len(data) == 1 and getattr(data[0], "ndim", -1) == len(end.shape)


def _listed(names: Any) -> str:
    return ", ".join(map(repr, names))
