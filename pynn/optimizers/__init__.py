"""Optimizers: how weights follow their gradients."""

from __future__ import annotations

from typing import Any

from pynn.errors import ArgumentError
from pynn.optimizers import legacy as legacy
from pynn.optimizers import schedules as schedules
from pynn.optimizers.adafactor import Adafactor
from pynn.optimizers.adagrad import Adadelta, Adagrad
from pynn.optimizers.adam import Adam, AdamW
from pynn.optimizers.adam_relatives import Adamax, Lamb, Lion, Nadam
from pynn.optimizers.ftrl import Ftrl
from pynn.optimizers.loss_scale_optimizer import LossScaleOptimizer
from pynn.optimizers.multi_optimizer import MultiOptimizer, OptimizerMap
from pynn.optimizers.muon import Muon
from pynn.optimizers.optimizer import Optimizer
from pynn.optimizers.rmsprop import RMSprop
from pynn.optimizers.schedule_free import ScheduleFreeAdamW
from pynn.optimizers.sgd import SGD
from pynn.utils.naming import unknown_name
from pynn.utils.serialization import custom_named, deserialize_object, serialize_object

_CLASSES: dict[str, type[Any]] = {
    c.__name__: c
    for c in (
        Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion, LossScaleOptimizer, MultiOptimizer,
        Muon, Nadam, RMSprop, SGD, ScheduleFreeAdamW,
    )
}  # fmt: skip
_BY_NAME: dict[str, type[Any]] = {name.lower(): c for name, c in _CLASSES.items()}

__all__ = [
    "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "LossScaleOptimizer",
    "MultiOptimizer", "Muon", "Nadam", "Optimizer", "OptimizerMap", "RMSprop", "ScheduleFreeAdamW", "deserialize",
    "get", "legacy", "schedules", "serialize",
]  # fmt: skip


def get(identifier: Any) -> Any:
    """An optimizer from its name (in any case), its class, its config, or itself; None stays None."""
    if identifier is None:
        return None
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    identifier = custom_named(identifier) or identifier
    if isinstance(identifier, str):
        if identifier.lower() not in _BY_NAME:
            raise unknown_name("optimizer", identifier, _BY_NAME)
        return _BY_NAME[identifier.lower()]()
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        make: type[Any] = identifier
        return make()
    raise ArgumentError(f"cannot make an optimizer of {identifier!r}: give a name such as 'adam', or an Optimizer")


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """The dictionary :func:`deserialize` takes."""
    return serialize_object(optimizer, "optimizers")


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer that ``config`` describes: one of pynn's own or of ``custom_objects``."""
    return deserialize_object(config, {**_CLASSES, **_BY_NAME}, "optimizer", custom_objects)
