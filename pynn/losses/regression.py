"""Losses of regression: differences between numbers on a scale, and between directions."""

from __future__ import annotations

from typing import Any

from pynn import ops
from pynn.graph.ir import Value
from pynn.losses.alignment import same_shape
from pynn.losses.base import FunctionLoss
from pynn.losses.targets import check_same_shape, targets_checked_by
from pynn.settings import epsilon
from pynn.utils.arrays import as_float, traceable


def _floats(name: str, y_true: Any, y_pred: Any) -> tuple[Value, Value]:
    return same_shape(name, as_float(y_true), as_float(y_pred))


@targets_checked_by(check_same_shape)
@traceable(arrays=2)
def mean_squared_error(y_true: Value, y_pred: Value) -> Value:
    """``mean((y_true - y_pred)**2)`` over the last axis.

    Example:
        >>> from pynn import losses
        >>> losses.mean_squared_error([[1.0, 2.0]], [[1.0, 4.0]]).round(4)
        array([2.], dtype=float32)
    """
    y_true, y_pred = _floats("mean_squared_error", y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


@targets_checked_by(check_same_shape)
@traceable(arrays=2)
def mean_absolute_error(y_true: Value, y_pred: Value) -> Value:
    """``mean(|y_true - y_pred|)`` over the last axis.

    Example:
        >>> from pynn import losses
        >>> losses.mean_absolute_error([[1.0, 2.0]], [[1.0, 4.0]]).round(4)
        array([1.], dtype=float32)
    """
    y_true, y_pred = _floats("mean_absolute_error", y_true, y_pred)
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


@targets_checked_by(check_same_shape)
@traceable(arrays=2)
def mean_absolute_percentage_error(y_true: Value, y_pred: Value) -> Value:
    """``100 * mean(|y_true - y_pred| / max(|y_true|, 1e-7))`` over the last axis.

    Example:
        >>> from pynn import losses
        >>> losses.mean_absolute_percentage_error([[1.0, 2.0]], [[1.0, 4.0]]).round(4)
        array([50.], dtype=float32)
    """
    y_true, y_pred = _floats("mean_absolute_percentage_error", y_true, y_pred)
    return 100.0 * ops.mean(ops.abs((y_true - y_pred) / ops.maximum(ops.abs(y_true), epsilon())), axis=-1)


@targets_checked_by(check_same_shape)
@traceable(arrays=2)
def mean_squared_logarithmic_error(y_true: Value, y_pred: Value) -> Value:
    """``mean((log(y_true + 1) - log(y_pred + 1))**2)`` over the last axis; numbers below 1e-7 count as 1e-7.

    Example:
        >>> from pynn import losses
        >>> losses.mean_squared_logarithmic_error([[1.0, 2.0]], [[1.0, 4.0]]).round(4)
        array([0.1305], dtype=float32)
    """
    y_true, y_pred = _floats("mean_squared_logarithmic_error", y_true, y_pred)
    true_log, pred_log = (ops.log(ops.maximum(y, epsilon()) + 1.0) for y in (y_true, y_pred))
    return ops.mean(ops.square(true_log - pred_log), axis=-1)


@targets_checked_by(check_same_shape)
@traceable(arrays=2)
def huber(y_true: Value, y_pred: Value, delta: float = 1.0) -> Value:
    """``mean(r**2 / 2 if |r| <= delta else delta * |r| - delta**2 / 2)`` over the last axis, ``r`` the error.

    Example:
        >>> from pynn import losses
        >>> losses.huber([[1.0, 2.0]], [[1.0, 4.0]]).round(4)
        array([0.75], dtype=float32)
    """
    y_true, y_pred = _floats("huber", y_true, y_pred)
    size = ops.abs(y_pred - y_true)
    # Both cases at once, with the part of |r| below delta and the part above.
    below = ops.minimum(size, delta)
    return ops.mean(0.5 * ops.square(below) + delta * (size - below), axis=-1)


@targets_checked_by(check_same_shape)
@traceable(arrays=2)
def pseudo_huber(y_true: Value, y_pred: Value, delta: float = 1.0) -> Value:
    """``mean(delta**2 * (sqrt(1 + (r / delta)**2) - 1))`` over the last axis, ``r`` the error.

    Example:
        >>> from pynn import losses
        >>> losses.pseudo_huber([[1.0, 2.0]], [[1.0, 4.0]]).round(4)
        array([0.618], dtype=float32)
    """
    y_true, y_pred = _floats("pseudo_huber", y_true, y_pred)
    r = ops.square((y_pred - y_true) * (1.0 / delta))
    # sqrt(1 + r) - 1 would lose small errors to rounding; this is the same number.
    return ops.mean(delta * delta * (r / (1.0 + ops.sqrt(1.0 + r))), axis=-1)


@targets_checked_by(check_same_shape)
@traceable(arrays=2)
def log_cosh(y_true: Value, y_pred: Value) -> Value:
    """``mean(log(cosh(y_pred - y_true)))`` over the last axis: near ``r**2 / 2`` for small errors, ``|r|`` beyond.

    Example:
        >>> from pynn import losses
        >>> losses.log_cosh([[1.0, 2.0]], [[1.0, 4.0]]).round(4)
        array([0.6625], dtype=float32)
    """
    y_true, y_pred = _floats("log_cosh", y_true, y_pred)
    size = ops.abs(y_pred - y_true)
    return ops.mean(size + ops.softplus(-2.0 * size) - 0.6931471805599453, axis=-1)


@targets_checked_by(check_same_shape)
@traceable(arrays=2)
def cosine_similarity(y_true: Value, y_pred: Value, axis: int = -1) -> Value:
    """``-sum(y_true / |y_true| * y_pred / |y_pred|)`` over ``axis``: -1 for one direction, 1 for opposite ones.

    Example:
        >>> from pynn import losses
        >>> losses.cosine_similarity([[1.0, 0.0]], [[1.0, 1.0]]).round(4)
        array([-0.7071], dtype=float32)
    """
    y_true, y_pred = _floats("cosine_similarity", y_true, y_pred)
    return -ops.sum(unit_length(y_true, axis) * unit_length(y_pred, axis), axis=axis)


def unit_length(x: Value, axis: int = -1) -> Value:
    """``x`` divided by its length along ``axis``; zeros stay zeros, with a finite gradient."""
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x * ops.rsqrt(ops.maximum(squares, epsilon() ** 2))


class MeanSquaredError(FunctionLoss, of=mean_squared_error):
    """Mean of squared differences: the usual loss of regression.

    Example:
        >>> float(MeanSquaredError()([[0.0, 1.0]], [[0.5, 1.0]]))
        0.125

    Shapes:
        targets and predictions of one shape, ``(batch, ..., n)``.
        Called as an object it gives one number, the mean over the batch; ``reduction="none"`` gives one per sample.
    """


class MeanAbsoluteError(FunctionLoss, of=mean_absolute_error):
    """Mean of absolute differences: outliers weigh less than in the squared error.

    Example:
        >>> float(MeanAbsoluteError()([[0.0, 1.0]], [[0.5, 1.0]]))
        0.25
    """


class MeanAbsolutePercentageError(FunctionLoss, of=mean_absolute_percentage_error):
    """Mean of absolute differences in percent of the targets.

    Example:
        >>> float(MeanAbsolutePercentageError()([[2.0, 1.0]], [[1.0, 1.0]]))
        25.0
    """


class MeanSquaredLogarithmicError(FunctionLoss, of=mean_squared_logarithmic_error):
    """Mean of squared differences of logarithms, for targets of very different sizes; none of them negative.

    Example:
        >>> float(MeanSquaredLogarithmicError()([[0.0]], [[1.0]]))  # log(2)**2
        0.480...
    """


class Huber(FunctionLoss, of=huber, name="huber_loss", unwritten=("delta",)):
    """Squared for errors up to ``delta``, linear beyond.

    Example:
        >>> float(Huber()([[0.0, 0.0]], [[1.0, 3.0]]))  # (0.5 + 2.5) / 2
        1.5

    Source:
        P. J. Huber, Robust Estimation of a Location Parameter, 1964.
    """


class PseudoHuber(FunctionLoss, of=pseudo_huber):
    """``delta**2 * (sqrt(1 + (r / delta)**2) - 1)``: :class:`Huber` without the corner in its slope.

    Keras has no such loss.

    Example:
        >>> float(PseudoHuber(delta=3.0)([[0.0]], [[4.0]]))  # 9 * (5/3 - 1)
        6.0

    Source:
        Charbonnier et al., Deterministic Edge-Preserving Regularization in Computed Imaging, 1997.
    """


class LogCosh(FunctionLoss, of=log_cosh):
    """Logarithm of the hyperbolic cosine of the error.

    Example:
        >>> float(LogCosh()([[0.0]], [[1.0]]))
        0.433...
    """


class CosineSimilarity(FunctionLoss, of=cosine_similarity, unwritten=("axis",)):
    """The negative cosine of the angle between targets and predictions.

    Example:
        >>> float(CosineSimilarity()([[1.0, 0.0]], [[3.0, 4.0]]))
        -0.6...
    """
