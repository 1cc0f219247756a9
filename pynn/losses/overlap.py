"""Losses of segmentation: how far predicted regions overlap with the given ones."""

from __future__ import annotations

from collections.abc import Sequence

from pynn import ops
from pynn.graph.ir import Value
from pynn.losses.alignment import same_shape
from pynn.losses.base import FunctionLoss
from pynn.losses.targets import check_same_shape, targets_checked_by
from pynn.settings import epsilon
from pynn.utils.arrays import as_float, traceable

Axes = int | Sequence[int] | None


def _several(axis: Axes) -> Axes:
    """Lists, as configs have them after JSON, as tuples."""
    return tuple(axis) if isinstance(axis, list) else axis


@targets_checked_by(check_same_shape)
@traceable(arrays=2)
def dice(y_true: Value, y_pred: Value, axis: Axes = None) -> Value:
    """``1 - 2 * sum(t * p) / (sum(t) + sum(p) + 1e-7)`` over ``axis``: one number if there is none.

    Example:
        >>> from pynn import losses
        >>> losses.dice([[0.0, 1.0]], [[0.25, 0.75]]).round(4)
        np.float32(0.25)
    """
    y_true, y_pred = same_shape("dice", as_float(y_true), as_float(y_pred))
    axis = _several(axis)
    both = ops.sum(y_true * y_pred, axis=axis)
    return 1.0 - 2.0 * both / (ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis) + epsilon())


@targets_checked_by(check_same_shape)
@traceable(arrays=2)
def tversky(y_true: Value, y_pred: Value, alpha: float = 0.5, beta: float = 0.5, axis: Axes = None) -> Value:
    """``1 - tp / (tp + alpha * sum(t * (1 - p)) + beta * sum(p * (1 - t)) + 1e-7)``, ``tp = sum(t * p)``.

    Example:
        >>> from pynn import losses
        >>> losses.tversky([[0.0, 1.0]], [[0.25, 0.75]]).round(4)
        np.float32(0.25)
    """
    y_true, y_pred = same_shape("tversky", as_float(y_true), as_float(y_pred))
    axis = _several(axis)
    both = ops.sum(y_true * y_pred, axis=axis)
    missed = ops.sum(y_true * (1.0 - y_pred), axis=axis)
    invented = ops.sum(y_pred * (1.0 - y_true), axis=axis)
    return 1.0 - both / (both + alpha * missed + beta * invented + epsilon())


class Dice(FunctionLoss, of=dice, order=("reduction", "name", "axis", "dtype")):
    """1 minus the Dice coefficient of two (fuzzy) sets of pixels; over the whole batch, or over ``axis``.

    Example:
        >>> float(Dice()([[1.0, 1.0]], [[0.5, 0.5]]))  # 1 - 2/3
        0.333...

    Source:
        Milletari et al., V-Net, 2016.
    """


class Tversky(FunctionLoss, of=tversky, order=("alpha", "beta", "reduction", "name", "axis", "dtype")):
    """:class:`Dice` with weights for what is missed (``alpha``) and what is invented (``beta``).

    Example:
        >>> float(Tversky()([[1.0, 1.0]], [[0.5, 0.5]]))
        0.333...

    Source:
        Salehi et al., Tversky loss function for image segmentation, 2017.
    """
