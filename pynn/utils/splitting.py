"""Two data sets of one."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from pynn.data.dataset import Dataset
from pynn.data.elements import stack, tensors
from pynn.errors import ArgumentError


def split_dataset(
    dataset: Any,
    left_size: Any = None,
    right_size: Any = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Dataset, Dataset]:
    """Two data sets of single elements: the left from the beginning, the right from the end.

    Args:
        dataset: an array; a list or tuple of arrays with as many rows each; or a data set, which must end.
        left_size, right_size: a fraction from 0 to 1, or a number of elements; one of them may be left out.
        shuffle: change the order before splitting.
        seed: of that order.
        preferred_backend: of Keras; both parts are pynn's data sets.

    Example:
        >>> left, right = split_dataset(np.arange(10), left_size=0.8)
        >>> len(left), len(right)
        (8, 2)
    """
    if left_size is None and right_size is None:
        raise ArgumentError("split_dataset: left_size or right_size must be given")
    items = _elements(dataset)
    if shuffle:
        order = random.Random(random.randint(0, 10**6) if seed is None else seed)
        order.shuffle(items)
    left, right = _sizes(left_size, right_size, len(items))
    return _of(items[:left]), _of(items[len(items) - right :])


def _elements(dataset: Any) -> list[Any]:
    if isinstance(dataset, list | tuple | np.ndarray | dict):
        arrays = dataset if isinstance(dataset, np.ndarray | dict) else tuple(np.asarray(a) for a in dataset)
        dataset = Dataset.from_tensor_slices(arrays)
    if isinstance(dataset, Dataset) and dataset.cardinality() == -1:
        raise ArgumentError("split_dataset: the data set has no end; take() a part of it first")
    if not hasattr(dataset, "__iter__"):
        raise TypeError(f"split_dataset: expected arrays or a data set, received {type(dataset).__name__}")
    return list(dataset)


def _of(items: list[Any]) -> Dataset:
    if not items:
        return Dataset(lambda: iter(()), 0)
    try:
        return Dataset.from_tensor_slices(stack(items))
    except ValueError:  # of different shapes
        return Dataset(lambda: iter(items), len(items), lambda: Dataset.from_tensors(tensors(items[0])).element_spec)


def _sizes(left: Any, right: Any, total: int) -> tuple[int, int]:
    for name, size in (("left_size", left), ("right_size", right)):
        if size is None:
            continue
        if isinstance(size, bool) or not isinstance(size, int | float | np.number):
            raise TypeError(f"split_dataset: {name} must be a number, received {size!r}")
        most = 1 if isinstance(size, float | np.floating) else total
        if not 0 < size <= most:
            raise ArgumentError(
                f"split_dataset: {name} must be a fraction from 0 to 1 or a number of elements up to {total}, "
                f"received {size}"
            )
    left = round(left * total) if isinstance(left, float | np.floating) else left
    right = round(right * total) if isinstance(right, float | np.floating) else right
    left = total - right if left is None else int(left)
    right = total - left if right is None else int(right)
    if left + right > total:
        raise ArgumentError(
            f"split_dataset: left_size and right_size together are {left + right}, more than the {total} elements"
        )
    for name, size in (("left", left), ("right", right)):
        if not size:
            raise ArgumentError(f"split_dataset: with {total} elements the {name} part would be empty")
    return left, right
