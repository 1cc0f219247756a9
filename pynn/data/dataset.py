"""Pipelines of data: arrays, or whatever makes them, in shuffled batches, with the methods of ``tf.data.Dataset``.

Here is where data come from; the steps are in ``mapping.py``, ``grouping.py`` and ``ordering.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pynn.data import elements as el
from pynn.data.grouping import Grouping
from pynn.data.iteration import AUTOTUNE
from pynn.data.mapping import Mapping
from pynn.data.ordering import Ordering
from pynn.data.pipeline import INFINITE_CARDINALITY as INFINITE_CARDINALITY
from pynn.data.pipeline import UNKNOWN_CARDINALITY as UNKNOWN_CARDINALITY
from pynn.data.signatures import beside, conform, structure, structure_like
from pynn.errors import ArgumentError


class Dataset(Mapping, Grouping, Ordering):
    """Elements one after another: arrays, or tuples and dictionaries of them; ``fit`` takes one whose elements are
    batches.

    Each method gives a new data set and leaves this one as it is; nothing is computed before somebody iterates.
    Iterating gives arrays with a method ``.numpy()``; :meth:`as_numpy_iterator` gives plain ones.  Strings are arrays
    of Python's ``str``.  Everything random follows from ``seed``, or from :func:`pynn.utils.set_random_seed`.

    Example:
        >>> x, y = np.arange(6.0).reshape(6, 1), np.arange(6)
        >>> dataset = Dataset.from_tensor_slices((x, y)).map(lambda x, y: (x * 2, y)).batch(4)
        >>> [y.tolist() for x, y in dataset]
        [[0, 1, 2, 3], [4, 5]]
        >>> len(dataset)
        2
    """

    AUTOTUNE = AUTOTUNE

    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> Dataset:
        """The rows of an array, or of all arrays of a tuple or a dictionary together.

        Args:
            tensors: arrays with as many rows each.  Lists become arrays.
            name: a label for the reader.

        Raises:
            ShapeError: they differ in length.
        """
        arrays = el.element(tensors)
        length = el.common_length(arrays)

        def source() -> Iterator[Any]:
            return (el.rows(arrays, i) for i in range(length))

        return Dataset(source, length, lambda: el.map_leaves(lambda a: el.TensorSpec(a.shape[1:], a.dtype), arrays))

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> Dataset:
        """A single element."""
        only = el.element(tensors)
        return Dataset(lambda: iter([only]), 1, lambda: el.spec_of(only))

    @staticmethod
    def from_generator(
        generator: Callable[..., Any],
        output_types: Any = None,
        output_shapes: Any = None,
        args: tuple[Any, ...] | None = None,
        output_signature: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """What ``generator(*args)`` gives; it is called again for each iteration.

        Args:
            generator: a function that gives an iterator, such as a generator function.
            output_types: the dtype of each array, which it is converted to; by default as it comes.
            output_shapes: the shape of each array, None for lengths that vary.
            output_signature: a TensorSpec for each array, in place of both.

        Example:
            >>> def count(stop):
            ...     for i in range(stop):
            ...         yield i, [i, i]
            >>> [int(a) for a, b in Dataset.from_generator(count, args=(3,))]
            [0, 1, 2]
        """
        if not callable(generator):
            raise ArgumentError(
                "Dataset.from_generator: generator must be a function that gives a new iterator each time it is "
                f"called, received {type(generator).__name__}; wrap it, as in from_generator(lambda: it)"
            )
        signature = output_signature
        if signature is None and output_types is not None:
            types = structure(output_types)
            shapes = el.map_leaves(lambda _: None, types) if output_shapes is None else output_shapes
            signature = beside(types, shapes)
        elif signature is None and output_shapes is not None:
            raise ArgumentError("Dataset.from_generator: output_shapes needs output_types beside it")
        else:
            signature = structure(signature)

        def source() -> Iterator[Any]:
            values = iter(generator(*(args or ())))
            if signature is None:
                return map(el.element, values)
            return (conform(structure_like(value, signature), signature) for value in values)

        return Dataset(source, UNKNOWN_CARDINALITY, None if signature is None else lambda: signature)

    @staticmethod
    def range(*args: int, output_type: Any = "int64", name: str | None = None) -> Dataset:
        """``range(stop)``, ``range(start, stop)`` or ``range(start, stop, step)``.

        Example:
            >>> list(Dataset.range(1, 8, 3).as_numpy_iterator())
            [np.int64(1), np.int64(4), np.int64(7)]
        """
        numbers = range(*(int(a) for a in args))
        dtype = np.dtype(getattr(output_type, "name", output_type))
        return Dataset(
            lambda: (np.asarray(i, dtype) for i in numbers), len(numbers), lambda: el.TensorSpec((), dtype)
        )  # fmt: skip

    @staticmethod
    def zip(*datasets: Any, name: str | None = None) -> Dataset:
        """Elements of several data sets side by side; it ends with the shortest.

        Args:
            datasets: data sets, or one tuple or dictionary of them.

        Example:
            >>> both = Dataset.zip((Dataset.range(3), Dataset.range(10, 20)))
            >>> [(int(a), int(b)) for a, b in both]
            [(0, 10), (1, 11), (2, 12)]
        """
        structure = datasets[0] if len(datasets) == 1 else tuple(datasets)
        parts = el.leaves(structure)
        for part in parts:
            if not isinstance(part, Dataset):
                raise ArgumentError(f"Dataset.zip: expected data sets, received {type(part).__name__}")

        def source() -> Iterator[Any]:
            for items in zip(*(part._source() for part in parts), strict=False):
                yield el.pack(structure, items)

        known = [part._length for part in parts if part._length != INFINITE_CARDINALITY]
        length = INFINITE_CARDINALITY if not known else UNKNOWN_CARDINALITY if min(known) < 0 else min(known)
        return Dataset(source, length, lambda: el.map_leaves(lambda part: part.element_spec, structure))
