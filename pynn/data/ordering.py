"""Steps of a pipeline that choose which elements come, in what order, and who makes them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn.data import iteration as it
from pynn.data.pipeline import (
    AUTOTUNE,
    INFINITE_CARDINALITY,
    UNKNOWN_CARDINALITY,
    Pipeline,
    unpacked,
    whole_number,
)
from pynn.errors import ArgumentError
from pynn.utils.random_seed import checked_seed, next_seed

if TYPE_CHECKING:
    from pynn.data.dataset import Dataset


class Ordering(Pipeline):
    """Orders, parts, repetitions and joins; caches and threads."""

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
        size = whole_number("Dataset.shuffle", "buffer_size", buffer_size)
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
        times = whole_number("Dataset.repeat", "count", count, least=0)
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
        n = whole_number("Dataset.take", "count", count, least=0)
        length = n if self._length == INFINITE_CARDINALITY else self._changed_length(lambda have: min(have, n))
        return self._like(lambda: itertools.islice(self._source(), n), length if n else 0)

    def skip(self, count: int, name: str | None = None) -> Dataset:
        """All but the first ``count`` elements; -1: none."""
        if count == -1:
            return self._like(lambda: iter(()), 0)
        n = whole_number("Dataset.skip", "count", count, least=0)
        return self._like(
            lambda: itertools.islice(self._source(), n, None), self._changed_length(lambda have: max(have - n, 0))
        )

    def shard(self, num_shards: int, index: int, name: str | None = None) -> Dataset:
        """Every ``num_shards``-th element, beginning with number ``index``."""
        shards = whole_number("Dataset.shard", "num_shards", num_shards)
        first = whole_number("Dataset.shard", "index", index, least=0)
        if first >= shards:
            raise ArgumentError(f"Dataset.shard: index must be below num_shards={shards}, received {index}")
        return self._like(
            lambda: itertools.islice(self._source(), first, None, shards),
            self._changed_length(lambda n: len(range(first, n, shards))),
        )

    def concatenate(self, dataset: Dataset, name: str | None = None) -> Dataset:
        """The elements of this data set, then those of another."""
        if not isinstance(dataset, Pipeline):
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
        cycle = (
            1 if cycle_length in (None, AUTOTUNE) else whole_number("Dataset.interleave", "cycle_length", cycle_length)
        )
        block = 1 if block_length is None else whole_number("Dataset.interleave", "block_length", block_length)
        call = unpacked(map_func)

        def open_one(item: Any) -> Iterator[Any]:
            inner = call(item)
            if not isinstance(inner, Pipeline):
                raise ArgumentError(f"Dataset: map_func must give a Dataset here, it gave {type(inner).__name__}")
            return inner._source()

        return self._new(lambda: it.interleaved(self._source, open_one, cycle, block), UNKNOWN_CARDINALITY)

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
        size = (
            2
            if buffer_size in (None, AUTOTUNE)
            else whole_number("Dataset.prefetch", "buffer_size", buffer_size, least=0)
        )
        made = self._like(lambda: it.prefetched(self._source, size)) if size else self._like(self._source)
        return self._then(lambda dataset: dataset.prefetch(size), made)

    def apply(self, transformation_func: Callable[[Any], Any], name: str | None = None) -> Any:
        """``transformation_func(self)``, for chains of methods."""
        return transformation_func(self)
