"""Checks of constructor arguments that layers share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, ShapeError
from pynn.settings import image_data_format


def positive_int(layer: str, argument: str, value: Any) -> int:
    """``value`` if it is an integer above 0."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value <= 0:
        raise ArgumentError(f"{layer}: {argument} must be a positive integer, received {value!r}")
    return int(value)


def lengths(layer: str, argument: str, value: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """One positive integer for all ``rank`` spatial axes, or one for each."""
    values = (value,) * rank if isinstance(value, int | np.integer) else value
    ok = isinstance(values, list | tuple) and len(values) == rank
    if not ok or any(isinstance(v, bool) or not isinstance(v, int | np.integer) or v <= 0 for v in values):
        several = {1: "", 2: " or a pair of them (height, width)", 3: " or three of them (depth, height, width)"}[rank]
        raise ArgumentError(f"{layer}: {argument} must be a positive integer{several}, received {value!r}")
    return tuple(int(v) for v in values)


def choice(layer: str, argument: str, value: Any, allowed: Sequence[str], note: str = "") -> str:
    """``value`` in lower case if it is one of ``allowed``."""
    folded = value.lower() if isinstance(value, str) else value
    if folded not in allowed:
        raise ArgumentError(f"{layer}: {argument} must be {' or '.join(map(repr, allowed))}, received {value!r}{note}")
    return folded


def image_order(layer: str, data_format: str | None) -> str:
    """Where the channels are, by default as :func:`pynn.config.image_data_format` says."""
    return choice(layer, "data_format", data_format or image_data_format(), ("channels_last", "channels_first"))


def integer_axis(layer: str, value: Any) -> int:
    """An axis from a number, or from a list that holds just one."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ArgumentError(f"{layer}: axis must be an integer, received {value!r}")
    return int(value)


def integer_axes(layer: str, value: Any) -> int | list[int]:
    """One axis, or a list of them; Keras keeps which of the two it was."""
    if isinstance(value, list | tuple):
        if value and all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in value):
            return [int(v) for v in value]
    elif isinstance(value, int | np.integer) and not isinstance(value, bool):
        return int(value)
    raise ArgumentError(f"{layer}: axis must be an integer or a list of integers, received {value!r}")


def axes_shape(layer: str, axes: int | Sequence[int], input_shape: Sequence[int | None]) -> tuple[int, ...]:
    """The lengths of the input's ``axes``, in ascending order; all must be there and known."""
    rank = len(input_shape)
    wanted = [axes] if isinstance(axes, int) else list(axes)
    outside = [a for a in wanted if not -rank <= a < rank]
    ascending = sorted({a % rank for a in wanted}) if not outside else []
    if outside or len(ascending) < len(wanted):
        raise ShapeError(f"{layer}: axis {axes} does not name different axes of an input of shape {tuple(input_shape)}")
    lengths = [input_shape[a] for a in ascending]
    if any(n is None for n in lengths):
        raise ShapeError(f"{layer}: the lengths of axis {axes} must be known, received {tuple(input_shape)}")
    return tuple(n for n in lengths if n is not None)


def channels_at(layer: str, axis: int, input_shape: Sequence[int | None]) -> int:
    """The number of channels of the input, if ``axis`` is one of its axes after the batch's and has a known length."""
    rank = len(input_shape)
    if rank < 2 or not -rank <= axis < rank or axis % rank == 0:
        raise ShapeError(f"{layer}: axis {axis} is not a channel axis of an input of shape {tuple(input_shape)}")
    channels = input_shape[axis]
    if channels is None:
        raise ShapeError(f"{layer}: the length of axis {axis} must be known, received {tuple(input_shape)}")
    return channels


def epsilon_number(layer: str, value: Any) -> float:
    """``value`` if it is a number that may be added to a variance."""
    epsilon = one_number(layer, "epsilon", value)
    if epsilon < 0:
        raise ArgumentError(f"{layer}: epsilon must not be negative, received {value!r}")
    return epsilon


def rate_number(layer: str, value: Any) -> float:
    """``value`` if it is a fraction, from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value <= 1:
        raise ArgumentError(f"{layer}: rate must be a number from 0 to 1, received {value!r}")
    return value  # type: ignore[return-value]


def one_number(layer: str, argument: str, value: Any) -> float:
    """``value`` if it is a finite number."""
    plain = isinstance(value, int | float | np.number) and not isinstance(value, bool | np.complexfloating)
    if not plain or not abs(value) < math.inf:
        raise ArgumentError(f"{layer}: {argument} must be a number, received {value!r}")
    return value
