"""Intersection over union: how far predicted regions of each class cover the given ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.losses.alignment import broadcast_weights, squeeze_or_expand_to_same_rank
from pynn.metrics.base import Metric
from pynn.metrics.results import as_result, divide_no_nan
from pynn.ops.embedding import AddRows
from pynn.utils.arrays import as_float

#: The counts are a matrix of so many times so many.
_MOST_CLASSES = 30_000


def _check_classes(metric: str, num_classes: Any) -> None:
    whole = isinstance(num_classes, int | np.integer) and not isinstance(num_classes, bool)
    if not whole or not 1 <= num_classes <= _MOST_CLASSES:
        raise ArgumentError(
            f"{metric}: num_classes must be a whole number from 1 to {_MOST_CLASSES}, received {num_classes!r}"
        )


def _all_classes(metric: str, num_classes: Any) -> list[int]:
    _check_classes(metric, num_classes)
    return list(range(num_classes))


class IoU(Metric):
    """``tp / (tp + fp + fn)`` of some classes, averaged over those that occur.

    Args:
        num_classes: how many classes there are.
        target_class_ids: those to average over.
        dtype: ``"int32"``, Keras's default, or ``"float32"``; the counts keep the fractions of weights in both.
        ignore_class: targets of this class do not count.
        sparse_y_true: whether targets are class numbers; else one-hot (or scores) along ``axis``.
        sparse_y_pred: the same for predictions.
        axis: of the classes.

    Class numbers that are no classes do not count.

    Example:
        >>> m = IoU(num_classes=2, target_class_ids=[0]); m.update_state([0, 0, 1, 1], [0, 1, 0, 1])
        >>> round(float(m.result()), 4)
        0.3333
    """

    _DTYPES = ("int32", "float32")

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__("int32" if dtype == "int" else dtype, name)
        _check_classes(type(self).__name__, num_classes)
        for which, value in (("sparse_y_true", sparse_y_true), ("sparse_y_pred", sparse_y_pred)):
            if not isinstance(value, bool | np.bool_):
                raise ArgumentError(f"{type(self).__name__}: {which} must be True or False, received {value!r}")
        if ignore_class is not None and not isinstance(ignore_class, int | np.integer):
            raise ArgumentError(
                f"{type(self).__name__}: ignore_class must be the number of a class or None, received {ignore_class!r}"
            )
        for target in target_class_ids:
            if not 0 <= target < num_classes:
                raise ArgumentError(
                    f"{type(self).__name__}: target_class_ids holds {target}, expected classes in [0, {num_classes})"
                )
        self.num_classes, self.target_class_ids = num_classes, list(target_class_ids)
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.total_confusion_matrix = self.add_variable((num_classes, num_classes), name="total_confusion_matrix")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        owner = f"metric '{self.name}'"
        y_true, y_pred = (as_float(trace.as_value(y)) for y in (y_true, y_pred))
        y_true = y_true if self.sparse_y_true else as_float(ops.argmax(y_true, axis=self.axis))
        y_pred = y_pred if self.sparse_y_pred else as_float(ops.argmax(y_pred, axis=self.axis))
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        if y_true.size != y_pred.size:
            raise ShapeError(
                f"{owner}: targets of shape {y_true.shape} do not fit predictions of shape {y_pred.shape}; both must "
                "hold one class number per pixel (sparse_y_true, sparse_y_pred say which are one-hot)"
            )
        weights = ops.ones_like(y_pred)
        if sample_weight is not None:
            _, given = broadcast_weights(owner, y_pred, as_float(trace.as_value(sample_weight)))
            weights = ops.broadcast_to(given, y_pred.shape)
        y_true, y_pred, weights = (ops.reshape(v, (v.size,)) for v in (y_true, y_pred, weights))
        counts = self._is_class(y_true) * self._is_class(y_pred)
        if self.ignore_class is not None:
            counts = counts * ops.cast(ops.not_equal(y_true, float(self.ignore_class)), "float32")
        place = ops.cast((y_true * float(self.num_classes) + y_pred) * counts, "int32")
        table = AddRows(self.num_classes**2)(weights * counts, place)
        self.total_confusion_matrix.assign_add(ops.reshape(table, (self.num_classes, self.num_classes)))

    def _is_class(self, numbers: Value) -> Value:
        in_range = (ops.greater_equal(numbers, 0.0), ops.less(numbers, float(self.num_classes)))
        return ops.cast(in_range[0], "float32") * ops.cast(in_range[1], "float32")

    def result(self) -> Any:
        matrix = self.total_confusion_matrix.array
        eye = np.eye(self.num_classes, dtype="float32")
        right = np.sum(matrix * eye, axis=0)
        union = np.sum(matrix, axis=0) + np.sum(matrix, axis=1) - right
        chosen = eye[self.target_class_ids].sum(axis=0)
        occurs = (union != 0) * chosen
        return as_result(divide_no_nan(np.sum(divide_no_nan(right, union) * chosen), np.sum(occurs)))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }

    def _config_without(self, *names: str) -> dict[str, Any]:
        return {k: v for k, v in IoU.get_config(self).items() if k not in names}


class BinaryIoU(IoU):
    """:class:`IoU` of two classes, told apart by a threshold.

    Example:
        >>> m = BinaryIoU(threshold=0.3); m.update_state([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])
        >>> round(float(m.result()), 4)
        0.3333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        above = ops.greater_equal(as_float(trace.as_value(y_pred)), self.threshold)
        super().update_state(y_true, ops.cast(above, "float32"), sample_weight)

    def get_config(self) -> dict[str, Any]:
        own = self._config_without("num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")
        return {**own, "threshold": self.threshold}


class MeanIoU(IoU):
    """:class:`IoU` of all classes.

    Example:
        >>> m = MeanIoU(num_classes=2); m.update_state([0, 0, 1, 1], [0, 1, 0, 1]); round(float(m.result()), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(
            num_classes,
            _all_classes(type(self).__name__, num_classes),
            name,
            dtype,
            ignore_class,
            sparse_y_true,
            sparse_y_pred,
            axis,
        )

    def get_config(self) -> dict[str, Any]:
        return self._config_without("target_class_ids")


class OneHotIoU(IoU):
    """:class:`IoU` of targets that are one-hot, and predictions that are scores of the classes.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.OneHotIoU(num_classes=2, target_class_ids=[1])
        >>> metric.update_state([[0.0, 1.0], [1.0, 0.0]], [[0.2, 0.8], [0.4, 0.6]])
        >>> round(float(metric.result()), 4)
        0.5
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return self._config_without("sparse_y_true")


class OneHotMeanIoU(MeanIoU):
    """:class:`MeanIoU` of targets that are one-hot, and predictions that are scores of the classes.

    Example:
        >>> from pynn import metrics
        >>> metric = metrics.OneHotMeanIoU(num_classes=2)
        >>> metric.update_state([[0.0, 1.0], [1.0, 0.0]], [[0.2, 0.8], [0.4, 0.6]])
        >>> round(float(metric.result()), 4)
        0.25
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return self._config_without("target_class_ids", "sparse_y_true")
