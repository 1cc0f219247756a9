"""Penalties on weights and outputs, added to the loss.  Written in ``pynn.ops``, so that they have gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.utils.configurable import Configurable


class Regularizer(Configurable):
    """Base of regularizers: ``regularizer(x)`` gives one number, written in ``pynn.ops``.

    Example:
        >>> class Cubic(Regularizer):
        ...     def __call__(self, x):
        ...         return 0.1 * ops.sum(ops.abs(x) ** 3)
        >>> round(float(Cubic()(np.array([1.0, -2.0]))), 4)
        0.9
    """

    def __call__(self, x: Any) -> Any:
        """The penalty: no penalty, unless a subclass says otherwise."""
        return 0.0


class L1L2(Regularizer):
    """``l1 * sum(|x|) + l2 * sum(x²)``: lasso and ridge together, the elastic net.

    Args:
        l1, l2: factors of the two penalties, from 0.

    Raises:
        ArgumentError: a factor is not a number from 0.

    Example:
        >>> float(L1L2(l1=1.0, l2=1.0)(np.array([1.0, -2.0])))
        8.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0):
        self.l1 = _factor("L1L2", "l1", 0.0 if l1 is None else l1)
        self.l2 = _factor("L1L2", "l2", 0.0 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        penalty: Any = 0.0
        if self.l1:
            penalty = self.l1 * ops.sum(ops.abs(x))
        if self.l2:
            penalty = penalty + self.l2 * ops.sum(ops.square(x))
        return penalty

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


class L1(Regularizer):
    """``l1 * sum(|x|)``: the lasso, which makes weights zero.

    Its slope at 0 is 0, so zeros stay zeros; JAX, and Keras with it, takes ``l1`` there.

    Args:
        l1: factor of the penalty, from 0.

    Example:
        >>> float(L1(1.0)(np.array([1.0, -2.0])))
        3.0
    """

    def __init__(self, l1: float = 0.01):
        self.l1 = _factor("L1", "l1", 0.01 if l1 is None else l1)

    def __call__(self, x: Any) -> Any:
        return self.l1 * ops.sum(ops.abs(x))

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


class L2(Regularizer):
    """``l2 * sum(x²)``: ridge, which keeps weights small.

    Args:
        l2: factor of the penalty, from 0.

    Example:
        >>> float(L2(1.0)(np.array([1.0, -2.0])))
        5.0
    """

    def __init__(self, l2: float = 0.01):
        self.l2 = _factor("L2", "l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        return self.l2 * ops.sum(ops.square(x))

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """Makes the rows (or columns) of a matrix orthogonal to each other.

    The penalty is ``factor`` times the mean size of the products of two different rows, each of length 1.

    Args:
        factor: of the penalty, from 0.
        mode: ``"rows"`` or ``"columns"``.

    Raises:
        ArgumentError: an argument is out of range.
        ShapeError: the weight is not a matrix.

    Example:
        >>> float(OrthogonalRegularizer(1.0)(np.array([[1.0, 0.0], [2.0, 0.0]])))
        1.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows"):
        self.factor = _factor("OrthogonalRegularizer", "factor", factor)
        if mode not in ("rows", "columns"):
            raise ArgumentError(f"OrthogonalRegularizer: mode must be 'rows' or 'columns', received {mode!r}")
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        shape = tuple(np.shape(x)) if isinstance(x, list | tuple) else tuple(x.shape)
        if len(shape) != 2:
            raise ShapeError(f"OrthogonalRegularizer: expected a matrix (two axes), received shape {shape}")
        axis = 1 if self.mode == "rows" else 0
        length = ops.sqrt(ops.sum(ops.square(x), axis=axis, keepdims=True))
        unit = ops.divide(x, ops.maximum(length, 1e-12))
        turned = ops.transpose(unit)
        products = ops.matmul(unit, turned) if axis else ops.matmul(turned, unit)  # (count, count)
        count = shape[1 - axis]
        others = 1.0 - np.eye(count, dtype="float32")
        # Both triangles are summed, so this is the mean over the pairs.
        return self.factor * ops.sum(ops.abs(products * others)) / max(1.0, count * (count - 1.0))

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}


def _factor(owner: str, argument: str, value: Any) -> float:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not abs(value) < math.inf or value < 0:
        raise ArgumentError(f"{owner}: {argument} must be a number from 0, received {value!r}")
    return float(value)
