"""Initializers: how weights begin."""

from __future__ import annotations

from typing import Any

from pynn.errors import ArgumentError
from pynn.initializers.base import Initializer, RandomInitializer
from pynn.initializers.constant import Constant, Identity, Ones, Zeros
from pynn.initializers.random import Orthogonal, RandomNormal, RandomUniform, TruncatedNormal
from pynn.initializers.stft import STFT
from pynn.initializers.variance_scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)
from pynn.utils.naming import snake_case, unknown_name
from pynn.utils.serialization import custom_named, deserialize_object, serialize_object

_CLASSES: tuple[type[Initializer], ...] = (
    Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, LecunNormal, LecunUniform, Ones,
    Orthogonal, RandomNormal, RandomUniform, STFT, TruncatedNormal, VarianceScaling, Zeros,
)  # fmt: skip
_BY_CLASS_NAME: dict[str, type[Initializer]] = {c.__name__: c for c in _CLASSES}
_BY_NAME: dict[str, type[Initializer]] = {
    **_BY_CLASS_NAME,
    **{snake_case(c.__name__): c for c in _CLASSES if c is not STFT},
    **{"zero": Zeros, "one": Ones, "normal": RandomNormal, "uniform": RandomUniform},
    **{"stft": STFT, "STFTInitializer": STFT, "IdentityInitializer": Identity, "OrthogonalInitializer": Orthogonal},
}
IdentityInitializer, OrthogonalInitializer, STFTInitializer = Identity, Orthogonal, STFT
constant, identity, ones, orthogonal, stft, zeros = Constant, Identity, Ones, Orthogonal, STFT, Zeros
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
glorot_normal, glorot_uniform, variance_scaling = GlorotNormal, GlorotUniform, VarianceScaling
he_normal, he_uniform, lecun_normal, lecun_uniform = HeNormal, HeUniform, LecunNormal, LecunUniform

__all__ = [
    "STFT", "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "Initializer",
    "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "RandomInitializer", "RandomNormal", "RandomUniform",
    "TruncatedNormal", "VarianceScaling", "Zeros", "deserialize", "get", "serialize",
]  # fmt: skip


def get(identifier: Any) -> Any:
    """An initializer from its name, its class, its config, or any ``f(shape, dtype)``; None stays None.

    Example:
        >>> from pynn import initializers
        >>> initializers.get("he_normal")
        HeNormal(seed=None, input_axes=None, output_axes=None)
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        return deserialize(identifier)
    identifier = custom_named(identifier) or identifier
    if isinstance(identifier, str):
        if identifier not in _BY_NAME:
            raise unknown_name("initializer", identifier, _BY_NAME)
        return _BY_NAME[identifier]()
    if isinstance(identifier, Initializer):
        # A copy: two layers that were given the same unseeded initializer must not begin with equal weights.
        unseeded = isinstance(identifier, RandomInitializer) and identifier.unseeded
        return identifier.clone() if unseeded else identifier
    if isinstance(identifier, type) and issubclass(identifier, Initializer):
        return identifier()
    if callable(identifier):
        return identifier
    if hasattr(identifier, "__array__"):
        return Constant(identifier)
    raise ArgumentError(
        f"cannot make an initializer of {identifier!r}: give a name such as 'glorot_uniform', an Initializer, "
        "or a function of (shape, dtype)"
    )


def serialize(initializer: Any) -> dict[str, Any] | None:
    """The dictionary :func:`deserialize` takes."""
    if initializer is None:
        return None
    return serialize_object(initializer, "initializers")


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """The initializer that ``config`` describes: one of pynn's own or of ``custom_objects``."""
    return deserialize_object(config, _BY_NAME, "initializer", custom_objects)
