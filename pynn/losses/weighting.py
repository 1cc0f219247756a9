"""From a loss per sample to the number that is minimised: sample weights, masks, reductions."""

from __future__ import annotations

from typing import Any

from pynn import ops
from pynn.graph import trace
from pynn.graph.ir import Value
from pynn.losses.alignment import broadcast_weights
from pynn.utils.arrays import as_float

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)
_MEANS = ("sum_over_batch_size", "mean")


def mask_of(x: Any) -> Any:
    """The mask that travels with an array: true where a step counts.  None if there is none."""
    return getattr(x, "_keras_mask", None)


def both_masks(a: Value | None, b: Value | None) -> Value | None:
    """True where both are; None counts as true everywhere."""
    if a is None or b is None:
        return a if b is None else b
    return as_float(a) * as_float(b)


def divide_no_nan(a: Value, b: Value) -> Value:
    """``a / b``, and 0 where ``b`` is 0."""
    nothing = ops.cast(ops.equal(b, 0.0), "float32")
    return a * (1.0 - nothing) / (b + nothing)


def masked_weights(name: str, weights: Value | None, mask: Value | None, mean: bool = False) -> Value | None:
    """Weights that are 0 where the mask is false.

    Args:
        name: of the loss or metric, for errors.
        weights: floating-point numbers or None.
        mask: bool or 0 and 1, or None.
        mean: whether the sum will be divided by the number of all entries.  The remaining entries then weigh
            ``all / remaining``, so that the quotient is the mean of the remaining ones.
    """
    if mask is None:
        return weights
    mask = as_float(mask)
    replica = trace.current().replica
    if mean and replica is not None:
        remaining = replica.mean(ops.mean(mask))
        mask = mask * divide_no_nan(ops.full_like(remaining, 1.0), remaining)
    elif mean:
        mask = mask * divide_no_nan(ops.full_like(ops.sum(mask), mask.size), ops.sum(mask))
    if weights is None:
        return mask
    mask, weights = broadcast_weights(name, mask, weights)
    return mask * weights


def reduce(name: str, values: Value, weights: Value | None, mask: Value | None, reduction: str | None) -> Value:
    """The loss from one number per sample.

    ``sum_over_batch_size`` (``mean``) divides the weighted sum by the number of values, ``mean_with_sample_weight`` by
    the sum of the weights; None and ``none`` keep one (weighted) number per sample.

    Where a batch is divided among ranks, the mean of their results by their shares of the rows is the loss of the whole
    batch.
    """
    weights = masked_weights(name, None if weights is None else as_float(weights), mask, reduction in _MEANS)
    if weights is not None:
        values, weights = broadcast_weights(name, values, weights)
        values = values * weights
    if reduction in (None, "none") or values.ndim == 0:
        return values
    total = ops.sum(values)
    replica = trace.current().replica
    if reduction == "sum":
        return total if replica is None else total * (1.0 / (replica.share or 1.0))
    if reduction == "mean_with_sample_weight" and weights is not None:
        if replica is not None:
            return divide_no_nan(ops.mean(values), replica.mean(ops.mean(weights)))
        return divide_no_nan(total, ops.sum(weights))
    return total * (1.0 / max(1, values.size))
