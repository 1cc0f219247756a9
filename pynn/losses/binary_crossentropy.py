"""Binary cross-entropy."""

from __future__ import annotations

from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.ir import Value
from pynn.losses.alignment import same_shape
from pynn.losses.base import LossFunctionWrapper
from pynn.losses.targets import check_probabilities, targets_checked_by
from pynn.utils.arrays import as_float, traceable


def check_label_smoothing(name: str, label_smoothing: float) -> float:
    """``label_smoothing`` if it lies in [0, 1]."""
    if not isinstance(label_smoothing, int | float) or not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"{name}: label_smoothing must lie between 0 and 1, received {label_smoothing!r}")
    return label_smoothing


@targets_checked_by(check_probabilities)
@traceable(arrays=2)
def binary_crossentropy(
    y_true: Value, y_pred: Value, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Value:
    """``-mean(t*log(p) + (1-t)*log(1-p))`` over ``axis``; smoothing moves the targets towards 0.5."""
    y_true, y_pred = same_shape("binary_crossentropy", as_float(y_true), as_float(y_pred))
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


class BinaryCrossentropy(LossFunctionWrapper):
    """For outputs that each answer yes or no: targets 0 or 1, predictions probabilities (or logits).

    Example:
        >>> float(BinaryCrossentropy()([[1.0]], [[0.5]]))  # log(2)
        0.6931...

    Shapes:
        targets and predictions of one shape, ``(batch, ..., n)``.
        Called as an object it gives one number, the mean over the batch; ``reduction="none"`` gives one per sample.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: str | None = None,
    ):
        check_label_smoothing("BinaryCrossentropy", label_smoothing)
        super().__init__(
            binary_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
