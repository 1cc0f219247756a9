"""Cross-entropy with class numbers as targets."""

from __future__ import annotations

from typing import Any

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.losses.alignment import class_indices
from pynn.losses.base import LossFunctionWrapper
from pynn.losses.targets import check_class_indices, targets_checked_by
from pynn.utils.arrays import as_float, traceable


@targets_checked_by(check_class_indices)
@traceable(arrays=2)
def sparse_categorical_crossentropy(
    y_true: Value, y_pred: Value, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Value:
    """``-log(p[y_true])``: ``y_true`` holds one class number where ``y_pred`` has a row of probabilities."""
    _refuse_ignore_class(ignore_class)
    y_pred = as_float(y_pred)
    if axis not in (-1, y_pred.ndim - 1):
        raise ArgumentError(
            f"sparse_categorical_crossentropy: axis must be the last one, received {axis}; transpose y_pred"
        )
    y_true = class_indices("sparse_categorical_crossentropy", y_true, y_pred)
    return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits)


def _refuse_ignore_class(ignore_class: Any) -> None:
    if ignore_class is not None:
        raise ArgumentError(
            f"sparse_categorical_crossentropy: ignore_class={ignore_class!r} is not supported yet; "
            "give those samples sample_weight 0 instead"
        )


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """For one class out of several: targets are class numbers, predictions probabilities (or logits).

    Example:
        >>> float(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]))  # log(2)
        0.6931...

    Shapes:
        targets ``(batch, ...)``, predictions ``(batch, ..., classes)``.
        Called as an object it gives one number, the mean over the batch; ``reduction="none"`` gives one per sample.
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: str | None = None,
    ):
        _refuse_ignore_class(ignore_class)
        super().__init__(sparse_categorical_crossentropy, reduction, name, dtype, from_logits=from_logits, axis=axis)
        self.from_logits = from_logits

    def call(self, y_true: Value, y_pred: Value) -> Value:
        return self.fn(y_true, y_pred, **self.kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["axis"]
        return {**config, "ignore_class": None}
