"""Steps of a pipeline that look at one element at a time."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn.data import elements as el
from pynn.data import iteration as it
from pynn.data.pipeline import (
    UNKNOWN_CARDINALITY,
    Pipeline,
    caller,
    parallel,
    unknown,
    unpacked,
)
from pynn.errors import ArgumentError

if TYPE_CHECKING:
    from pynn.data.dataset import Dataset


class Mapping(Pipeline):
    """``map``, ``filter`` and their relatives."""

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
        call = caller(map_func)
        threads = parallel("Dataset.map", num_parallel_calls)

        def attempts() -> Iterator[Callable[[], Any]]:
            return it.attempts(self._source, call, threads)

        def spec() -> Any:
            return self._mapped_spec(call)

        def tolerant(report: Callable[[Exception], None]) -> Dataset:
            return self._new(lambda: _successes(attempts(), report), self._changed_length(unknown), spec)

        made = self._new(lambda: (attempt() for attempt in attempts()), self._length, spec)
        made._tolerant = tolerant
        return made

    def ignore_errors(self, log_warning: bool = False, name: str | None = None) -> Dataset:
        """Leave out elements that ``map`` fails at, such as files that are damaged.

        After ``batch`` and ``prefetch``, too: a batch misses the element, nothing else.  Errors of what comes before
        that ``map`` still stop the iteration.

        Args:
            log_warning: warn of each one, with its error's text.

        Raises:
            ArgumentError: there is no ``map`` whose errors could be ignored.

        Example:
            >>> from pynn.data import Dataset
            >>> [int(n) for n in Dataset.from_tensor_slices(["1", "two", "3"]).map(int).ignore_errors()]
            [1, 3]
        """
        if self._tolerant is None:
            raise ArgumentError(
                "Dataset.ignore_errors: it leaves out elements that map() fails at, and must follow map(), or batch() "
                "or prefetch() after it"
            )

        def report(error: Exception) -> None:
            if log_warning:
                warnings.warn(f"Dataset.ignore_errors: an element is left out: {error}", stacklevel=2)

        made = self._tolerant(report)
        for attribute, value in vars(self).items():  # such as the class names of files in folders
            made.__dict__.setdefault(attribute, value)
        return made

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
        call = unpacked(predicate)
        return self._like(lambda: (e for e in self._source() if np.all(call(e))), self._changed_length(unknown))

    def enumerate(self, start: int = 0, name: str | None = None) -> Dataset:
        """Pairs of a number, counted from ``start``, and an element."""
        return self._like(
            lambda: ((np.asarray(i, "int64"), e) for i, e in enumerate(self._source(), start)),
            spec=lambda: (el.TensorSpec((), "int64"), self.element_spec),
        )

    def take_while(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """Elements up to the first one of which ``predicate`` is false."""
        call = unpacked(predicate)
        return self._like(
            lambda: itertools.takewhile(lambda e: bool(np.all(call(e))), self._source()), UNKNOWN_CARDINALITY
        )


def _successes(attempts: Iterator[Callable[[], Any]], report: Callable[[Exception], None]) -> Iterator[Any]:
    for attempt in attempts:
        try:
            item = attempt()
        except Exception as error:  # whatever the function raises
            report(error)
        else:
            yield item
