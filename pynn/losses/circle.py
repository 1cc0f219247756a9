"""Circle loss: embeddings of one class close together, those of others far apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ShapeError
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.losses.base import FunctionLoss
from pynn.losses.targets import check_labels, targets_checked_by
from pynn.utils.arrays import as_float, traceable


@targets_checked_by(check_labels)
@traceable(arrays=2)
def circle(
    y_true: Value,
    y_pred: Value,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Value:
    """``log(1 + sum_n exp(gamma * a_n * (s_n - margin)) * sum_p exp(-gamma * a_p * (s_p - 1 + margin)))`` per sample.

    ``s`` are the products with the reference embeddings, p those of the same label and n the others;
    ``a_p = max(1 + margin - s_p, 0)`` and ``a_n = max(s_n + margin, 0)``.

    Args:
        y_true: labels ``(batch,)`` or ``(batch, 1)``.
        y_pred: embeddings ``(batch, n)`` of length 1.
        ref_labels, ref_embeddings: what to compare with; the batch itself by default.
        remove_diagonal: whether sample i is not compared with reference i: itself.

    Example:
        >>> from pynn import losses
        >>> losses.circle([0, 0, 1, 1], [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [0.6, 0.8]]).shape
        (4,)
    """
    y_pred, labels = as_float(y_pred), _labels(y_true)
    others = y_pred if ref_embeddings is None else as_float(trace.as_value(ref_embeddings))
    other_labels = labels if ref_labels is None else _labels(trace.as_value(ref_labels))
    if y_pred.ndim != 2 or labels.size != y_pred.shape[0] or other_labels.size != others.shape[0]:
        raise ShapeError(
            f"circle: expected labels (batch,) and embeddings (batch, n), received {y_true.shape} and {y_pred.shape}, "
            f"to be compared with {other_labels.shape} and {others.shape}"
        )
    distance = ops.maximum(1.0 - ops.matmul(y_pred, ops.transpose(others)), 0.0)  # (batch, references)
    shape = (labels.size, other_labels.size)
    rows, columns = ops.reshape(labels, (-1, 1)), ops.reshape(other_labels, (1, -1))
    same = ops.cast(ops.equal(ops.broadcast_to(rows, shape), ops.broadcast_to(columns, shape)), "float32")
    off_diagonal = trace.current().constant(1.0 - np.eye(*shape, dtype="float32"))
    positive = same * off_diagonal if remove_diagonal else same
    towards = gamma * (margin + distance) * (distance - margin)
    away = gamma * ops.maximum(1.0 + margin - distance, 0.0) * (1.0 - margin - distance)
    return ops.softplus(_masked_logsumexp(towards, positive) + _masked_logsumexp(away, 1.0 - same))


def _labels(y: Value) -> Value:
    return as_float(ops.reshape(y, (y.size,)))


def _masked_logsumexp(x: Value, mask: Value) -> Value:
    """``log(sum(exp(x)))`` over those of the last axis that the mask shows, with -1e30 for the logarithm of 0."""
    hidden = (1.0 - mask) * -1e30
    highest = ops.stop_gradient(ops.max(x * mask + hidden, axis=-1, keepdims=True))
    some = ops.max(mask, axis=-1)
    total = ops.sum(mask * ops.exp((x - highest) * mask), axis=-1)
    return some * (ops.log(total + (1.0 - some)) + ops.reshape(highest, some.shape)) + (1.0 - some) * -1e30


class Circle(
    FunctionLoss, of=circle, order=("gamma", "margin", "remove_diagonal", "reduction", "name", "dtype"), gamma=80.0
):
    """For learning embeddings from labels, all pairs of a batch at once; predictions should have length 1.

    Samples without loss (those that have no other of their class in the batch) do not count in the mean.

    Example:
        >>> import numpy as np
        >>> loss = Circle()([0, 0, 1], np.array([[0.6, 0.8], [1.0, 0.0], [0.0, 1.0]]))
        >>> round(float(loss), 2)
        19.2

    Source:
        Sun et al., Circle Loss: A Unified Perspective of Pair Similarity Optimization, 2020.
    """

    def call(self, y_true: Value, y_pred: Value) -> Value:
        return self.fn(y_true, y_pred, **self.kwargs)

    def call_and_mask(self, y_true: Value, y_pred: Value) -> tuple[Value, Value | None]:
        values = self.call(y_true, y_pred)
        # Not 0: the exponential of a very negative number is the smallest number there is, not 0.
        return values, ops.cast(ops.greater(values, 1e-37), "float32")
