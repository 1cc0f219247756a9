"""What a layer demands of its input's shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pynn.errors import ShapeError

Shape = Sequence[int | None]

_AXES = "axes (batch included)"


@dataclass
class InputSpec:
    """Number of axes (exact, least, most), and lengths of some of them: ``InputSpec(min_ndim=2, axes={-1: 784})``.

    ``hint`` is the way out when the number of axes is wrong.
    """

    shape: tuple[int | None, ...] | None = None
    ndim: int | None = None
    max_ndim: int | None = None
    min_ndim: int | None = None
    axes: Mapping[int, int | None] = field(default_factory=dict)
    hint: str = ""

    def check(self, layer: str, shape: Shape) -> None:
        """Raise a ShapeError that names the layer, what came and what it expected."""
        expected = self._complaint(tuple(shape))
        if expected:
            hint = f": {self.hint}" if self.hint and expected.endswith(_AXES) else ""
            raise ShapeError(f"layer '{layer}': expected input with {expected}, received shape {_show(shape)}{hint}")

    def _complaint(self, shape: tuple[int | None, ...]) -> str:
        if self.ndim is not None and len(shape) != self.ndim:
            return f"{self.ndim} {_AXES}"
        if self.min_ndim is not None and len(shape) < self.min_ndim:
            return f"at least {self.min_ndim} {_AXES}"
        if self.max_ndim is not None and len(shape) > self.max_ndim:
            return f"at most {self.max_ndim} {_AXES}"
        for axis, length in self.axes.items():
            if length is None:
                continue
            if not -len(shape) <= axis < len(shape):
                return f"an axis {axis}"
            if shape[axis] not in (None, length):
                return f"length {length} on axis {axis}"
        if self.shape is not None and (
            len(self.shape) != len(shape)
            or any(None not in (a, b) and a != b for a, b in zip(self.shape, shape, strict=True))
        ):
            return f"shape {_show(self.shape)}"
        return ""


def _show(shape: Shape) -> str:
    """The shape as users write it; the batch axis is whatever came."""
    return str(tuple(shape))
