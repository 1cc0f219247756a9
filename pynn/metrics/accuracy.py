"""How often predictions are right."""

from __future__ import annotations

from pynn import ops
from pynn.graph.ir import Value
from pynn.losses.alignment import class_indices, same_shape
from pynn.metrics.reductions import FunctionMetric
from pynn.utils.arrays import as_float, traceable


def _equal(a: Value, b: Value) -> Value:
    """1 where they are equal; class numbers, exact in float32, are compared there, where there is a kernel."""
    return ops.cast(ops.equal(as_float(a), as_float(b)), "float32")


@traceable(arrays=2)
def accuracy(y_true: Value, y_pred: Value) -> Value:
    """1 where ``y_true == y_pred``, else 0."""
    return _equal(*same_shape("accuracy", as_float(y_true), as_float(y_pred)))


@traceable(arrays=2)
def binary_accuracy(y_true: Value, y_pred: Value, threshold: float = 0.5) -> Value:
    """1 where the prediction is on the right side of ``threshold``, else 0.

    Example:
        >>> from pynn import metrics
        >>> metrics.binary_accuracy([[0.0, 1.0]], [[0.25, 0.75]])
        array([[1., 1.]], dtype=float32)
    """
    y_true, y_pred = same_shape("binary_accuracy", as_float(y_true), as_float(y_pred))
    return _equal(y_true, ops.cast(ops.greater(y_pred, threshold), "float32"))


@traceable(arrays=2)
def categorical_accuracy(y_true: Value, y_pred: Value) -> Value:
    """1 where the most likely class is the one-hot target's class.

    Example:
        >>> from pynn import metrics
        >>> metrics.categorical_accuracy([[0.0, 1.0], [1.0, 0.0]], [[0.2, 0.8], [0.4, 0.6]])
        array([1., 0.], dtype=float32)
    """
    y_true, y_pred = same_shape("categorical_accuracy", as_float(y_true), as_float(y_pred))
    return _equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1))


@traceable(arrays=2)
def sparse_categorical_accuracy(y_true: Value, y_pred: Value) -> Value:
    """1 where the most likely class is the target's class number.

    Example:
        >>> from pynn import metrics
        >>> metrics.sparse_categorical_accuracy([1, 0], [[0.2, 0.8], [0.4, 0.6]])
        array([1., 0.], dtype=float32)
    """
    y_true = class_indices("sparse_categorical_accuracy", y_true, y_pred)
    return _equal(y_true, ops.argmax(as_float(y_pred), axis=-1))


@traceable(arrays=2)
def top_k_categorical_accuracy(y_true: Value, y_pred: Value, k: int = 5) -> Value:
    """1 where the one-hot target's class is among the ``k`` most likely.

    Example:
        >>> from pynn import metrics
        >>> metrics.top_k_categorical_accuracy([[0.0, 0.0, 1.0]], [[0.1, 0.6, 0.3]], k=2)
        array([1.], dtype=float32)
    """
    y_true, y_pred = same_shape("top_k_categorical_accuracy", as_float(y_true), as_float(y_pred))
    return _among_first(ops.argmax(y_true, axis=-1), y_pred, k)


@traceable(arrays=2)
def sparse_top_k_categorical_accuracy(y_true: Value, y_pred: Value, k: int = 5, from_sorted_ids: bool = False) -> Value:
    """1 where the target's class number is among the ``k`` most likely.

    With ``from_sorted_ids`` predictions are class numbers, the most likely first, in place of scores.

    Example:
        >>> from pynn import metrics
        >>> metrics.sparse_top_k_categorical_accuracy([2], [[0.1, 0.6, 0.3]], k=2)
        array([1.], dtype=float32)
    """
    labels = class_indices("sparse_top_k_categorical_accuracy", y_true, y_pred)
    if not from_sorted_ids:
        return _among_first(labels, as_float(y_pred), k)
    first = as_float(y_pred)[..., :k]
    return ops.max(_equal(ops.broadcast_to(ops.expand_dims(labels, -1), first.shape), first), axis=-1)


def _among_first(labels: Value, scores: Value, k: int) -> Value:
    """1 where fewer than ``k`` scores are above the label's own; 0 for labels of no class."""
    chosen = ops.one_hot(labels, scores.shape[-1])
    own = ops.sum(ops.where(chosen, scores, 0.0), axis=-1, keepdims=True)
    above = ops.sum(ops.cast(ops.greater(scores, own), "float32"), axis=-1)
    return ops.cast(ops.less(above, float(k)), "float32") * ops.sum(chosen, axis=-1)


class Accuracy(FunctionMetric, of=accuracy):
    """How often predictions equal targets exactly.

    In ``compile(metrics=["accuracy"])`` the kind of accuracy that fits the targets is chosen instead.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.Accuracy()
        >>> metric.update_state([1, 2, 3, 4], [1, 2, 3, 0])
        >>> round(float(metric.result()), 4)
        0.75
    """


class BinaryAccuracy(FunctionMetric, of=binary_accuracy):
    """How often predictions are on the right side of ``threshold``.

    Example:
        >>> m = BinaryAccuracy(); m.update_state([[1], [1], [0], [0]], [[0.98], [1], [0], [0.6]]); float(m.result())
        0.75
    """


class CategoricalAccuracy(FunctionMetric, of=categorical_accuracy):
    """How often the most likely class is right; targets are one-hot.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.CategoricalAccuracy()
        >>> metric.update_state([[0.0, 1.0, 0.0]], [[0.25, 0.5, 0.25]])
        >>> round(float(metric.result()), 4)
        1.0
    """


class SparseCategoricalAccuracy(FunctionMetric, of=sparse_categorical_accuracy):
    """How often the most likely class is right; targets are class numbers.

    Example:
        >>> m = SparseCategoricalAccuracy()
        >>> m.update_state([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]]); float(m.result())
        0.5
    """


class TopKCategoricalAccuracy(FunctionMetric, of=top_k_categorical_accuracy, order=("k", "name", "dtype")):
    """How often the right class is among the ``k`` most likely; targets are one-hot.

    Example:
        >>> m = TopKCategoricalAccuracy(k=2)
        >>> m.update_state([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.5, 0.95]]); float(m.result())
        1.0
    """


class SparseTopKCategoricalAccuracy(
    FunctionMetric,
    of=sparse_top_k_categorical_accuracy,
    order=("k", "name", "dtype", "from_sorted_ids"),
    unwritten=("from_sorted_ids",),
):
    """How often the right class is among the ``k`` most likely; targets are class numbers.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.SparseTopKCategoricalAccuracy(k=2)
        >>> metric.update_state([2, 0], [[0.1, 0.6, 0.3], [0.2, 0.3, 0.5]])
        >>> round(float(metric.result()), 4)
        0.5
    """
