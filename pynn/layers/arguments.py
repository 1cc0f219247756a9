"""Checks of constructor arguments that layers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError

Pair = tuple[int, int]


def positive_int(layer: str, argument: str, value: Any) -> int:
    """``value`` if it is an integer above 0."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value <= 0:
        raise ArgumentError(f"{layer}: {argument} must be a positive integer, received {value!r}")
    return int(value)


def pair(layer: str, argument: str, value: int | Sequence[int]) -> Pair:
    """One positive integer for both image axes, or one for each."""
    values = (value, value) if isinstance(value, int | np.integer) else value
    ok = isinstance(values, list | tuple) and len(values) == 2
    if not ok or any(isinstance(v, bool) or not isinstance(v, int | np.integer) or v <= 0 for v in values):
        raise ArgumentError(
            f"{layer}: {argument} must be a positive integer or a pair of them (height, width), received {value!r}"
        )
    return int(values[0]), int(values[1])


def choice(layer: str, argument: str, value: Any, allowed: Sequence[str], note: str = "") -> str:
    """``value`` in lower case if it is one of ``allowed``."""
    folded = value.lower() if isinstance(value, str) else value
    if folded not in allowed:
        raise ArgumentError(f"{layer}: {argument} must be {' or '.join(map(repr, allowed))}, received {value!r}{note}")
    return folded


def channels_last(layer: str, data_format: str | None) -> str:
    """Images are (height, width, channels); the other order is refused."""
    note = ""
    if data_format == "channels_first":
        note = ": channels first is not supported, use images of shape (batch, height, width, channels)"
    return choice(layer, "data_format", data_format or "channels_last", ("channels_last",), note)


def integer_axis(layer: str, value: Any) -> int:
    """An axis from a number, or from a list that holds just one."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ArgumentError(f"{layer}: axis must be an integer, received {value!r}")
    return int(value)


def one_number(layer: str, argument: str, value: Any) -> float:
    """``value`` if it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not np.isfinite(value):
        raise ArgumentError(f"{layer}: {argument} must be a number, received {value!r}")
    return value  # type: ignore[return-value]
