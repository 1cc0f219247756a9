"""Steps of a pipeline that make one element of several, or several of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn.data import elements as el
from pynn.data import iteration as it
from pynn.data.pipeline import (
    Pipeline,
    unknown,
    whole_number,
)

if TYPE_CHECKING:
    from pynn.data.dataset import Dataset


class Grouping(Pipeline):
    """Batches and windows."""

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
        size = whole_number("Dataset.batch", "batch_size", batch_size)

        def spec() -> Any:
            rows = size if drop_remainder else None
            return el.map_leaves(lambda s: el.TensorSpec((rows, *(s.shape or ())), s.dtype), self.element_spec)

        made = self._new(
            lambda: map(el.stack, it.groups(self._source, size, drop_remainder)), self._batches(size, drop_remainder),
            spec,
        )  # fmt: skip
        return self._then(lambda dataset: dataset.batch(size, drop_remainder), made)

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
            >>> from pynn.data import Dataset
            >>> ragged = Dataset.from_generator(lambda: ([1] * n for n in (1, 3)))
            >>> next(iter(ragged.padded_batch(2)))
            array([[1, 0, 0],
                   [1, 1, 1]], dtype=int32)
        """
        size = whole_number("Dataset.padded_batch", "batch_size", batch_size)

        def make(group: list[Any]) -> Any:
            return el.pad_and_stack(group, padded_shapes, padding_values)

        def spec() -> Any:
            rows = size if drop_remainder else None
            return el.map_leaves(
                lambda s: el.TensorSpec((rows, *(None for _ in s.shape or ())), s.dtype), self.element_spec
            )

        made = self._new(
            lambda: map(make, it.groups(self._source, size, drop_remainder)), self._batches(size, drop_remainder), spec
        )
        return self._then(lambda d: d.padded_batch(size, padded_shapes, padding_values, drop_remainder), made)

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

        return self._new(source, self._changed_length(unknown), spec)

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
            >>> from pynn.data import Dataset
            >>> windows = Dataset.range(5).window(3, shift=1, drop_remainder=True)
            >>> [w.tolist() for w in windows.flat_map(lambda window: window.batch(3))]
            [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
        """
        where = "Dataset.window"
        size, stride = whole_number(where, "size", size), whole_number(where, "stride", stride)
        shift = size if shift is None else whole_number(where, "shift", shift)

        def as_datasets(window: list[Any]) -> Any:
            def one(*items: np.ndarray) -> Dataset:
                return self._new(lambda: iter(items), len(items))

            return el.map_leaves(one, *window)

        def count(n: int) -> int:
            last = n - (size - 1) * stride if drop_remainder else n
            return max(-(-last // shift), 0)

        return self._new(
            lambda: map(as_datasets, it.windows(self._source, size, shift, stride, drop_remainder)),
            self._changed_length(count),
        )
