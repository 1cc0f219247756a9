"""Batches made by the user's code, numbered, so that workers can make several at a time."""

from __future__ import annotations

import itertools
import multiprocessing
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from pynn.errors import ArgumentError


class PyDataset:
    """Base of data sets that make batch number ``i`` in ``__getitem__(i)`` and say in ``__len__`` how many there are.

    ``fit`` asks for each batch once per epoch, in a new order each time if it shuffles.  An infinite data set has a
    property ``num_batches`` that gives None, and needs ``steps_per_epoch``.

    Args:
        workers: how many threads, or processes, make batches ahead of the step that needs them; with 0, and with 1
            without processes, batches are made when they are needed.
        use_multiprocessing: workers are processes, forked where the system can do that: for batches that take
            Python's own time to make, which threads would take turns at.
        max_queue_size: how many batches may be ready or under way.

    Example:
        >>> import numpy as np
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         x = np.full((4, 1), index)
        ...         return x, x**2
        >>> [int(y[0, 0]) for x, y in Squares(workers=2)]
        [0, 1, 4]
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        for argument, value, least in (("workers", workers, 0), ("max_queue_size", max_queue_size, 1)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ArgumentError(
                    f"{type(self).__name__}: {argument} must be a whole number from {least} up, received {value!r}"
                )
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getattr__(self, name: str) -> Any:
        """Defaults for classes whose ``__init__`` forgets to call this one."""
        defaults = {"workers": 1, "use_multiprocessing": False, "max_queue_size": 10}
        if name not in defaults:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute {name!r}")
        warnings.warn(
            f"{type(self).__name__}.__init__ should call super().__init__(**kwargs), which takes workers, "
            "use_multiprocessing and max_queue_size",
            stacklevel=2,
        )
        self.__dict__.update(defaults)
        return defaults[name]

    def __getitem__(self, index: int) -> Any:
        """Batch number ``index``: ``(x, y)``, ``(x, y, sample_weight)`` or ``(x,)``."""
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(index), which gives a batch")

    @property
    def num_batches(self) -> int | None:
        """How many batches there are, by default ``len(self)``; None: without end."""
        if not hasattr(self, "__len__"):
            raise NotImplementedError(f"{type(self).__name__} must define __len__() or a property num_batches")
        return len(self)

    def on_epoch_begin(self) -> None:
        """Called before an epoch."""

    def on_epoch_end(self) -> None:
        """Called after an epoch."""

    def __iter__(self) -> Iterator[Any]:
        return self.batches()

    def batches(self, numbers: Iterable[int] | None = None) -> Iterator[Any]:
        """The batches of these numbers, in this order; by default all, from 0 up."""
        if numbers is None:
            count = self.num_batches
            numbers = itertools.count() if count is None else range(count)
        numbers = (int(number) for number in numbers)
        if not self.workers or (self.workers == 1 and not self.use_multiprocessing):
            return (self[number] for number in numbers)
        return self._made_ahead(numbers)

    def _made_ahead(self, numbers: Iterator[int]) -> Iterator[Any]:
        with self._executor() as executor:
            pending: deque[Future[Any]] = deque()
            try:
                for number in itertools.islice(numbers, self.max_queue_size):
                    pending.append(self._submit(executor, number))
                while pending:
                    yield pending.popleft().result()
                    for number in itertools.islice(numbers, 1):
                        pending.append(self._submit(executor, number))
            finally:  # also when nobody wants the rest
                for future in pending:
                    future.cancel()

    def _executor(self) -> Executor:
        if not self.use_multiprocessing:
            return ThreadPoolExecutor(self.workers, thread_name_prefix=type(self).__name__)
        forks = "fork" in multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("fork" if forks else None)  # a fork needs no pickle of the data set
        return ProcessPoolExecutor(self.workers, context, _take_over, (self,))

    def _submit(self, executor: Executor, number: int) -> Future[Any]:
        if self.use_multiprocessing:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads: a worker uses NumPy only
                return executor.submit(_batch_of_worker, number)
        return executor.submit(self.__getitem__, number)


Sequence = PyDataset

#: The data set of a worker process.
_own: PyDataset | None = None


def _take_over(dataset: PyDataset) -> None:
    global _own
    _own = dataset


def _batch_of_worker(number: int) -> Any:
    assert _own is not None
    return _own[number]
