"""Products of two inputs, summed over one axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.layers.layer import Shape
from pynn.layers.merging import Merge
from pynn.utils.arrays import as_float

#: What Keras's normalize() adds below the root, so that vectors of zeros stay zeros.
_EPSILON = 1e-12


class Dot(Merge):
    """For each sample the products of two inputs, summed over an axis of each: dot product, or matrix product.

    Args:
        axes: the axis of both, or (axis of the first, axis of the second); not the batch axis 0.
        normalize: divide the vectors along these axes by their lengths first: cosine similarity.

    Shapes:
        the axes that are left of the first input, then those of the second; ``(batch, 1)`` for two vectors.

    Raises:
        ArgumentError: ``axes`` is neither a number nor a pair, or is the batch axis.
        ShapeError: the axes have different lengths.

    Example:
        >>> import numpy as np
        >>> Dot(axes=1)([np.ones((2, 3)), np.ones((2, 3))])
        array([[3.],
               [3.]], dtype=float32)
    """

    _least = 2

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        pair = [axes, axes] if isinstance(axes, int) else axes
        if (
            not isinstance(pair, list | tuple)
            or len(pair) != 2
            or not all(isinstance(a, int) and not isinstance(a, bool) for a in pair)
        ):
            raise ArgumentError(f"layer '{self.name}': axes must be a number or a pair of numbers, received {axes!r}")
        self.axes = axes
        self.normalize = bool(normalize)

    def _axes_of(self, shapes: Sequence[Shape]) -> tuple[int, int]:
        """The two axes, counted from the first."""
        pair = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        found = []
        for axis, shape in zip(pair, shapes, strict=True):
            if not -len(shape) <= axis < len(shape) or axis % len(shape) == 0:
                raise ArgumentError(
                    f"layer '{self.name}': axes must name axes of the inputs other than the batch axis 0, received "
                    f"axes={self.axes} for an input of shape {tuple(shape)}"
                )
            found.append(axis % len(shape))
        return found[0], found[1]

    def _check_shapes(self, shapes: Sequence[Shape]) -> None:
        if len(shapes) != 2:
            raise ArgumentError(f"layer '{self.name}': expected a list of two inputs, received {len(shapes)}")
        first, second = self._axes_of(shapes)
        lengths = shapes[0][first], shapes[1][second]
        if None not in lengths and lengths[0] != lengths[1]:
            raise ShapeError(
                f"layer '{self.name}': the axes {first} and {second} must have one length, received "
                f"{tuple(shapes[0])} and {tuple(shapes[1])}"
            )

    def _merge(self, xs: list[Value]) -> Value:
        first, second = self._axes_of([x.shape for x in xs])
        if self.normalize:
            xs = [_unit(x, axis) for x, axis in zip(xs, (first, second), strict=True)]
        letters = iter("bcdefghijklmnopqrstuvwxyz")
        ours = ["a", *(next(letters) for _ in xs[0].shape[1:])]
        theirs = ["a", *(next(letters) for _ in xs[1].shape[1:])]
        theirs[second] = ours[first]
        rest = [c for c in (*ours, *theirs[1:]) if c != ours[first]]
        y = ops.einsum(f"{''.join(ours)},{''.join(theirs)}->{''.join(rest)}", *xs)
        return ops.expand_dims(y, 1) if y.ndim == 1 else y

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def _unit(x: Value, axis: int) -> Value:
    squares = ops.sum(ops.square(as_float(x)), axis=axis, keepdims=True)
    return x * ops.rsqrt(ops.maximum(squares, _EPSILON))


def dot(inputs: Sequence[Any], axes: int | Sequence[int] = -1, **kwargs: Any) -> Any:
    """``Dot(axes, **kwargs)(inputs)``.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> layers.dot([np.ones((2, 3)), np.ones((2, 3))], axes=1)
        array([[3.],
               [3.]], dtype=float32)
    """
    return Dot(axes, **kwargs)(inputs)
