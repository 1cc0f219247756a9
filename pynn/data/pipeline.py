"""What all data sets of a pipeline have: a source of elements, their number and kind, and ways to read them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn.data import elements as el
from pynn.data import iteration as it
from pynn.data.iteration import AUTOTUNE
from pynn.errors import ArgumentError
from pynn.graph.tensor import Tensor

if TYPE_CHECKING:
    from pynn.data.dataset import Dataset

INFINITE_CARDINALITY = -1
UNKNOWN_CARDINALITY = -2


class Pipeline:
    """Elements that a function makes anew for each iteration.

    Args:
        source: gives an iterator over the elements.
        length: how many there are, or INFINITE_CARDINALITY or UNKNOWN_CARDINALITY.
        spec: gives the TensorSpecs of an element; None: the first element tells.
    """

    #: Builds this data set again, upon a ``map`` that reports its errors and leaves those elements out.
    _tolerant: Callable[[Callable[[Exception], None]], Dataset] | None = None

    def __init__(self, source: it.Source, length: int, spec: Callable[[], Any] | None = None):
        self._source = source
        self._length = length
        self._spec = spec

    @staticmethod
    def _new(source: it.Source, length: int, spec: Callable[[], Any] | None = None) -> Dataset:
        """A data set of other elements."""
        from pynn.data.dataset import Dataset

        return Dataset(source, length, spec)

    def _like(self, source: it.Source, length: int | None = None, spec: Callable[[], Any] | None = None) -> Dataset:
        """A data set of elements of the same kind."""
        return self._new(source, self._length if length is None else length, spec or (lambda: self.element_spec))

    def _then(self, step: Callable[[Any], Dataset], made: Dataset) -> Dataset:
        """``made`` by ``step`` from this data set: errors can be ignored as before."""
        if (tolerant := self._tolerant) is not None:
            made._tolerant = lambda report: step(tolerant(report))
        return made

    def _changed_length(self, change: Callable[[int], int]) -> int:
        return self._length if self._length < 0 else change(self._length)

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
            >>> from pynn.data import Dataset
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


def unknown(length: int) -> int:
    return UNKNOWN_CARDINALITY


def unpacked(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """``function`` of an element; a tuple's items are its arguments."""

    def call(item: Any) -> Any:
        item = el.tensors(item)
        return function(*item) if isinstance(item, tuple) else function(item)

    return call


def caller(function: Callable[..., Any]) -> Callable[[Any], Any]:
    call = unpacked(function)
    return lambda item: el.element(call(item))


def whole_number(where: str, argument: str, value: Any, least: int = 1) -> int:
    number = value.item() if isinstance(value, np.ndarray | np.generic) and np.size(value) == 1 else value
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise ArgumentError(f"{where}: {argument} must be a whole number from {least} up, received {value!r}")
    return number


def parallel(where: str, value: Any) -> int | None:
    return value if value is None or value == AUTOTUNE else whole_number(where, "num_parallel_calls", value)
