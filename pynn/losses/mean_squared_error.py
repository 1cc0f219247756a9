"""Mean squared error."""

from __future__ import annotations

from pynn import ops
from pynn.graph.ir import Value
from pynn.losses.alignment import same_shape
from pynn.losses.base import LossFunctionWrapper
from pynn.losses.targets import check_same_shape, targets_checked_by
from pynn.utils.arrays import as_float, traceable


@targets_checked_by(check_same_shape)
@traceable(arrays=2)
def mean_squared_error(y_true: Value, y_pred: Value) -> Value:
    """``mean((y_true - y_pred)**2)`` over the last axis."""
    y_true, y_pred = same_shape("mean_squared_error", as_float(y_true), as_float(y_pred))
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


class MeanSquaredError(LossFunctionWrapper):
    """Mean of squared differences: the usual loss of regression.

    Example:
        >>> float(MeanSquaredError()([[0.0, 1.0]], [[0.5, 1.0]]))
        0.125

    Shapes:
        targets and predictions of one shape, ``(batch, ..., n)``.
        Called as an object it gives one number, the mean over the batch; ``reduction="none"`` gives one per sample.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_error",
        dtype: str | None = None,
    ):
        super().__init__(mean_squared_error, reduction, name, dtype)
