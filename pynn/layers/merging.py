"""Layers that make one tensor of several: added, multiplied, ... element by element, or joined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value
from pynn.layers.layer import Layer, Shape
from pynn.layers.masks import has_mask
from pynn.utils.arrays import as_float


class Merge(Layer):
    """Base: a layer called on a list of tensors.  A subclass defines ``_merge`` of the list."""

    _least = 1

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """A place counts if it does in any of the inputs; there is no mask if some input has none."""
        if previous_mask is None or any(mask is None for mask in previous_mask):
            return None
        return reduce(ops.logical_or, previous_mask)

    def build(self, input_shape: Any) -> None:
        self._check_shapes(_listed(self.name, input_shape, self._least))
        self.built = True

    def _check_shapes(self, shapes: Sequence[Shape]) -> None:
        """Element-wise: axes are equal or 1, counted from the last."""
        for axis in range(1, max(map(len, shapes))):
            known = {s[-axis] for s in shapes if len(s) > axis and s[-axis] not in (None, 1)}
            if len(known) > 1:
                raise ShapeError(
                    f"layer '{self.name}': expected inputs of one shape, received {_shown(shapes)}, which differ on "
                    f"axis {-axis}"
                )

    def call(self, inputs: Sequence[Value]) -> Value:
        return self._merge([as_float(x) for x in inputs])

    def _merge(self, xs: list[Value]) -> Value:
        raise NotImplementedError(f"layer '{self.name}': class {type(self).__name__} must define _merge()")


def _listed(layer: str, shapes: Any, least: int) -> list[Shape]:
    several = isinstance(shapes, list | tuple) and all(isinstance(s, list | tuple) for s in shapes)
    if not several or len(shapes) < least:
        received = f"{len(shapes)}" if several else f"one input of shape {tuple(shapes)}"
        raise ArgumentError(
            f"layer '{layer}': expected a list of at least {least} inputs, received {received}; write layer([a, b])"
        )
    return list(shapes)


def _shown(shapes: Sequence[Shape]) -> str:
    return " and ".join(str(tuple(s)) for s in shapes)


class Add(Merge):
    """The sum of the inputs.

    Example:
        >>> import numpy as np
        >>> Add()([np.ones((1, 2)), np.ones((1, 2))])
        array([[2., 2.]], dtype=float32)
    """

    def _merge(self, xs: list[Value]) -> Value:
        return reduce(ops.add, xs)


class Subtract(Merge):
    """The first of two inputs less the second.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> layers.Subtract()([np.array([1.0, 4.0]), np.array([3.0, 2.0])])
        array([-2.,  2.], dtype=float32)
    """

    _least = 2

    def _check_shapes(self, shapes: Sequence[Shape]) -> None:
        if len(shapes) != 2:
            raise ArgumentError(f"layer '{self.name}': expected a list of two inputs, received {len(shapes)}")
        super()._check_shapes(shapes)

    def _merge(self, xs: list[Value]) -> Value:
        return ops.subtract(*xs)


class Multiply(Merge):
    """The product of the inputs, element by element.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> layers.Multiply()([np.array([1.0, 4.0]), np.array([3.0, 2.0])])
        array([3., 8.], dtype=float32)
    """

    def _merge(self, xs: list[Value]) -> Value:
        return reduce(ops.multiply, xs)


class Average(Merge):
    """The mean of the inputs, element by element.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> layers.Average()([np.array([1.0, 4.0]), np.array([3.0, 2.0])])
        array([2., 3.], dtype=float32)
    """

    def _merge(self, xs: list[Value]) -> Value:
        return reduce(ops.add, xs) * (1.0 / len(xs))


class Maximum(Merge):
    """The largest of the inputs, element by element.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> layers.Maximum()([np.array([1.0, 4.0]), np.array([3.0, 2.0])])
        array([3., 4.], dtype=float32)
    """

    def _merge(self, xs: list[Value]) -> Value:
        return reduce(ops.maximum, xs)


class Minimum(Merge):
    """The smallest of the inputs, element by element.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> layers.Minimum()([np.array([1.0, 4.0]), np.array([3.0, 2.0])])
        array([1., 2.], dtype=float32)
    """

    def _merge(self, xs: list[Value]) -> Value:
        return reduce(ops.minimum, xs)


class Concatenate(Merge):
    """The inputs one after the other along ``axis``, by default the last: images get more channels.

    Example:
        >>> import numpy as np
        >>> Concatenate()([np.ones((1, 2)), np.ones((1, 3))]).shape
        (1, 5)
    """

    def __init__(self, axis: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def _check_shapes(self, shapes: Sequence[Shape]) -> None:
        rank = len(shapes[0])
        if any(len(s) != rank for s in shapes) or not -rank <= self.axis < rank:
            raise ShapeError(
                f"layer '{self.name}': expected inputs with one number of axes, among them {self.axis}, "
                f"received {_shown(shapes)}"
            )
        for i in range(rank):
            if i != self.axis % rank and len({s[i] for s in shapes if s[i] is not None}) > 1:
                raise ShapeError(
                    f"layer '{self.name}': inputs may differ on axis {self.axis} only, received {_shown(shapes)}, "
                    f"which differ on axis {i}"
                )

    def _merge(self, xs: list[Value]) -> Value:
        return ops.concatenate(xs, self.axis)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The masks one after the other; inputs without one count everywhere."""
        if not has_mask(previous_mask):
            return None
        masks = []
        for x, mask in zip(inputs, previous_mask, strict=True):
            counts = ops.cast(ops.ones_like(x), "bool") if mask is None else mask
            wide = ops.reshape(counts, (*counts.shape, *[1] * (len(x.shape) - len(counts.shape))))
            masks.append(ops.broadcast_to(wide, x.shape))
        # A step counts if any of its numbers does.
        return ops.any(ops.concatenate(masks, self.axis), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


def _function(layer: type[Merge], name: str) -> Callable[..., Any]:
    def merged(inputs: Sequence[Any], **kwargs: Any) -> Any:
        return layer(**kwargs)(inputs)

    merged.__name__ = merged.__qualname__ = name
    merged.__doc__ = f"``{layer.__name__}(**kwargs)(inputs)``."
    return merged


add = _function(Add, "add")
subtract = _function(Subtract, "subtract")
multiply = _function(Multiply, "multiply")
average = _function(Average, "average")
maximum = _function(Maximum, "maximum")
minimum = _function(Minimum, "minimum")


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Any:
    """``Concatenate(axis, **kwargs)(inputs)``.

    Example:
        >>> import numpy as np
        >>> from pynn import layers
        >>> layers.concatenate([np.ones((2, 3)), np.ones((2, 4))]).shape
        (2, 7)
    """
    return Concatenate(axis, **kwargs)(inputs)
