"""Hinge losses: they ask for a margin, and nothing more of a prediction that has it."""

from __future__ import annotations

from pynn import ops
from pynn.graph.ir import Value
from pynn.losses.alignment import same_shape
from pynn.losses.base import FunctionLoss
from pynn.losses.targets import check_one_hot, check_signs, targets_checked_by
from pynn.utils.arrays import as_float, traceable


def _signs(y_true: Value) -> Value:
    """Labels 0 and 1 as -1 and 1; others, if there is but one of them, as they are."""
    other = ops.cast(ops.not_equal(y_true * (y_true - 1.0), 0.0), "float32")
    binary = 1.0 - ops.max(other)
    return y_true + binary * (y_true - 1.0)


def _missing_margin(name: str, y_true: Value, y_pred: Value) -> Value:
    y_true, y_pred = same_shape(name, as_float(y_true), as_float(y_pred))
    return ops.maximum(1.0 - _signs(y_true) * y_pred, 0.0)


@targets_checked_by(check_signs)
@traceable(arrays=2)
def hinge(y_true: Value, y_pred: Value) -> Value:
    """``mean(max(1 - y_true * y_pred, 0))`` over the last axis; labels -1 and 1, or 0 and 1.

    Example:
        >>> from pynn import losses
        >>> losses.hinge([[-1.0, 1.0]], [[0.5, 0.5]]).round(4)
        array([1.], dtype=float32)
    """
    return ops.mean(_missing_margin("hinge", y_true, y_pred), axis=-1)


@targets_checked_by(check_signs)
@traceable(arrays=2)
def squared_hinge(y_true: Value, y_pred: Value) -> Value:
    """``mean(max(1 - y_true * y_pred, 0)**2)`` over the last axis; labels -1 and 1, or 0 and 1.

    Example:
        >>> from pynn import losses
        >>> losses.squared_hinge([[-1.0, 1.0]], [[0.5, 0.5]]).round(4)
        array([1.25], dtype=float32)
    """
    return ops.mean(ops.square(_missing_margin("squared_hinge", y_true, y_pred)), axis=-1)


@targets_checked_by(check_one_hot)
@traceable(arrays=2)
def categorical_hinge(y_true: Value, y_pred: Value) -> Value:
    """``max(1 + max((1 - y_true) * y_pred) - sum(y_true * y_pred), 0)`` over the last axis; one-hot targets.

    Example:
        >>> from pynn import losses
        >>> losses.categorical_hinge([[0.0, 1.0, 0.0]], [[0.25, 0.5, 0.25]]).round(4)
        array([0.75], dtype=float32)
    """
    y_true, y_pred = same_shape("categorical_hinge", as_float(y_true), as_float(y_pred))
    right = ops.sum(y_true * y_pred, axis=-1)
    best_wrong = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(best_wrong - right + 1.0, 0.0)


class Hinge(FunctionLoss, of=hinge):
    """The margin that is missing, ``max(1 - y_true * y_pred, 0)``: the loss of support vector machines.

    Example:
        >>> float(Hinge()([[-1.0, 1.0]], [[0.5, 0.5]]))  # (1.5 + 0.5) / 2
        1.0
    """


class SquaredHinge(FunctionLoss, of=squared_hinge):
    """The square of the margin that is missing.

    Example:
        >>> float(SquaredHinge()([[-1.0, 1.0]], [[0.5, 0.5]]))  # (2.25 + 0.25) / 2
        1.25
    """


class CategoricalHinge(FunctionLoss, of=categorical_hinge):
    """The right class should score 1 more than the best wrong one; targets are one-hot.

    Example:
        >>> float(CategoricalHinge()([[0.0, 1.0]], [[0.25, 0.75]]))
        0.5
    """
