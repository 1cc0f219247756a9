"""How the arrays of a step lie in the data that the user gave: what a program's flat list of feeds means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn.data.packing import pack_x_y_sample_weight
from pynn.utils.structure import map_structure


class Layout:
    """The structures of ``x``, ``y`` and ``sample_weight``, with the number of a feed (or None) in each place.

    Equal layouts are one object (:func:`layout_of`), so that a dictionary finds a program by it without comparing.

    Attributes:
        names: of the feeds, for printed graphs.
    """

    def __init__(self, names: Sequence[str], x: Any, y: Any, sample_weight: Any):
        self.names = tuple(names)
        self._parts = (x, y, sample_weight)

    def data(self, feeds: Sequence[Any]) -> Any:
        """``feeds`` as ``train_step(data)`` takes them: ``x``, ``(x, y)`` or ``(x, y, sample_weight)``."""
        parts = (map_structure(lambda i: None if i is None else feeds[i], part) for part in self._parts)
        return pack_x_y_sample_weight(*parts)


_layouts: dict[Any, Layout] = {}


def layout_of(names: Sequence[str], x: Any, y: Any = None, sample_weight: Any = None) -> Layout:
    """The one layout of these structures."""
    key = (tuple(names), repr((x, y, sample_weight)))
    if key not in _layouts:
        _layouts[key] = Layout(names, x, y, sample_weight)
    return _layouts[key]


def plain_layout(count: int) -> Layout:
    """One array each for ``x``, ``y`` and ``sample_weight``, the first ``count`` of them."""
    numbers = [i if i < count else None for i in range(3)]
    return layout_of(("x", "y", "sample_weight")[:count], *numbers)
