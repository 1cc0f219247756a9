"""Constraints: what weights must satisfy after each step (``kernel_constraint="non_neg"``)."""

from __future__ import annotations

from pynn.constraints.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from pynn.utils.lookup import Family

max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

_FAMILY = Family("constraint", "constraints", (Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm), "non_neg")
get, serialize, deserialize = _FAMILY.get, _FAMILY.serialize, _FAMILY.deserialize

__all__ = [
    "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm", "min_max_norm",
    "non_neg", "serialize", "unit_norm",
]  # fmt: skip
