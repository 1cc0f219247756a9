"""Connectionist temporal classification: labels without their places in time."""

from __future__ import annotations

import numpy as np

from pynn import ops
from pynn.errors import ShapeError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.losses.base import FunctionLoss
from pynn.losses.targets import check_sequences, targets_checked_by
from pynn.utils.arrays import as_float, traceable


@targets_checked_by(check_sequences)
@traceable(arrays=2)
def ctc(y_true: Value, y_pred: Value) -> Value:
    """Negative logarithm of the probability that the steps of ``y_pred`` spell ``y_true``; see :class:`CTC`."""
    if y_true.ndim != 2 or y_pred.ndim != 3:
        raise ShapeError(
            "ctc: expected targets y_true of shape (batch, max_length) and logits y_pred of shape "
            f"(batch, steps, classes), received {y_true.shape} and {y_pred.shape}"
        )
    batch, steps, _ = y_pred.shape
    lengths = ops.sum(ops.cast(ops.not_equal(as_float(y_true), 0.0), "float32"), axis=-1)
    all_steps = trace.current().constant(np.full(batch, steps, "int32"), "int32")
    return ops.ctc_loss(y_true, y_pred, ops.cast(lengths, "int32"), all_steps)


class CTC(FunctionLoss, of=ctc):
    """For sequences whose labels are known but not when they come: speech, handwriting.

    Each step predicts one of the classes; class 0 is the blank.  Equal neighbours count once, then blanks are taken
    out, and all paths that leave ``y_true`` add up.

    Example:
        >>> import numpy as np
        >>> float(CTC()([[1, 2]], np.zeros((1, 2, 3))))  # one path of two steps: log(3) * 2
        2.197...

    Shapes:
        targets ``(batch, max_length)``, labels from 1, filled up with 0; predictions ``(batch, steps, classes)``,
        logits.

    Source:
        Graves et al., Connectionist Temporal Classification, 2006.
    """

    def call(self, y_true: Value, y_pred: Value) -> Value:
        return self.fn(y_true, y_pred)
