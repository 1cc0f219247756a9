"""Regularizers: penalties on weights (``kernel_regularizer="l2"``) and outputs (``activity_regularizer=``)."""

from __future__ import annotations

from typing import Any

from pynn.regularizers.regularizers import L1, L1L2, L2, OrthogonalRegularizer, Regularizer
from pynn.utils.lookup import Family

l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

_FAMILY = Family(
    "regularizer",
    "regularizers",
    (Regularizer, L1, L2, L1L2, OrthogonalRegularizer),
    "l2",
    {"l1_l2": L1L2, "orthogonal": OrthogonalRegularizer},
)
get, deserialize = _FAMILY.get, _FAMILY.deserialize


def serialize(regularizer: Any) -> dict[str, Any] | None:
    """The dictionary that :func:`deserialize` takes; None stays None."""
    return _FAMILY.serialize(regularizer)


__all__ = [
    "L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "deserialize", "get", "l1", "l1_l2", "l2",
    "orthogonal_regularizer", "serialize",
]  # fmt: skip
