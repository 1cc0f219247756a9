"""How often predictions are right."""

from __future__ import annotations

from pynn import ops
from pynn.graph.ir import Value
from pynn.losses.alignment import class_indices, same_shape
from pynn.metrics.reductions import MeanMetricWrapper
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
    """How many of a sample's predictions are on the right side of ``threshold``."""
    y_true, y_pred = same_shape("binary_accuracy", as_float(y_true), as_float(y_pred))
    right = _equal(y_true, ops.cast(ops.greater(y_pred, threshold), "float32"))
    return ops.mean(right, axis=-1) if right.ndim > 1 else right


@traceable(arrays=2)
def categorical_accuracy(y_true: Value, y_pred: Value) -> Value:
    """1 where the most likely class is the one-hot target's class."""
    y_true, y_pred = same_shape("categorical_accuracy", as_float(y_true), as_float(y_pred))
    return _equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1))


@traceable(arrays=2)
def sparse_categorical_accuracy(y_true: Value, y_pred: Value) -> Value:
    """1 where the most likely class is the target's class number."""
    y_true = class_indices("sparse_categorical_accuracy", y_true, y_pred)
    return _equal(y_true, ops.argmax(as_float(y_pred), axis=-1))


class Accuracy(MeanMetricWrapper):
    """How often predictions equal targets exactly.

    In ``compile(metrics=["accuracy"])`` the kind of accuracy that fits the targets is chosen instead.
    """

    def __init__(self, name: str = "accuracy", dtype: str | None = None):
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often predictions are on the right side of ``threshold``.

    Example:
        >>> m = BinaryAccuracy(); m.update_state([[1], [1], [0], [0]], [[0.98], [1], [0], [0.6]]); m.result()
        0.75
    """

    def __init__(self, name: str = "binary_accuracy", dtype: str | None = None, threshold: float = 0.5):
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the most likely class is right; targets are one-hot."""

    def __init__(self, name: str = "categorical_accuracy", dtype: str | None = None):
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the most likely class is right; targets are class numbers.

    Example:
        >>> m = SparseCategoricalAccuracy(); m.update_state([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]]); m.result()
        0.5
    """

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: str | None = None):
        super().__init__(sparse_categorical_accuracy, name, dtype)
