"""The batches of one rank: its part of each batch, with the same interface as those of ``pynn.models.batches``.

A rank whose part of a short batch is empty computes on one row that does not count (its share is 0), because all
ranks have to take part in each step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn.distribute.data_parallel import DataParallel, part_of
from pynn.errors import ArgumentError
from pynn.models.batches import ArrayBatches, Batches
from pynn.models.layout import Layout

if TYPE_CHECKING:
    from pynn.models.columns import Columns


class RankArrayBatches(ArrayBatches):
    """A rank's part of the batches of arrays that all ranks have.

    The order of the rows is that of one process: all ranks draw it from the same random numbers.
    """

    def __init__(
        self, ranks: DataParallel, columns: Columns, batch_size: int | None, shuffle: bool | str, steps: int | None
    ):
        self._ranks = ranks
        super().__init__(columns, batch_size, shuffle, steps)

    def _divide(self, batch_size: int) -> tuple[int, int]:
        self._sizes = [min(batch_size, self.rows - start) for start in range(0, self.rows, batch_size)]
        self._parts = [part_of(size, self._ranks.rank, self._ranks.size) for size in self._sizes]
        return max(1, _length(self._parts[0])), len(self._sizes)

    def _order(self) -> np.ndarray:
        order = super()._order()
        rows = np.arange(self.rows) if order is None else order
        mine = []
        for i, part in enumerate(self._parts):
            batch = rows[i * self._size : (i + 1) * self._size]
            mine.append(batch[part] if _length(part) else batch[:1])
        return np.concatenate(mine)

    def next(self) -> list[np.ndarray] | None:
        step = self._at
        arrays = super().next()
        if arrays is not None:
            self.own_rows = _length(self._parts[step])
            self.share = self.own_rows / self._sizes[step]
        return arrays


class RankBatches:
    """A rank's part of batches that come from a generator, a data set or another iterable.

    All ranks iterate over the same source, and each takes its rows of every batch; or (``auto_shard_dataset=False``)
    each has a source of its own, whose batches are its part, and an epoch ends when the first source does.
    """

    rows = None
    changed = True
    share: float | None = None
    own_rows: int | None = None

    def __init__(self, ranks: DataParallel, source: Batches):
        self._ranks, self._source = ranks, source
        self._seen = 0

    @property
    def steps(self) -> int | None:
        return self._source.steps

    @property
    def layout(self) -> Layout:
        return self._source.layout

    def cap(self, most: int) -> bool:
        """Give at most so many batches per epoch; tells whether that is a change."""
        return self._source.cap(most)

    def begin_epoch(self, again: bool = False) -> None:
        """Start an epoch; ``again``: from the beginning of the data, if that is possible."""
        self._source.begin_epoch(again)
        self._seen = 0

    def next(self) -> Sequence[np.ndarray] | None:
        """The feeds of this rank's next step; None at the end of the epoch."""
        arrays = self._source.next()
        counts = self._ranks.counts(0 if arrays is None else len(arrays[0]))
        self._seen += 1
        if not self._ranks.auto_shard_dataset:
            if arrays is None or not counts.all():
                return None
            self.own_rows = len(arrays[0])
            self.share = self.own_rows / int(counts.sum())
            return arrays
        if len(set(counts.tolist())) > 1:
            raise ArgumentError(
                f"batch {self._seen - 1}: the ranks received {', '.join(map(str, counts))} rows: with "
                "auto_shard_dataset=True all of them must be given the same batches, of which each takes its part; if "
                "every rank has data of its own, use DataParallel(auto_shard_dataset=False)"
            )
        if arrays is None:
            return None
        part = part_of(len(arrays[0]), self._ranks.rank, self._ranks.size)
        self.own_rows = _length(part)
        self.share = self.own_rows / len(arrays[0])
        return [array[part] if self.own_rows else array[:1] for array in arrays]

    def ahead(self) -> Any:
        """A task that makes the next batch meanwhile, if the source has one."""
        return self._source.ahead()

    def end_epoch(self) -> None:
        """Tell the data set."""
        self._source.end_epoch()


def own_array_batches(
    ranks: DataParallel, columns: Columns, batch_size: int | None, shuffle: bool | str, steps: int | None
) -> Any:
    """The batches of a rank for arrays: of all ranks, or (``auto_shard_dataset=False``) of its own."""
    if ranks.auto_shard_dataset:
        return RankArrayBatches(ranks, columns, batch_size, shuffle, steps)
    rows = ranks.counts(len(columns.arrays[0]))
    if len(set(rows.tolist())) > 1:
        raise ArgumentError(
            f"{columns.names[0]}: with auto_shard_dataset=False every rank gives its own rows, as many as the others; "
            f"received {', '.join(map(str, rows))}. Leave the rest out, or give all ranks the same arrays"
        )
    if batch_size is None:
        batch_size = 32 if steps is None else -(-int(rows.sum()) // steps)
    if batch_size % ranks.size:
        raise ArgumentError(
            f"batch_size={batch_size} cannot be divided evenly among {ranks.size} ranks, as auto_shard_dataset=False "
            f"needs; use {-(-batch_size // ranks.size) * ranks.size}"
        )
    return RankBatches(ranks, ArrayBatches(columns, batch_size // ranks.size, shuffle, steps))


def own_rows(ranks: DataParallel, feeds: Sequence[np.ndarray]) -> tuple[list[np.ndarray], float]:
    """A rank's part of one batch that all ranks have, and its share of the rows."""
    part = part_of(len(feeds[0]), ranks.rank, ranks.size)
    count = _length(part)
    return [array[part] if count else array[:1] for array in feeds], count / len(feeds[0])


def _length(part: slice) -> int:
    return int(part.stop - part.start)
