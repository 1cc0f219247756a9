"""Cross-entropy with one-hot targets."""

from __future__ import annotations

from pynn import ops
from pynn.graph.ir import Value
from pynn.losses.alignment import same_shape
from pynn.losses.base import LossFunctionWrapper
from pynn.losses.binary_crossentropy import check_label_smoothing
from pynn.losses.targets import check_one_hot, targets_checked_by
from pynn.utils.arrays import as_float, traceable


@targets_checked_by(check_one_hot)
@traceable(arrays=2)
def categorical_crossentropy(
    y_true: Value, y_pred: Value, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Value:
    """``-sum(t*log(p))`` over ``axis``; smoothing moves the targets towards equal probabilities."""
    y_true, y_pred = same_shape("categorical_crossentropy", as_float(y_true), as_float(y_pred))
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_pred.shape[axis]
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


class CategoricalCrossentropy(LossFunctionWrapper):
    """For one class out of several: targets one-hot (or probabilities), predictions probabilities (or logits).

    For targets that are class numbers use :class:`SparseCategoricalCrossentropy`.

    Example:
        >>> float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]))  # log(2)
        0.6931...

    Shapes:
        targets and predictions of one shape, ``(batch, ..., classes)``.
        Called as an object it gives one number, the mean over the batch; ``reduction="none"`` gives one per sample.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: str | None = None,
    ):
        check_label_smoothing("CategoricalCrossentropy", label_smoothing)
        super().__init__(
            categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
