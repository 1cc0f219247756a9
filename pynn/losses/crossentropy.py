"""Losses of classification: cross-entropies and their relatives between probability distributions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pynn import ops
from pynn.graph.ir import Value
from pynn.losses.alignment import class_indices, same_shape
from pynn.losses.base import FunctionLoss
from pynn.losses.targets import (
    check_class_indices,
    check_one_hot,
    check_probabilities,
    check_same_shape,
    targets_checked_by,
)
from pynn.settings import epsilon
from pynn.utils.arrays import as_float, traceable


def smooth(y_true: Value, label_smoothing: float, classes: int) -> Value:
    """Targets moved towards equal probabilities."""
    return y_true * (1.0 - label_smoothing) + label_smoothing / classes if label_smoothing else y_true


@targets_checked_by(check_probabilities)
@traceable(arrays=2)
def binary_crossentropy(
    y_true: Value, y_pred: Value, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Value:
    """``-mean(t*log(p) + (1-t)*log(1-p))`` over ``axis``; smoothing moves the targets towards 0.5.

    Example:
        >>> from pynn import losses
        >>> losses.binary_crossentropy([[0.0, 1.0]], [[0.25, 0.75]]).round(4)
        array([0.2877], dtype=float32)
    """
    y_true, y_pred = same_shape("binary_crossentropy", as_float(y_true), as_float(y_pred))
    y_true = smooth(y_true, label_smoothing, 2)
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


@targets_checked_by(check_one_hot)
@traceable(arrays=2)
def categorical_crossentropy(
    y_true: Value, y_pred: Value, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Value:
    """``-sum(t*log(p))`` over ``axis``; smoothing moves the targets towards equal probabilities.

    Example:
        >>> from pynn import losses
        >>> losses.categorical_crossentropy([[0.0, 1.0, 0.0]], [[0.25, 0.5, 0.25]]).round(4)
        array([0.6931], dtype=float32)
    """
    y_true, y_pred = same_shape("categorical_crossentropy", as_float(y_true), as_float(y_pred))
    y_true = smooth(y_true, label_smoothing, y_pred.shape[axis])
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


@targets_checked_by(check_class_indices)
@traceable(arrays=2)
def sparse_categorical_crossentropy(
    y_true: Value, y_pred: Value, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Value:
    """``-log(p[y_true])``: ``y_true`` holds one class number where ``y_pred`` has probabilities along ``axis``.

    The loss is 0 where the target is ``ignore_class``.

    Example:
        >>> from pynn import losses
        >>> losses.sparse_categorical_crossentropy([1], [[0.25, 0.5, 0.25]]).round(4)
        array([0.6931], dtype=float32)
    """
    y_pred = as_float(y_pred)
    labels = class_indices("sparse_categorical_crossentropy", y_true, y_pred, axis)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(labels, y_pred, from_logits=from_logits, axis=axis)
    counts = _counts(labels, ignore_class)
    # Class 0 stands in for the ignored one, which may be no class at all (-1): it must not become a NaN.
    labels = ops.cast(as_float(labels) * counts, "int32")
    return counts * ops.sparse_categorical_crossentropy(labels, y_pred, from_logits=from_logits, axis=axis)


def _counts(labels: Value, ignore_class: int) -> Value:
    """1.0 where the label is not the ignored one."""
    return ops.cast(ops.not_equal(as_float(labels), float(ignore_class)), "float32")


@targets_checked_by(check_one_hot)
@traceable(arrays=2)
def kl_divergence(y_true: Value, y_pred: Value) -> Value:
    """``sum(t * log(t / p))`` over the last axis; probabilities below 1e-7 count as 1e-7.

    Example:
        >>> from pynn import losses
        >>> losses.kl_divergence([[0.5, 0.5]], [[0.25, 0.75]]).round(4)
        array([0.1438], dtype=float32)
    """
    y_true, y_pred = same_shape("kl_divergence", as_float(y_true), as_float(y_pred))
    y_true, y_pred = ops.clip(y_true, epsilon(), 1.0), ops.clip(y_pred, epsilon(), 1.0)
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


@targets_checked_by(check_same_shape)
@traceable(arrays=2)
def poisson(y_true: Value, y_pred: Value) -> Value:
    """``mean(y_pred - y_true * log(y_pred + 1e-7))`` over the last axis.

    Example:
        >>> from pynn import losses
        >>> losses.poisson([[1.0, 2.0]], [[1.0, 4.0]]).round(4)
        array([1.1137], dtype=float32)
    """
    y_true, y_pred = same_shape("poisson", as_float(y_true), as_float(y_pred))
    return ops.mean(y_pred - y_true * ops.log(y_pred + epsilon()), axis=-1)


@targets_checked_by(check_class_indices)
@traceable(arrays=2)
def categorical_generalized_cross_entropy(y_true: Value, y_pred: Value, q: float) -> Value:
    """``(1 - p[y_true]**q) / q``: the cross-entropy for ``q`` near 0, the absolute error for ``q`` = 1.

    Example:
        >>> from pynn import losses
        >>> losses.categorical_generalized_cross_entropy([1], [[0.25, 0.5, 0.25]], q=0.5).round(4)
        array([0.5858], dtype=float32)
    """
    y_pred = as_float(y_pred)
    labels = class_indices("categorical_generalized_cross_entropy", y_true, y_pred)
    p = ops.sum(y_pred * ops.one_hot(labels, y_pred.shape[-1]), axis=-1)
    return (1.0 - ops.power(p, q)) * (1.0 / q)


class BinaryCrossentropy(FunctionLoss, of=binary_crossentropy):
    """For outputs that each answer yes or no: targets 0 or 1, predictions probabilities (or logits).

    Example:
        >>> float(BinaryCrossentropy()([[1.0]], [[0.5]]))  # log(2)
        0.6931...

    Shapes:
        targets and predictions of one shape, ``(batch, ..., n)``.
        Called as an object it gives one number, the mean over the batch; ``reduction="none"`` gives one per sample.
    """


class CategoricalCrossentropy(FunctionLoss, of=categorical_crossentropy):
    """For one class out of several: targets one-hot (or probabilities), predictions probabilities (or logits).

    For targets that are class numbers use :class:`SparseCategoricalCrossentropy`.

    Example:
        >>> float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]))  # log(2)
        0.6931...

    Shapes:
        targets and predictions of one shape, ``(batch, ..., classes)``.
    """


class SparseCategoricalCrossentropy(
    FunctionLoss,
    of=sparse_categorical_crossentropy,
    order=("from_logits", "ignore_class", "reduction", "axis", "name", "dtype"),
    unwritten=("axis",),
):
    """For one class out of several: targets are class numbers, predictions probabilities (or logits).

    Targets that are ``ignore_class`` count for nothing; the mean is that of the others.

    Example:
        >>> float(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]))  # log(2)
        0.6931...

    Shapes:
        targets ``(batch, ...)``, predictions ``(batch, ..., classes)``, or the classes along ``axis``.
    """

    ignore_class: int | None
    axis: int

    def call(self, y_true: Value, y_pred: Value) -> Value:
        return self.fn(y_true, y_pred, **self.kwargs)

    def call_and_mask(self, y_true: Value, y_pred: Value) -> tuple[Value, Value | None]:
        values = self.call(y_true, y_pred)
        if self.ignore_class is None:
            return values, None
        return values, _counts(class_indices(self.name, y_true, y_pred, self.axis), self.ignore_class)

    def check_targets(self, y: np.ndarray, output_shape: Sequence[int | None], argument: str = "y") -> None:
        y = np.asarray(y)
        if self.ignore_class is not None and y.dtype.kind in "fiub":
            y = np.where(y == self.ignore_class, 0, y)
        if -len(output_shape) <= self.axis < len(output_shape):
            rest = list(output_shape)
            output_shape = [*rest[: self.axis], *rest[self.axis :][1:], rest[self.axis]]
        super().check_targets(y, output_shape, argument)


class KLDivergence(FunctionLoss, of=kl_divergence):
    """Kullback-Leibler divergence of predicted from given probabilities.

    Example:
        >>> float(KLDivergence()([[1.0, 0.0]], [[0.5, 0.5]]))  # log(2)
        0.69314...

    Source:
        S. Kullback, R. A. Leibler, On Information and Sufficiency, 1951.
    """


class Poisson(FunctionLoss, of=poisson):
    """For counts: the negative log-likelihood of a Poisson distribution, without its constant.

    Example:
        >>> float(Poisson()([[2.0]], [[1.0]]))
        0.99999...
    """


class CategoricalGeneralizedCrossEntropy(FunctionLoss, of=categorical_generalized_cross_entropy, q=0.5):
    """Between cross-entropy and absolute error, for labels some of which are wrong; targets are class numbers.

    Example:
        >>> float(CategoricalGeneralizedCrossEntropy(q=0.5)([1], [[0.75, 0.25]]))  # (1 - 0.5) / 0.5
        1.0

    Source:
        Zhang, Sabuncu, Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels, 2018.
    """

    def call(self, y_true: Value, y_pred: Value) -> Value:
        return self.fn(y_true, y_pred, **self.kwargs)
