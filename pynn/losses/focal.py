"""Focal losses: cross-entropies in which samples that are right already count for little.

Source of both: Lin et al., Focal Loss for Dense Object Detection, 2017.
"""

from __future__ import annotations

from pynn import ops
from pynn.graph.ir import Value
from pynn.losses.alignment import same_shape
from pynn.losses.base import FunctionLoss
from pynn.losses.crossentropy import smooth
from pynn.losses.targets import check_one_hot, check_probabilities, targets_checked_by
from pynn.settings import epsilon
from pynn.utils.arrays import as_float, traceable


@targets_checked_by(check_probabilities)
@traceable(arrays=2)
def binary_focal_crossentropy(
    y_true: Value,
    y_pred: Value,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Value:
    """``mean((1 - p_t)**gamma * binary_crossentropy)`` over ``axis``, ``p_t`` the probability of the right answer.

    With ``apply_class_balancing`` class 1 weighs ``alpha`` and class 0 ``1 - alpha``.

    Example:
        >>> from pynn import losses
        >>> losses.binary_focal_crossentropy([[0.0, 1.0]], [[0.25, 0.75]]).round(4)
        array([0.018], dtype=float32)
    """
    y_true, y_pred = same_shape("binary_focal_crossentropy", as_float(y_true), as_float(y_pred))
    y_true = smooth(y_true, label_smoothing, 2)
    p = ops.sigmoid(y_pred) if from_logits else y_pred
    wrong = y_true * (1.0 - p) + (1.0 - y_true) * p  # 1 - p_t
    loss = ops.power(wrong, gamma) * ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits)
    if apply_class_balancing:
        loss = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * loss
    return ops.mean(loss, axis=axis)


@targets_checked_by(check_one_hot)
@traceable(arrays=2)
def categorical_focal_crossentropy(
    y_true: Value,
    y_pred: Value,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Value:
    """``-sum(alpha * (1 - p)**gamma * t * log(p))`` over ``axis``; ``p`` is kept in ``[1e-7, 1 - 1e-7]``.

    Example:
        >>> from pynn import losses
        >>> losses.categorical_focal_crossentropy([[0.0, 1.0, 0.0]], [[0.25, 0.5, 0.25]]).round(4)
        array([0.0433], dtype=float32)
    """
    y_true, y_pred = same_shape("categorical_focal_crossentropy", as_float(y_true), as_float(y_pred))
    y_true = smooth(y_true, label_smoothing, y_pred.shape[axis])
    p = ops.softmax(y_pred, axis=axis) if from_logits else y_pred / ops.sum(y_pred, axis=axis, keepdims=True)
    p = ops.clip(p, epsilon(), 1.0 - epsilon())
    return -ops.sum(alpha * ops.power(1.0 - p, gamma) * y_true * ops.log(p), axis=axis)


class BinaryFocalCrossentropy(FunctionLoss, of=binary_focal_crossentropy):
    """Binary cross-entropy times ``(1 - p_t)**gamma``, for classes of very different frequency.

    Example:
        >>> float(BinaryFocalCrossentropy()([[1.0]], [[0.5]]))  # log(2) / 4
        0.1732...
    """


class CategoricalFocalCrossentropy(FunctionLoss, of=categorical_focal_crossentropy):
    """Cross-entropy times ``alpha * (1 - p)**gamma``; targets one-hot.

    Example:
        >>> float(CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]))  # log(2) / 16
        0.0433...
    """
