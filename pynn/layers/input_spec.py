"""What a layer demands of its input's shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pynn.errors import ArgumentError, DtypeError, ShapeError

Shape = Sequence[int | None]

_AXES = "axes (batch included)"


@dataclass
class InputSpec:
    """Number of axes (exact, least, most), and lengths of some of them: ``InputSpec(min_ndim=2, axes={-1: 784})``.

    Args:
        dtype: the input's, if it must have one.
        shape: all lengths; None for any.
        ndim, max_ndim, min_ndim: how many axes there must be, the batch's included.
        axes: lengths of some axes.
        allow_last_axis_squeeze: whether a last axis of length 1 may be there or not.
        name: the input's key in a dictionary of inputs.
        optional: whether the input may be None.
        hint: the way out when the number of axes is wrong.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> layers.InputSpec(ndim=3, axes={-1: 8}).ndim
        3
    """

    dtype: str | None = None
    shape: tuple[int | None, ...] | None = None
    ndim: int | None = None
    max_ndim: int | None = None
    min_ndim: int | None = None
    axes: Mapping[int, int | None] | None = None
    allow_last_axis_squeeze: bool = False
    name: str | None = None
    optional: bool = False
    hint: str = ""

    def __post_init__(self) -> None:
        try:
            self.axes = {int(axis): length for axis, length in (self.axes or {}).items()}
        except (TypeError, ValueError, AttributeError):
            raise ArgumentError(f"InputSpec: axes must be a dictionary of integers, received {self.axes!r}") from None
        if self.shape is not None:
            self.shape = tuple(self.shape)
            self.ndim = len(self.shape)
        limit = max(self.ndim or 0, self.max_ndim or 0)
        outside = [axis for axis in self.axes if limit and axis >= limit]
        if outside:
            raise ArgumentError(f"InputSpec: axis {outside[0]} is not among {limit} axes")

    def check(self, layer: str, shape: Shape | None, dtype: str | None = None) -> None:
        """Raise a ShapeError that names the layer, what came and what it expected."""
        if shape is None:
            if self.optional:
                return
            raise ShapeError(f"layer '{layer}': expected an input, received None")
        if dtype is not None and self.dtype is not None and str(self.dtype) != dtype:
            raise DtypeError(f"layer '{layer}': expected input of dtype {self.dtype}, received {dtype}")
        expected = self._complaint(tuple(shape))
        if expected:
            hint = f": {self.hint}" if self.hint and expected.endswith(_AXES) else ""
            raise ShapeError(f"layer '{layer}': expected input with {expected}, received shape {_show(shape)}{hint}")

    def _complaint(self, shape: tuple[int | None, ...]) -> str:
        if self.allow_last_axis_squeeze and shape and shape[-1] == 1:
            shape = shape[:-1]
        wanted = self.shape
        if self.allow_last_axis_squeeze and wanted and wanted[-1] == 1:
            wanted = wanted[:-1]
        if self.ndim is not None and len(shape) != self.ndim and not self.allow_last_axis_squeeze:
            return f"{self.ndim} {_AXES}"
        if self.min_ndim is not None and len(shape) < self.min_ndim:
            return f"at least {self.min_ndim} {_AXES}"
        if self.max_ndim is not None and len(shape) > self.max_ndim:
            return f"at most {self.max_ndim} {_AXES}"
        for axis, length in (self.axes or {}).items():
            if length is None:
                continue
            if not -len(shape) <= axis < len(shape):
                return f"an axis {axis}"
            if shape[axis] not in (None, length):
                return f"length {length} on axis {axis}"
        if wanted is not None and (
            len(wanted) != len(shape) or any(None not in (a, b) and a != b for a, b in zip(wanted, shape, strict=True))
        ):
            return f"shape {_show(self.shape or ())}"
        return ""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as Keras writes them."""
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        return cls(**config)


def _show(shape: Shape) -> str:
    """The shape as users write it; the batch axis is whatever came."""
    return str(tuple(shape))
