"""Batches out of arrays, in any order, while the step before is still running.

A :class:`Batcher` owns two sets of batch buffers.  While a compiled step reads one set, the idle threads of
that very step fill the other: ``task(step)`` is a capsule for ``Program.run(inputs, background=...)``.  Where
nothing has to be copied (rows in order, right dtype) the step reads the user's array itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.data import _batching
from pynn.data.augmentation import Augmentation
from pynn.errors import ArgumentError, DtypeError, ShapeError
from pynn.graph.ir import DTYPES
from pynn.graph.variable import aligned_empty

BUFFER_SETS = 2


class Batcher:
    """Cuts arrays of equal length into batches of the wanted dtypes.

    Values keep their size: uint8 pixels become 0.0 to 255.0.  Arrays of float32, float64, bool and the
    integers up to 64 bits are converted batch by batch, so they take no memory beside two batches.  Others
    (not C-contiguous, not in this machine's byte order, float16, or a rarer pair of dtypes) are converted
    whole, once, here: that copy lives as long as the Batcher.

    Args:
        arrays: the data, each ``(n, ...)`` with the same ``n``.
        dtypes: what each becomes, ``"float32"``, ``"int32"``, ...
        batch_size: rows in a batch; the last one of an epoch may be shorter.
        one_hot: for each array the number of classes if its integer labels ``(n,)`` or ``(n, 1)`` shall
            become rows ``(n, classes)`` of zeros and a one, else None.
        names: what messages call the arrays.
        images: what happens to the rows of the first array, which are uint8 or float32 images (height, width,
            channels) and become float32.

    Raises:
        ShapeError: lengths differ, an array is empty or has no first axis.
        DtypeError: an array of objects, strings or the like, or a value that its new dtype cannot hold.
        ArgumentError: any other wrong argument.

    Example:
        >>> batches = Batcher([np.arange(6, dtype=np.uint8)], ["float32"], batch_size=4)
        >>> batches.begin_epoch(np.array([5, 4, 3, 2, 1, 0]))
        >>> [batches.fill(step)[0].tolist() for step in range(batches.steps)]
        [[5.0, 4.0, 3.0, 2.0], [1.0, 0.0]]
    """

    def __init__(
        self,
        arrays: Sequence[np.ndarray],
        dtypes: Sequence[str],
        batch_size: int,
        *,
        one_hot: Sequence[int | None] | None = None,
        names: Sequence[str] | None = None,
        images: Augmentation | None = None,
    ):
        depths = [None] * len(arrays) if one_hot is None else list(one_hot)
        self.names = [f"arrays[{i}]" for i in range(len(arrays))] if names is None else list(names)
        for label, given in (("dtypes", dtypes), ("one_hot", depths), ("names", self.names)):
            if len(given) != len(arrays):
                raise ArgumentError(f"Batcher: {label} has {len(given)} entries for {len(arrays)} arrays")
        if not arrays:
            raise ArgumentError("Batcher: needs at least one array, received none")
        if not isinstance(batch_size, (int, np.integer)) or isinstance(batch_size, bool) or batch_size < 1:
            raise ArgumentError(f"Batcher: batch_size must be an integer from 1 up, received {batch_size!r}")

        sources = [np.asarray(array) for array in arrays]
        _check_lengths(self.names, sources)
        self.rows = len(sources[0])
        self.batch_size = int(batch_size)
        self.dtypes = [str(dtype) for dtype in dtypes]
        self._depths = depths
        self._images = images
        #: The arrays that are read, after any conversion of the whole.
        self._sources = [
            _prepare(name, source, dtype, depth)
            for name, source, dtype, depth in zip(self.names, sources, self.dtypes, depths, strict=True)
        ]
        #: Whether a run of rows can be used where it lies.
        self._direct = [
            depth is None and source.dtype == dtype and not (i == 0 and images)
            for i, (source, dtype, depth) in enumerate(zip(self._sources, self.dtypes, depths, strict=True))
        ]
        self._allocate(min(self.batch_size, self.rows))
        self.begin_epoch(None)

    def _allocate(self, rows: int) -> None:
        """Make the buffer sets, of ``rows`` rows, and what fills them."""
        shapes = [
            (rows, *source.shape[1:]) if depth is None else (rows, depth)
            for source, depth in zip(self._sources, self._depths, strict=True)
        ]
        self._room = rows
        self._full = [
            [aligned_empty(shape, dtype) for shape, dtype in zip(shapes, self.dtypes, strict=True)]
            for _ in range(BUFFER_SETS)
        ]
        # Per buffer set one Gather for shuffled epochs (all arrays) and one for epochs in order (those that
        # convert).
        self._shuffled = [self._gather(buffers, everything=True) for buffers in self._full]
        self._ordered = [self._gather(buffers, everything=False) for buffers in self._full]
        self._shuffled_capsules = [gather.capsule() for gather in self._shuffled]
        self._ordered_capsules = [gather.capsule() for gather in self._ordered]

    def _gather(self, buffers: list[np.ndarray], everything: bool) -> _batching.Gather:
        gather = _batching.Gather(len(buffers))
        columns = zip(self._sources, buffers, self._direct, self._depths, strict=True)
        for i, (source, buffer, direct, depth) in enumerate(columns):
            rows, places = source.reshape(self.rows, -1), buffer.reshape(len(buffer), -1)
            if i == 0 and self._images is not None:
                gather.add_images(rows, places, source.shape[1:], self._images)
            elif everything or not direct:
                gather.add(rows, places, depth is not None)
        return gather

    def begin_epoch(self, order: np.ndarray | None, key: int = 0) -> None:
        """Start over.  No task of the epoch before may still be running.

        Args:
            order: the row numbers in the order in which they shall come, any number of them, repeated if you
                like (it is copied); None: every row once, as they lie.
            key: of the random changes of images (``image_reference.epoch_key``).
        """
        if order is None:
            self._order = None
            count = self.rows
        else:
            self._order = _checked_order(order, self.rows)
            count = len(self._order)
            if min(self.batch_size, count) > self._room:  # rows that repeat may fill larger batches than the data
                self._allocate(min(self.batch_size, count))
            for gather in self._shuffled:
                gather.set_order(self._order)
        self._count = count
        #: Number of batches in the epoch.
        self.steps = -(-count // self.batch_size)
        rest = count - (self.steps - 1) * self.batch_size
        self._short = [[buffer[:rest] for buffer in buffers] for buffers in self._full]
        in_order = self._order is None
        self._gathers = self._ordered if in_order else self._shuffled
        for gather in self._gathers:
            gather.set_key(key)
        self._capsules = self._ordered_capsules if in_order else self._shuffled_capsules
        self._nothing_to_copy = in_order and all(self._direct)

    def rows_in(self, step: int) -> int:
        """Number of rows in batch ``step``."""
        return min(self.batch_size, self._count - self._first(step))

    def buffers(self, step: int) -> list[np.ndarray]:
        """The arrays of batch ``step``, one for each source.

        Their content is there once ``fill(step)`` or the task of ``task(step)`` has been done, and until step
        + 2 is filled.  Arrays of an epoch in order that need no conversion are slices of the source itself:
        only read them.
        """
        first = self._first(step)
        set_of_buffers = (self._short if step == self.steps - 1 else self._full)[step % BUFFER_SETS]
        if self._order is not None:
            return list(set_of_buffers)
        last = min(first + self.batch_size, self._count)
        return [
            source[first:last] if direct else buffer
            for source, buffer, direct in zip(self._sources, set_of_buffers, self._direct, strict=True)
        ]

    def task(self, step: int) -> Any | None:
        """A background capsule that fills ``buffers(step)``; None if there is nothing to copy.

        The capsule is used again for step + 2: do its work before asking for that.
        """
        first = self._first(step)
        if self._nothing_to_copy:
            return None
        self._gathers[step % BUFFER_SETS].start(first, min(self.batch_size, self._count - first))
        return self._capsules[step % BUFFER_SETS]

    def fill(self, step: int) -> list[np.ndarray]:
        """Fill batch ``step`` now, on this thread, and return its arrays."""
        capsule = self.task(step)
        if capsule is not None:
            _batching.run_task(capsule)
        return self.buffers(step)

    def _first(self, step: int) -> int:
        if not 0 <= step < self.steps:
            raise ArgumentError(f"Batcher: step must be from 0 to {self.steps - 1}, received {step}")
        return step * self.batch_size

    def __repr__(self) -> str:
        parts = ", ".join(
            f"{name} {source.dtype}{source.shape} -> {buffer.dtype}"
            for name, source, buffer in zip(self.names, self._sources, self._full[0], strict=True)
        )
        return f"<Batcher {parts}; {self.steps} batches of {self.batch_size}>"


def _check_lengths(names: Sequence[str], sources: Sequence[np.ndarray]) -> None:
    for name, source in zip(names, sources, strict=True):
        if source.ndim == 0 or source.size == 0:
            raise ShapeError(f"'{name}': needs at least one row of at least one number, received shape {source.shape}")
    if len({len(source) for source in sources}) > 1:
        given = ", ".join(f"'{name}' {len(source)}" for name, source in zip(names, sources, strict=True))
        raise ShapeError(f"all arrays must have the same number of rows, received: {given}")


def _checked_order(order: np.ndarray, rows: int) -> np.ndarray:
    order = np.asarray(order)
    if order.ndim != 1 or len(order) == 0 or order.dtype.kind not in "iu":
        raise ArgumentError(
            f"order: must be integer row numbers in one axis, received {order.dtype} of shape {order.shape}"
        )
    order = np.array(order, np.int64)  # a copy: it has been checked, nobody else may change it
    bad = _batching.check_rows(order, rows)
    if bad >= 0:
        raise ArgumentError(f"order[{bad}] is {order[bad]}, but the arrays have rows 0 to {rows - 1}")
    return order


def _prepare(name: str, source: np.ndarray, dtype: str, depth: int | None) -> np.ndarray:
    """``source`` as something that can be gathered: itself if possible, else a converted copy."""
    if dtype not in DTYPES:
        raise ArgumentError(f"'{name}': the target dtype must be one of {', '.join(DTYPES)}, received {dtype!r}")
    if source.dtype.kind not in "fiub":
        hint = ""
        if source.dtype.kind == "O":
            hint = "; it probably holds rows of different lengths: pad them to one length"
        elif source.dtype.kind in "US":
            hint = "; turn texts or class names into numbers first"
        raise DtypeError(f"'{name}': needs numbers or booleans, received dtype {source.dtype}{hint}")
    if depth is not None:
        return _prepare_labels(name, source, dtype, depth)
    if dtype == "bool":  # what is not 0 is True, as in NumPy and Keras
        return np.require(source, bool, ["C", "A"])
    if source.dtype == bool:  # one byte each, 0 or 1, and thus also a uint8 array
        source = source.view(np.uint8)
    check_values(name, source, dtype)
    # In the machine's own byte order, C-contiguous and aligned; all no-ops for ordinary arrays.
    source = np.require(source, source.dtype.newbyteorder("="), ["C", "A"])
    if not _batching.converts(str(source.dtype), dtype):
        source = source.astype(dtype)
    return source


def _prepare_labels(name: str, source: np.ndarray, dtype: str, depth: int) -> np.ndarray:
    if dtype != "float32":
        raise ArgumentError(f"'{name}': one-hot rows are float32, received the target dtype {dtype!r}")
    if source.dtype.kind not in "iu":
        raise DtypeError(f"'{name}': one_hot needs integer labels, received dtype {source.dtype}")
    if source.size != len(source):
        raise ShapeError(f"'{name}': one_hot needs one label a row, shape (n,) or (n, 1), received {source.shape}")
    low, high = int(source.min()), int(source.max())
    if low < 0 or high >= depth:
        raise ArgumentError(f"'{name}': has labels from {low} to {high}, but one_hot={depth} allows 0 to {depth - 1}")
    kept = source.dtype.newbyteorder("=") if source.dtype.itemsize < 8 else np.dtype(np.int64)
    return np.require(source, kept, ["C", "A"])


def check_values(name: str, source: np.ndarray, dtype: str) -> None:
    """Refuse integers that the target cannot hold; a wrapped-around label would be a silent disaster."""
    target = np.dtype(dtype)
    if target.kind in "fb" or np.can_cast(source.dtype, target):
        return
    if source.dtype.kind == "f" and not np.array_equal(source, np.trunc(source)):
        raise DtypeError(
            f"'{name}': has dtype {source.dtype} and values that are not whole, so it cannot become {dtype}"
        )
    low, high = source.min(), source.max()
    limits = np.iinfo(target)
    if not (limits.min <= low.item() and high.item() <= limits.max):
        raise DtypeError(
            f"'{name}': has values from {low} to {high}, but {dtype} holds {limits.min} to {limits.max} only"
        )
