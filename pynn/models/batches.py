"""Where the batches of a run come from: arrays that are cut up, or something that gives batches by itself.

Both kinds are used in the same way::

    batches.begin_epoch()
    while (arrays := batches.next()) is not None:
        step.program(arrays, batches.ahead())   # ahead(): what idle threads may do for the next batch meanwhile
    batches.end_epoch()
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pynn.data.batcher import Batcher
from pynn.data.packing import unpack_x_y_sample_weight
from pynn.errors import ArgumentError, DtypeError, ShapeError
from pynn.models.columns import Columns
from pynn.models.layout import Layout
from pynn.utils.callers import users_line
from pynn.utils.random_seed import generator

if TYPE_CHECKING:
    from pynn.utils.py_dataset import PyDataset

#: What a batch is made into: its feeds, and what they mean.
Prepare = Callable[[Any, Any, Any], tuple[Sequence[np.ndarray], Layout]]


class Batches(Protocol):
    """What the loops use; see :class:`ArrayBatches`."""

    changed: bool
    share: float | None
    own_rows: int | None

    @property
    def steps(self) -> int | None: ...
    @property
    def layout(self) -> Layout: ...
    def cap(self, most: int) -> bool: ...
    def begin_epoch(self, again: bool = False) -> None: ...
    def next(self) -> Sequence[np.ndarray] | None: ...
    def ahead(self) -> Any: ...
    def end_epoch(self) -> None: ...


class ArrayBatches:
    """Batches of arrays; while one step runs, its idle threads fill the next batch.

    Args:
        columns: the arrays, checked.
        batch_size: rows in a batch; by default 32, or what makes ``steps`` batches.
        shuffle: False, True (a new order of all rows in each epoch), or ``"batch"`` (only inside each batch).
        steps: batches in an epoch, if not all: the next epoch goes on where this one ends.

    Attributes:
        steps: how many batches an epoch has.
        rows: how many samples there are.
        changed: whether the latest batch may have another signature than the one before.
        share: the part of the rows of the latest batch that this process has, where several train together.
        own_rows: how many these are; None if they are all.
    """

    share: float | None = None
    own_rows: int | None = None

    def __init__(self, columns: Columns, batch_size: int | None, shuffle: bool | str = False, steps: int | None = None):
        self.layout = columns.layout
        self.rows = len(columns.arrays[0])
        if batch_size is None:
            batch_size = 32 if steps is None else -(-self.rows // steps)
        self._size = min(batch_size, self.rows)
        own_size, self._all = self._divide(self._size)
        self._batcher = Batcher(columns.arrays, columns.dtypes, own_size, names=columns.names)
        self._shuffle = shuffle
        self._limit = steps
        self.steps: int | None = self._all if steps is None else steps
        self.changed = True
        self._at = self._left = 0
        self._filled = self._began = False

    def _divide(self, batch_size: int) -> tuple[int, int]:
        """Rows in a batch of this process, and how many batches there are."""
        return batch_size, -(-self.rows // batch_size)

    def cap(self, most: int) -> bool:
        """Give at most so many batches per epoch; tells whether that is a change."""
        if self.steps is not None and self.steps <= most:
            return False
        self.steps = self._limit = most
        return True

    def begin_epoch(self, again: bool = False) -> None:
        """Start an epoch; ``again``: from the beginning of the data, in any case."""
        if again or self._limit is None or self._at >= self._all or not self._began:
            self._began = True
            self._at = 0
            self._batcher.begin_epoch(self._order())
        self._left = self._all if self._limit is None else self._limit
        self._filled = False

    def _order(self) -> np.ndarray | None:
        if not self._shuffle:
            return None
        if self._shuffle == "batch":
            starts = range(0, self.rows, self._size)
            sizes = [min(self._size, self.rows - first) for first in starts]
            return np.concatenate([a + generator().permutation(n) for a, n in zip(starts, sizes, strict=True)])
        return generator().permutation(self.rows)

    def next(self) -> list[np.ndarray] | None:
        """The arrays of the next batch; None at the end of the epoch."""
        step = self._at
        if not self._left:
            return None
        if step == self._all:
            warn_of_the_end()
            return None
        arrays = self._batcher.buffers(step) if self._filled else self._batcher.fill(step)
        self._filled = False
        self.changed = step == self._all - 1
        self._at += 1
        self._left -= 1
        return arrays

    def ahead(self) -> Any:
        """A task that fills the batch that comes next."""
        if not self._left or self._at == self._all:
            return None
        self._filled = True
        return self._batcher.task(self._at)

    def end_epoch(self) -> None:
        """Nothing is left to do."""


class IteratedBatches:
    """Batches that a generator, a :class:`~pynn.utils.PyDataset` or another iterable makes.

    Args:
        source: called for a new iterator; an iterator that cannot begin again comes as ``lambda: iterator``.
        prepare: makes feeds of a batch.
        length: batches until the source ends, if known.
        steps: batches in an epoch, if not all: the next epoch goes on where this one ends.
        dataset: is told where epochs begin and end.

    Attributes:
        steps: how many batches an epoch has; None while that is unknown.
        layout: of the latest batch.
    """

    rows = None
    changed = True
    share: float | None = None
    own_rows: int | None = None
    layout: Layout

    def __init__(
        self,
        source: Callable[[], Iterator[Any]],
        prepare: Prepare,
        argument: str,
        length: int | None = None,
        steps: int | None = None,
        dataset: PyDataset | None = None,
    ):
        self._source, self._prepare, self._argument, self._dataset = source, prepare, argument, dataset
        self._limit = steps
        self.steps = steps if steps is not None else length
        self._iterator: Iterator[Any] | None = None
        self._ahead: Callable[[], Any] | None = None
        self._seen = 0
        self._ended = True

    def cap(self, most: int) -> bool:
        """Give at most so many batches per epoch; tells whether that is a change."""
        if self.steps is not None and self.steps <= most:
            return False
        self.steps = self._limit = most
        return True

    def begin_epoch(self, again: bool = False) -> None:
        """Start an epoch; ``again``: from the beginning of the data, if that is possible."""
        if self._dataset is not None:
            self._dataset.on_epoch_begin()
        if again or self._limit is None or self._ended:
            self._iterator, self._ended = iter(self._source()), False
            self._ahead = getattr(self._iterator, "ahead", None)
        self._seen = 0

    def next(self) -> Sequence[np.ndarray] | None:
        """The feeds of the next batch; None at the end of the epoch."""
        if self._limit is not None and self._seen == self._limit:
            return None
        assert self._iterator is not None
        try:
            batch = next(self._iterator)
        except StopIteration:
            self._ended = True
            if self._limit is not None and self._seen:
                warn_of_the_end()
            elif self.steps is None:
                self.steps = self._seen
            return None
        self._seen += 1
        try:
            arrays, self.layout = self._prepare(*unpack_x_y_sample_weight(batch))
        except (ArgumentError, DtypeError, ShapeError) as error:
            raise type(error)(f"batch {self._seen - 1} of {self._argument}: {error}") from None
        return arrays

    def ahead(self) -> Any:
        """A task that makes the next batch, if the source has one for idle threads; most have workers of their own."""
        return None if self._ahead is None else self._ahead()

    def end_epoch(self) -> None:
        """Tell the data set."""
        if self._dataset is not None:
            self._dataset.on_epoch_end()


def makes_batches(x: Any) -> bool:
    """Whether ``x`` gives batches when it is iterated over, as opposed to an array or a structure of arrays."""
    if isinstance(x, list | tuple | dict | str | bytes | range | None | np.ndarray):
        return False
    if any(hasattr(x, name) for name in ("shape", "to_numpy", "__array__", "__array_interface__")):
        return False
    return hasattr(x, "__iter__") or hasattr(x, "num_batches")


def iterated(
    x: Any, prepare: Prepare, argument: str = "x", shuffle: bool | str = False, steps: int | None = None
) -> IteratedBatches:
    """Batches of something that :func:`makes_batches`."""
    from pynn.data.image_batches import ImageBatches
    from pynn.utils.py_dataset import PyDataset

    if isinstance(x, PyDataset):
        count = x.num_batches

        def order() -> Iterator[Any]:
            numbers = None if count is None else generator().permutation(count) if shuffle else np.arange(count)
            return x.batches(numbers)

        return IteratedBatches(order, prepare, argument, count, steps, x)
    if isinstance(x, ImageBatches):
        return IteratedBatches(x.beside_steps, prepare, argument, len(x), steps)
    if hasattr(x, "__next__"):
        return IteratedBatches(lambda: x, prepare, argument, steps=steps)
    try:
        length: int | None = len(x)
    except TypeError:  # it has none, or it is infinite
        length = None
    return IteratedBatches(lambda: iter(x), prepare, argument, length, steps)


def warn_of_the_end() -> None:
    """Say that there were fewer batches than asked for."""
    warnings.warn(
        "the input ran out of data, so training or evaluation ends early: the dataset or generator must give at least "
        "steps_per_epoch * epochs batches; let it repeat, or ask for fewer steps",
        stacklevel=users_line(),
    )
