"""What weights must satisfy: applied to a weight after each step of the optimizer, in the same program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import config, ops
from pynn.utils.configurable import Configurable

Axes = int | Sequence[int]


class Constraint(Configurable):
    """Base of constraints: ``constraint(w)`` gives the weight as it may be, written in ``pynn.ops``.

    Example:
        >>> import numpy as np
        >>> class Below1(Constraint):
        ...     def __call__(self, w):
        ...         return ops.minimum(w, 1.0)
        >>> Below1()(np.array([0.5, 3.0], "float32"))
        array([0.5, 1. ], dtype=float32)
    """

    _strict = True

    def __call__(self, w: Any) -> Any:
        """The weight itself, unless a subclass says otherwise."""
        return w


class NonNeg(Constraint):
    """Weights are not negative: negative ones become 0.

    Example:
        >>> import numpy as np
        >>> from pynn import constraints
        >>> constraints.NonNeg()(np.array([-1.0, 2.0], "float32"))
        array([0., 2.], dtype=float32)
    """

    def __call__(self, w: Any) -> Any:
        return ops.maximum(w, 0.0)


class MaxNorm(Constraint):
    """The weights of each output have at most length ``max_value``; longer ones are scaled down.

    Args:
        max_value: the largest length.
        axis: over which axes lengths are taken: 0 for a ``Dense`` kernel ``(inputs, outputs)``, ``[0, 1, 2]`` for a
            ``Conv2D`` kernel.

    Example:
        >>> import numpy as np
        >>> MaxNorm(1.0)(np.array([[3.0], [4.0]], "float32")).round(3)
        array([[0.6],
               [0.8]], dtype=float32)
    """

    def __init__(self, max_value: float = 2, axis: Axes = 0):
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        return w * (ops.clip(norms, 0.0, self.max_value) / (config.epsilon() + norms))

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


class UnitNorm(Constraint):
    """The weights of each output have length 1.

    Args:
        axis: as of :class:`MaxNorm`.

    Example:
        >>> import numpy as np
        >>> from pynn import constraints
        >>> constraints.UnitNorm()(np.array([[3.0], [4.0]], "float32")).round(3)
        array([[0.6],
               [0.8]], dtype=float32)
    """

    def __init__(self, axis: Axes = 0):
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return w / (config.epsilon() + _norms(w, self.axis))

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """The weights of each output have a length between two bounds.

    Args:
        min_value, max_value: the bounds.
        rate: 1 puts lengths between the bounds at once, less moves them there slowly:
            ``rate * clipped + (1 - rate) * length``.
        axis: as of :class:`MaxNorm`.

    Example:
        >>> import numpy as np
        >>> from pynn import constraints
        >>> constraints.MinMaxNorm(0.5, 1.0)(np.array([[3.0], [4.0]], "float32")).round(3)
        array([[0.6],
               [0.8]], dtype=float32)
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axes = 0):
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        wanted = self.rate * ops.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (wanted / (config.epsilon() + norms))

    def get_config(self) -> dict[str, Any]:
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


def _norms(w: Any, axis: Axes) -> Any:
    axes = tuple(axis) if isinstance(axis, list | tuple) else axis
    return ops.sqrt(ops.sum(ops.square(w), axis=axes, keepdims=True))
