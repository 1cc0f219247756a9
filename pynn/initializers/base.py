"""What all initializers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, DtypeError
from pynn.graph.refusals import RefusingConstructor
from pynn.graph.variable import Variable
from pynn.utils.random_seed import checked_seed, next_seed


class Initializer(RefusingConstructor):
    """Base of initializers: ``initializer(shape, dtype)`` gives a new NumPy array.

    Example:
        >>> class Halves(Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return np.full(shape, 0.5, dtype or "float32")
    """

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> np.ndarray:
        raise NotImplementedError(f"initializer {type(self).__name__} must define __call__(shape, dtype)")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """An initializer with these arguments."""
        return cls(**config)

    def clone(self) -> Initializer:
        """Another one with the same arguments; one without a seed draws its own."""
        return type(self).from_config(self.get_config())

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash((type(self), repr(self.get_config())))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


class RandomInitializer(Initializer):
    """Base of random initializers.

    Calling the same one twice gives the same numbers, as in Keras: one without a seed draws one when it is made.

    Args:
        seed: a whole number; or a ``SeedGenerator``, which every call moves on, so that each gives other numbers.
    """

    def __init__(self, seed: Any = None):
        if isinstance(seed, dict):
            from pynn.saving.serialization import deserialize_keras_object

            seed = deserialize_keras_object(seed)
        self._given_seed = seed if _is_generator(seed) else checked_seed(type(self).__name__, seed)
        self.seed: Any = next_seed() if self._given_seed is None else self._given_seed

    @property
    def unseeded(self) -> bool:
        """Whether it was made without a seed."""
        return self._given_seed is None

    def rng(self) -> np.random.Generator:
        """A generator that starts from the seed."""
        if not _is_generator(self.seed):
            return np.random.default_rng(self.seed)
        seed, step = self.seed.state.numpy().tolist()
        self.seed.state.assign([seed, (step + 1) % 2**32])
        return np.random.default_rng([seed, step])

    def get_config(self) -> dict[str, Any]:
        seed = self._given_seed
        if _is_generator(seed):
            from pynn.saving.serialization import serialize_keras_object

            seed = serialize_keras_object(seed)
        return {"seed": seed}


def _is_generator(seed: Any) -> bool:
    return isinstance(getattr(seed, "state", None), Variable)


def checked_shape(owner: Initializer, shape: Sequence[int], dtype: str | None) -> tuple[tuple[int, ...], str]:
    """``shape`` as a tuple and the dtype, both checked."""
    try:
        result = tuple(int(d) for d in shape)
    except TypeError:
        raise ArgumentError(f"{type(owner).__name__}: shape must be a tuple of integers, received {shape!r}") from None
    if any(d < 0 for d in result):
        raise ArgumentError(f"{type(owner).__name__}: shape must not have negative lengths, received {shape!r}")
    dtype = str(np.dtype(dtype or "float32"))
    if isinstance(owner, RandomInitializer) and dtype not in ("float32", "float64"):
        raise DtypeError(f"{type(owner).__name__}: makes floating-point numbers only, received dtype={dtype!r}")
    return result, dtype


def checked_number(owner: object, name: str, value: Any) -> float:
    """``value`` if it is a finite number, else an error that names the argument."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not np.isfinite(value):
        raise ArgumentError(f"{type(owner).__name__}: {name} must be a finite number, received {value!r}")
    return value  # type: ignore[return-value]
