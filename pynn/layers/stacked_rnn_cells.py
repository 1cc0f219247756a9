"""Several cells of a recurrent layer as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn.errors import ArgumentError
from pynn.layers.layer import Layer, Shape
from pynn.layers.recurrent_cell import zero_states


class StackedRNNCells(Layer):
    """Cells one above the other: in each step every cell reads the output of the one below it.

    ``RNN([cell, cell])`` makes one of them by itself.

    Args:
        cells: objects with ``call(inputs, states)`` and ``state_size``.

    Raises:
        ArgumentError: something that is no cell.

    Example:
        >>> import numpy as np
        >>> from pynn.layers import RNN, GRUCell, LSTMCell
        >>> RNN(StackedRNNCells([LSTMCell(4), GRUCell(3)]))(np.ones((2, 5, 6))).shape
        (2, 3)
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any):
        super().__init__(**kwargs)
        for cell in cells:
            check_cell(f"layer '{self.name}'", cell)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """``state_size`` of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """Length of the last cell's output."""
        return output_size(self.cells[-1])

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """The initial states of each cell."""
        return [initial_state(cell, batch_size) for cell in self.cells]

    def build(self, input_shape: Shape) -> None:
        shape = tuple(input_shape)
        for cell in self.cells:
            if isinstance(cell, Layer):
                cell.build_from_shape(shape)
            shape = (shape[0], output_size(cell))
        self.built = True

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:  # type: ignore[override]
        """``(output of the last cell, new states of each)`` of one step."""
        new = []
        for cell, state in zip(self.cells, states, strict=True):
            several = isinstance(state, list | tuple)
            inputs, state = call_cell(cell, inputs, state if several else [state], training)
            new.append(state if several else state[0])
        return inputs, new

    def get_config(self) -> dict[str, Any]:
        from pynn.layers import serialize

        return {**super().get_config(), "cells": [serialize(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """Cells with the same arguments and new weights."""
        from pynn.layers import deserialize

        cells = [deserialize(cell, custom_objects) for cell in config["cells"]]
        return cls(cells, **{key: value for key, value in config.items() if key != "cells"})


# ---- what is asked of any cell, also of those that users write ------------------------------------------------------


def check_cell(where: str, cell: Any) -> None:
    """Raise an ArgumentError unless ``cell`` has what a cell must have."""
    if not callable(getattr(cell, "call", None)):
        raise ArgumentError(f"{where}: a cell needs a method call(inputs, states), received {cell!r}")
    size = getattr(cell, "state_size", None)
    if size is None or not isinstance(size, int | list | tuple):
        raise ArgumentError(
            f"{where}: a cell needs the attribute state_size, a number or a list of numbers (one for each state), "
            f"received {cell!r} with state_size={size!r}"
        )


def output_size(cell: Any) -> int:
    """Length of a cell's output: its ``output_size``, or that of its first state."""
    size = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size[0] if isinstance(cell.state_size, list | tuple) else cell.state_size
    return size


def initial_state(cell: Any, batch_size: int | None) -> list[Any]:
    """The states a cell begins with, as a list: what its ``get_initial_state`` gives, else zeros."""
    if hasattr(cell, "get_initial_state"):
        states = cell.get_initial_state(batch_size=batch_size)
        return list(states) if isinstance(states, list | tuple) else [states]
    return zero_states(cell.state_size, batch_size)


def call_cell(cell: Any, inputs: Any, states: Any, training: bool) -> tuple[Any, Any]:
    """One step of any cell: ``(output, new states)``, the states as a list."""
    options = {"training": training} if isinstance(cell, Layer) else {}
    output, new = (cell if callable(cell) else cell.call)(inputs, list(states), **options)
    return output, list(new) if isinstance(new, list | tuple) else [new]
