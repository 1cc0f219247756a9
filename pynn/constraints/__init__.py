"""Constraints: what weights must satisfy after each step (``kernel_constraint="non_neg"``)."""

from __future__ import annotations

from typing import Any

from pynn.constraints.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from pynn.utils.lookup import Family

max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

_FAMILY = Family("constraint", "constraints", (Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm), "non_neg")
get, deserialize = _FAMILY.get, _FAMILY.deserialize


def serialize(constraint: Any) -> dict[str, Any] | None:
    """The dictionary that :func:`deserialize` takes; None stays None."""
    return _FAMILY.serialize(constraint)


__all__ = [
    "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm", "min_max_norm",
    "non_neg", "serialize", "unit_norm",
]  # fmt: skip
