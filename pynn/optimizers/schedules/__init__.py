"""Learning rate schedules: give one to an optimizer as ``learning_rate``."""

from __future__ import annotations

from typing import Any

from pynn.optimizers.schedules.cosine import CosineDecay, CosineDecayRestarts
from pynn.optimizers.schedules.decays import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from pynn.optimizers.schedules.schedule import LearningRateSchedule
from pynn.utils.serialization import deserialize_object, serialize_object

_CLASSES: dict[str, type[LearningRateSchedule]] = {
    c.__name__: c
    for c in (
        CosineDecay, CosineDecayRestarts, ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay,
    )
}  # fmt: skip

__all__ = [
    "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule",
    "PiecewiseConstantDecay", "PolynomialDecay", "deserialize", "serialize",
]  # fmt: skip


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """The dictionary :func:`deserialize` takes."""
    return serialize_object(learning_rate_schedule, "optimizers.schedules")


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """The schedule that ``config`` describes: one of pynn's own or of ``custom_objects``."""
    return deserialize_object(config, _CLASSES, "learning rate schedule", custom_objects)
