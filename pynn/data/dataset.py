"""Pipelines of data: arrays, or whatever makes them, in shuffled batches, with the methods of ``tf.data.Dataset``."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pynn.data import elements as el
from pynn.data import iteration as it
from pynn.data.iteration import AUTOTUNE
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.tensor import Tensor
from pynn.utils.random_seed import checked_seed, next_seed

INFINITE_CARDINALITY = -1
UNKNOWN_CARDINALITY = -2


class Dataset:
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

    def __init__(self, source: it.Source, length: int, spec: Callable[[], Any] | None = None):
        self._source = source
        self._length = length
        self._spec = spec

    def _like(self, source: it.Source, length: int | None = None, spec: Callable[[], Any] | None = None) -> Dataset:
        """A data set of elements of the same kind."""
        return Dataset(source, self._length if length is None else length, spec or (lambda: self.element_spec))

    def _changed_length(self, change: Callable[[int], int]) -> int:
        return self._length if self._length < 0 else change(self._length)

    # ---- where data come from ------------------------------------------------------------------------------------

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
            types = _structure(output_types)
            shapes = el.map_leaves(lambda _: None, types) if output_shapes is None else output_shapes
            signature = _beside(types, shapes)
        elif signature is None and output_shapes is not None:
            raise ArgumentError("Dataset.from_generator: output_shapes needs output_types beside it")
        else:
            signature = _structure(signature)

        def source() -> Iterator[Any]:
            values = iter(generator(*(args or ())))
            if signature is None:
                return map(el.element, values)
            return (_conform(_structure_like(value, signature), signature) for value in values)

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

    # ---- one element -> one element --------------------------------------------------------------------------------

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        synchronous: bool | None = None,
        use_unbounded_threadpool: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """``map_func`` of each element; the items of a tuple are its arguments.

        Args:
            map_func: gives an array, or a tuple or dictionary of arrays; layers and ``pynn.ops`` may be used.
            num_parallel_calls: how many threads call it; AUTOTUNE for as many as there are cores.
            deterministic, synchronous, use_unbounded_threadpool: TensorFlow's choices about order and threads.
                Here the order is always kept, so that none of them changes a result.
        """
        call = _caller(map_func)
        threads = _parallel("Dataset.map", num_parallel_calls)

        def source() -> Iterator[Any]:
            if threads is None:
                return map(call, self._source())
            return it.mapped_in_parallel(self._source, call, threads)

        return Dataset(source, self._length, lambda: self._mapped_spec(call))

    def _mapped_spec(self, call: Callable[[Any], Any]) -> Any:
        """From the first element; the first axis varies where that of the batch that it was made of does."""
        first = next(self._source(), None)
        if first is None:
            raise ArgumentError("Dataset.element_spec: the data set is empty, so what map() gives is unknown")
        given = el.leaves(first)[0]
        spec = el.leaves(self.element_spec)[0]
        rows = len(given) if spec.shape and spec.shape[0] is None and given.ndim else None

        def one(array: np.ndarray) -> el.TensorSpec:
            varies = rows is not None and array.ndim and len(array) == rows
            return el.TensorSpec((None, *array.shape[1:]) if varies else array.shape, array.dtype)

        return el.map_leaves(one, call(first))

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """Those elements of which ``predicate`` is true."""
        call = _unpacked(predicate)
        return self._like(lambda: (e for e in self._source() if np.all(call(e))), self._changed_length(_unknown))

    def enumerate(self, start: int = 0, name: str | None = None) -> Dataset:
        """Pairs of a number, counted from ``start``, and an element."""
        return self._like(
            lambda: ((np.asarray(i, "int64"), e) for i, e in enumerate(self._source(), start)),
            spec=lambda: (el.TensorSpec((), "int64"), self.element_spec),
        )

    def take_while(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """Elements up to the first one of which ``predicate`` is false."""
        call = _unpacked(predicate)
        return self._like(
            lambda: itertools.takewhile(lambda e: bool(np.all(call(e))), self._source()), UNKNOWN_CARDINALITY
        )

    # ---- batches ---------------------------------------------------------------------------------------------------

    def batch(
        self,
        batch_size: int,
        drop_remainder: bool = False,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """``batch_size`` elements as one, with a new first axis.

        Args:
            batch_size: how many.
            drop_remainder: leave the last batch out if it is shorter.
            num_parallel_calls, deterministic: TensorFlow's choices about threads; they change no result.

        Raises:
            ShapeError: while iterating, elements differ in shape.
        """
        size = _count("Dataset.batch", "batch_size", batch_size)

        def spec() -> Any:
            rows = size if drop_remainder else None
            return el.map_leaves(lambda s: el.TensorSpec((rows, *(s.shape or ())), s.dtype), self.element_spec)

        return Dataset(
            lambda: map(el.stack, it.groups(self._source, size, drop_remainder)), self._batches(size, drop_remainder),
            spec,
        )  # fmt: skip

    def padded_batch(
        self,
        batch_size: int,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """Like :meth:`batch`, for arrays of different lengths: each axis is filled up at its end.

        Args:
            padded_shapes: the shape of each array in a batch, None (or -1) for the length of the longest; by default
                None for all axes.
            padding_values: what to fill up with, one for each array or one for all; 0 or empty strings by default.

        Example:
            >>> ragged = Dataset.from_generator(lambda: ([1] * n for n in (1, 3)))
            >>> next(iter(ragged.padded_batch(2)))
            array([[1, 0, 0],
                   [1, 1, 1]], dtype=int32)
        """
        size = _count("Dataset.padded_batch", "batch_size", batch_size)

        def make(group: list[Any]) -> Any:
            return el.pad_and_stack(group, padded_shapes, padding_values)

        def spec() -> Any:
            rows = size if drop_remainder else None
            return el.map_leaves(
                lambda s: el.TensorSpec((rows, *(None for _ in s.shape or ())), s.dtype), self.element_spec
            )

        return Dataset(
            lambda: map(make, it.groups(self._source, size, drop_remainder)), self._batches(size, drop_remainder), spec
        )

    def _batches(self, size: int, drop_remainder: bool) -> int:
        return self._changed_length(lambda n: n // size if drop_remainder else -(-n // size))

    def unbatch(self, name: str | None = None) -> Dataset:
        """The rows of each element, one by one."""

        def source() -> Iterator[Any]:
            for batch in self._source():
                for i in range(el.common_length(batch)):
                    yield el.rows(batch, i)

        def spec() -> Any:
            return el.map_leaves(lambda s: el.TensorSpec((s.shape or ())[1:], s.dtype), self.element_spec)

        return Dataset(source, self._changed_length(_unknown), spec)

    def rebatch(self, batch_size: int, drop_remainder: bool = False, name: str | None = None) -> Dataset:
        """Batches of another size."""
        return self.unbatch().batch(batch_size, drop_remainder)

    def window(
        self,
        size: int,
        shift: int | None = None,
        stride: int = 1,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """Data sets of ``size`` elements each, or tuples or dictionaries of them; each begins ``shift`` later.

        Example:
            >>> windows = Dataset.range(5).window(3, shift=1, drop_remainder=True)
            >>> [w.tolist() for w in windows.flat_map(lambda window: window.batch(3))]
            [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
        """
        where = "Dataset.window"
        size, stride = _count(where, "size", size), _count(where, "stride", stride)
        shift = size if shift is None else _count(where, "shift", shift)

        def as_datasets(window: list[Any]) -> Any:
            def one(*items: np.ndarray) -> Dataset:
                return Dataset(lambda: iter(items), len(items))

            return el.map_leaves(one, *window)

        def count(n: int) -> int:
            last = n - (size - 1) * stride if drop_remainder else n
            return max(-(-last // shift), 0)

        return Dataset(
            lambda: map(as_datasets, it.windows(self._source, size, shift, stride, drop_remainder)),
            self._changed_length(count),
        )

    # ---- which elements, and in what order -----------------------------------------------------------------------

    def shuffle(
        self,
        buffer_size: int,
        seed: int | None = None,
        reshuffle_each_iteration: bool = True,
        name: str | None = None,
    ) -> Dataset:
        """Random order: each element is drawn from the next ``buffer_size``.

        Args:
            buffer_size: as many as there are elements for an order in which all are equally likely.
            seed: for the same orders in every run; by default it follows from ``set_random_seed``.
            reshuffle_each_iteration: a new order each time.
        """
        size = _count("Dataset.shuffle", "buffer_size", buffer_size)
        start = checked_seed("Dataset.shuffle", seed)
        start = next_seed() if start is None else start
        number = itertools.count()

        def source() -> Iterator[Any]:
            again = next(number) if reshuffle_each_iteration in (True, None) else 0
            return it.shuffled(self._source, size, np.random.default_rng([start, again]))

        return self._like(source)

    def repeat(self, count: int | None = None, name: str | None = None) -> Dataset:
        """All elements ``count`` times over; None or -1: without end."""
        if count is None or count == -1:
            return self._like(self._without_end, 0 if self._length == 0 else INFINITE_CARDINALITY)
        times = _count("Dataset.repeat", "count", count, least=0)
        length = self._changed_length(lambda n: n * times) if times else 0
        return self._like(lambda: itertools.chain.from_iterable(self._source() for _ in range(times)), length)

    def _without_end(self) -> Iterator[Any]:
        while True:
            empty = True
            for item in self._source():
                empty = False
                yield item
            if empty:  # what is nothing stays nothing
                return

    def take(self, count: int, name: str | None = None) -> Dataset:
        """The first ``count`` elements; -1: all."""
        if count == -1:
            return self._like(self._source)
        n = _count("Dataset.take", "count", count, least=0)
        length = n if self._length == INFINITE_CARDINALITY else self._changed_length(lambda have: min(have, n))
        return self._like(lambda: itertools.islice(self._source(), n), length if n else 0)

    def skip(self, count: int, name: str | None = None) -> Dataset:
        """All but the first ``count`` elements; -1: none."""
        if count == -1:
            return self._like(lambda: iter(()), 0)
        n = _count("Dataset.skip", "count", count, least=0)
        return self._like(
            lambda: itertools.islice(self._source(), n, None), self._changed_length(lambda have: max(have - n, 0))
        )

    def shard(self, num_shards: int, index: int, name: str | None = None) -> Dataset:
        """Every ``num_shards``-th element, beginning with number ``index``."""
        shards = _count("Dataset.shard", "num_shards", num_shards)
        first = _count("Dataset.shard", "index", index, least=0)
        if first >= shards:
            raise ArgumentError(f"Dataset.shard: index must be below num_shards={shards}, received {index}")
        return self._like(
            lambda: itertools.islice(self._source(), first, None, shards),
            self._changed_length(lambda n: len(range(first, n, shards))),
        )

    def concatenate(self, dataset: Dataset, name: str | None = None) -> Dataset:
        """The elements of this data set, then those of another."""
        if not isinstance(dataset, Dataset):
            raise ArgumentError(f"Dataset.concatenate: expected a data set, received {type(dataset).__name__}")
        lengths = self._length, dataset._length
        length = INFINITE_CARDINALITY if -1 in lengths else UNKNOWN_CARDINALITY if -2 in lengths else sum(lengths)
        return self._like(lambda: itertools.chain(self._source(), dataset._source()), length)

    def flat_map(self, map_func: Callable[..., Any], name: str | None = None) -> Dataset:
        """All elements of the data sets that ``map_func`` makes of each element."""
        return self.interleave(map_func, cycle_length=1)

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: int | None = None,
        block_length: int | None = None,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Elements of the data sets that ``map_func`` makes, ``block_length`` from each of ``cycle_length`` in turn.

        ``num_parallel_calls`` and ``deterministic`` are TensorFlow's choices about threads and change no result.
        """
        cycle = 1 if cycle_length in (None, AUTOTUNE) else _count("Dataset.interleave", "cycle_length", cycle_length)
        block = 1 if block_length is None else _count("Dataset.interleave", "block_length", block_length)
        call = _unpacked(map_func)

        def open_one(item: Any) -> Iterator[Any]:
            inner = call(item)
            if not isinstance(inner, Dataset):
                raise ArgumentError(f"Dataset: map_func must give a Dataset here, it gave {type(inner).__name__}")
            return inner._source()

        return Dataset(lambda: it.interleaved(self._source, open_one, cycle, block), UNKNOWN_CARDINALITY)

    # ---- how they are made ---------------------------------------------------------------------------------------

    def cache(self, filename: str = "", name: str | None = None) -> Dataset:
        """Keep the elements in memory once they have all been made.

        Raises:
            ArgumentError: a file name is given; only memory is supported.
        """
        if filename:
            raise ArgumentError(
                f"Dataset.cache: only memory is supported, received filename={filename!r}; call cache() if the "
                "elements fit into memory, or save arrays with numpy.save"
            )
        kept: list[list[Any]] = []

        def source() -> Iterator[Any]:
            return iter(kept[0]) if kept else fill()

        def fill() -> Iterator[Any]:
            made = []
            for item in self._source():
                made.append(item)
                yield item
            kept[:] = [made]

        return self._like(source)

    def prefetch(self, buffer_size: int = AUTOTUNE, name: str | None = None) -> Dataset:
        """Let a thread make up to ``buffer_size`` elements ahead of the one that is needed.

        An error in that thread is raised where the elements are used; the thread ends with the iteration.
        """
        size = 2 if buffer_size in (None, AUTOTUNE) else _count("Dataset.prefetch", "buffer_size", buffer_size, least=0)
        return self._like(lambda: it.prefetched(self._source, size)) if size else self._like(self._source)

    def apply(self, transformation_func: Callable[[Dataset], Any], name: str | None = None) -> Any:
        """``transformation_func(self)``, for chains of methods."""
        return transformation_func(self)

    # ---- reading ---------------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Any]:
        return map(el.tensors, self._source())

    def as_numpy_iterator(self) -> Iterator[Any]:
        """The elements as plain NumPy arrays and numbers."""
        return map(el.arrays, self._source())

    def get_single_element(self, name: str | None = None) -> Any:
        """The only element.

        Raises:
            ArgumentError: there is none, or more than one.
        """
        found = list(itertools.islice(iter(self), 2))
        if len(found) != 1:
            raise ArgumentError(
                f"Dataset.get_single_element: expected one element, there are {'more' if found else 'none'}"
            )
        return found[0]

    def reduce(self, initial_state: Any, reduce_func: Callable[[Any, Any], Any], name: str | None = None) -> Any:
        """``state = reduce_func(state, element)`` for all elements.

        Example:
            >>> int(Dataset.range(5).reduce(0, lambda total, n: total + n))
            10
        """
        state = el.tensors(el.element(initial_state))
        for item in self:
            state = el.tensors(el.element(reduce_func(state, item)))
        return state

    @property
    def element_spec(self) -> Any:
        """A :class:`TensorSpec` for each array of an element; where only the data can tell, from the first one."""
        if self._spec is None:
            first = next(self._source(), None)
            if first is None:
                raise ArgumentError("Dataset.element_spec: the data set is empty, so its elements are unknown")
            spec = el.spec_of(first)
            self._spec = lambda: spec
        else:
            spec = self._spec()
            self._spec = lambda: spec
        return spec

    def cardinality(self, name: str | None = None) -> Tensor:
        """How many elements there are; INFINITE_CARDINALITY is -1, UNKNOWN_CARDINALITY is -2."""
        return np.asarray(self._length, "int64").view(Tensor)

    def __len__(self) -> int:
        if self._length == INFINITE_CARDINALITY:
            raise TypeError("the data set is infinite and has no length")
        if self._length == UNKNOWN_CARDINALITY:
            raise TypeError("the length of the data set is unknown until it has been read")
        return self._length

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        names = {INFINITE_CARDINALITY: "infinite", UNKNOWN_CARDINALITY: "unknown"}
        return f"<{type(self).__name__} length={names.get(self._length, self._length)}>"


def _unknown(length: int) -> int:
    return UNKNOWN_CARDINALITY


def _unpacked(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """``function`` of an element; a tuple's items are its arguments."""

    def call(item: Any) -> Any:
        item = el.tensors(item)
        return function(*item) if isinstance(item, tuple) else function(item)

    return call


def _caller(function: Callable[..., Any]) -> Callable[[Any], Any]:
    call = _unpacked(function)
    return lambda item: el.element(call(item))


def _count(where: str, argument: str, value: Any, least: int = 1) -> int:
    number = value.item() if isinstance(value, np.ndarray | np.generic) and np.size(value) == 1 else value
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise ArgumentError(f"{where}: {argument} must be a whole number from {least} up, received {value!r}")
    return number


def _parallel(where: str, value: Any) -> int | None:
    return value if value is None or value == AUTOTUNE else _count(where, "num_parallel_calls", value)


def _structure(types: Any) -> Any:
    """Lists in a signature stand for tuples."""
    return tuple(map(_structure, types)) if isinstance(types, list) else types


def _beside(types: Any, shapes: Any) -> Any:
    """The TensorSpecs of dtypes and shapes in the same structure, where a tuple of lengths is a shape."""
    if isinstance(types, dict):
        return {key: _beside(t, shapes[key]) for key, t in types.items()}
    if isinstance(types, tuple):
        return tuple(_beside(t, s) for t, s in zip(types, shapes, strict=True))
    return el.TensorSpec(shapes, types)


def _structure_like(value: Any, signature: Any) -> Any:
    """A generator may give lists where the signature has tuples."""
    return tuple(value) if isinstance(signature, tuple) and isinstance(value, list) else value


def _conform(value: Any, signature: Any) -> Any:
    def one(spec: Any, leaf: Any) -> np.ndarray:
        dtype, shape = el.dtype_name(spec.dtype), getattr(spec, "shape", None)
        array = el.as_array(leaf)
        if dtype == "string":
            array = array if array.dtype.kind in "USO" else array.astype(str)
        else:
            array = array.astype(dtype, copy=False)
        wanted = el.TensorSpec(None if shape is None else tuple(shape), dtype)
        if not wanted.fits(array):
            raise ShapeError(
                f"Dataset.from_generator: the generator gave an array of shape {array.shape}, the signature says "
                f"{wanted.shape}"
            )
        return array

    try:
        if isinstance(signature, tuple) and len(value) != len(signature):
            raise TypeError
        return el.map_leaves(one, signature, value)
    except (KeyError, IndexError, TypeError):
        raise ArgumentError(
            f"Dataset.from_generator: the generator gave {type(value).__name__}, which has not the structure of the "
            f"signature {signature!r}"
        ) from None
