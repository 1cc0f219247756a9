"""Bringing targets, predictions and sample weights to shapes that fit, as Keras does."""

from __future__ import annotations

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.ir import Value


def _squeeze_last(x: Value) -> Value:
    return ops.reshape(x, x.shape[:-1])


def _expand_last(x: Value) -> Value:
    return ops.reshape(x, (*x.shape, 1))


def squeeze_or_expand_to_same_rank(x1: Value, x2: Value) -> tuple[Value, Value]:
    """Add or drop a last axis of length 1, so that ``(n,)`` and ``(n, 1)`` meet; other shapes stay as they are."""
    if x1.ndim == x2.ndim + 1 and x1.shape[-1] == 1:
        return (x1, _expand_last(x2)) if x2.ndim == 1 else (_squeeze_last(x1), x2)
    if x2.ndim == x1.ndim + 1 and x2.shape[-1] == 1:
        return (_expand_last(x1), x2) if x1.ndim == 1 else (x1, _squeeze_last(x2))
    return x1, x2


def same_shape(name: str, y_true: Value, y_pred: Value) -> tuple[Value, Value]:
    """Both in one shape, or an error that names the loss or metric.

    Broadcasting ``(n, 1)`` against ``(n, k)`` would give a number too, but one that means nothing.
    """
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    if y_true.shape != y_pred.shape:
        raise ShapeError(
            f"{name}: y_true of shape {y_true.shape} does not fit y_pred of shape {y_pred.shape}; "
            "both must have the same shape"
        )
    return y_true, y_pred


def class_indices(name: str, y_true: Value, y_pred: Value, axis: int = -1) -> Value:
    """Class numbers as int32, one for each distribution in ``y_pred``, whose classes are along ``axis``."""
    if not -y_pred.ndim <= axis < y_pred.ndim:
        raise ArgumentError(f"{name}: axis {axis} is outside of y_pred, which has shape {y_pred.shape}")
    axis %= y_pred.ndim
    rows = y_pred.shape[:axis] + y_pred.shape[axis + 1 :]
    given = y_true.shape
    if y_true.ndim == y_pred.ndim and 1 in (given[axis], given[-1]):
        one = axis if given[axis] == 1 else y_true.ndim - 1
        y_true = ops.reshape(y_true, (*given[:one], *given[one + 1 :]))
    if y_true.shape != rows:
        raise ShapeError(
            f"{name}: y_true of shape {given} does not fit y_pred of shape {y_pred.shape}; "
            f"expected one class number per row, shape {rows}"
        )
    return y_true if y_true.dtype == "int32" else ops.cast(y_true, "int32")


def broadcast_weights(name: str, values: Value, weights: Value) -> tuple[Value, Value]:
    """Weights with as many axes as ``values``; their shapes agree, or a weight's axis is 1."""
    values, weights = squeeze_or_expand_to_same_rank(values, weights)
    if 0 < weights.ndim < values.ndim:
        weights = ops.reshape(weights, (*weights.shape, *(1,) * (values.ndim - weights.ndim)))
    fits = weights.ndim == 0 or (
        weights.ndim == values.ndim and all(w in (1, v) for w, v in zip(weights.shape, values.shape, strict=True))
    )
    if not fits:
        raise ShapeError(
            f"{name}: sample_weight of shape {weights.shape} does not fit values of shape {values.shape}; "
            "expected one weight per sample"
        )
    return values, weights
