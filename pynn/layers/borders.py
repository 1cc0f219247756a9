"""Layers that put zeros around sequences, images and volumes, or cut their borders off."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.layers.spatial import SpatialLayer

Sides = tuple[tuple[int, int], ...]

_SHAPES = {
    1: "a number or (before, after)",
    2: "a number, (rows, columns) or ((top, bottom), (left, right))",
    3: "a number, (depth, rows, columns) or ((front, back), (top, bottom), (left, right))",
}


def _sides(where: str, argument: str, value: Any, rank: int) -> Sides:
    """A pair (before, after) for each axis, from one number, one for each axis, or pairs."""

    def whole(n: Any) -> bool:
        return isinstance(n, int | np.integer) and not isinstance(n, bool) and bool(n >= 0)

    axes = (value,) * rank if whole(value) else value
    if rank == 1 and isinstance(axes, list | tuple) and len(axes) == 2 and all(map(whole, axes)):
        axes = [axes]
    if isinstance(axes, list | tuple) and len(axes) == rank:
        sides = [(side, side) if whole(side) else side for side in axes]
        if all(isinstance(s, list | tuple) and len(s) == 2 and whole(s[0]) and whole(s[1]) for s in sides):
            return tuple((int(before), int(after)) for before, after in sides)
    raise ArgumentError(f"{where}: {argument} must be {_SHAPES[rank]}, received {value!r}")


class ZeroPadding(SpatialLayer):
    """Base of the layers that add zeros."""

    _stateless = True

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self._sides = _sides(f"layer '{self.name}'", "padding", padding, self.rank)
        self.padding = self._sides[0] if self.rank == 1 else self._sides

    def compute(self, x: Value) -> Value:
        return ops.pad(x, ((0, 0), *self._sides, (0, 0)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding}


class Cropping(SpatialLayer):
    """Base of the layers that cut borders off."""

    _stateless = True

    def __init__(self, cropping: Any = 1, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self._sides = _sides(f"layer '{self.name}'", "cropping", cropping, self.rank)
        self.cropping = self._sides[0] if self.rank == 1 else self._sides

    def compute(self, x: Value) -> Value:
        left = [n - before - after for n, (before, after) in zip(x.shape[1:-1], self._sides, strict=True)]
        if min(left) < 1:
            raise ShapeError(
                f"layer '{self.name}': cropping {self.cropping} leaves nothing of "
                f"{' x '.join(map(str, x.shape[1:-1]))} positions"
            )
        return ops.slice(x, (0, *(before for before, _ in self._sides), 0), (x.shape[0], *left, x.shape[-1]))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cropping": self.cropping}


class ZeroPadding1D(ZeroPadding):
    """Steps of zeros around sequences.

    Args:
        padding: one number or (before, after).
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.

    Example:
        >>> ZeroPadding1D((2, 0))(np.ones((1, 4, 3))).shape
        (1, 6, 3)
    """

    rank = 1


class ZeroPadding2D(ZeroPadding):
    """Zeros around images.

    Args:
        padding: one number, (rows, columns), or ((top, bottom), (left, right)).
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.

    Example:
        >>> ZeroPadding2D(((0, 1), (2, 0)))(np.ones((1, 4, 4, 3))).shape
        (1, 5, 6, 3)
    """

    rank = 2


class ZeroPadding3D(ZeroPadding):
    """Zeros around volumes.

    Args:
        padding: one number, (depth, rows, columns), or a pair (before, after) for each of these.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.

    Example:
        >>> ZeroPadding3D((0, 1, 2))(np.ones((1, 4, 4, 4, 3))).shape
        (1, 4, 6, 8, 3)
    """

    rank = 3


class Cropping1D(Cropping):
    """Sequences without their first and last steps.

    Args:
        cropping: one number or (before, after).

    Example:
        >>> Cropping1D(1)(np.ones((1, 5, 3))).shape
        (1, 3, 3)
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any):
        super().__init__(cropping, "channels_last", **kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["data_format"]
        return config


class Cropping2D(Cropping):
    """Images without their borders.

    Args:
        cropping: one number, (rows, columns), or ((top, bottom), (left, right)).
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.

    Example:
        >>> Cropping2D(1)(np.ones((1, 4, 5, 3))).shape
        (1, 2, 3, 3)
    """

    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any):
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(Cropping):
    """Volumes without their borders.

    Args:
        cropping: one number, (depth, rows, columns), or a pair (before, after) for each of these.
        data_format: ``"channels_last"``, the default, or ``"channels_first"``.

    Example:
        >>> Cropping3D((1, 0, 0))(np.ones((1, 4, 5, 5, 3))).shape
        (1, 2, 5, 5, 3)
    """

    rank = 3
