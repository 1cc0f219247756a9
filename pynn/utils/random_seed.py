"""The global seed: where everything that was given no seed of its own draws one."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from pynn.errors import ArgumentError

_generator: np.random.Generator | None = None


def set_random_seed(seed: int) -> None:
    """Make a run repeatable: seeds Python's ``random``, NumPy's global generator and pynn's own.

    Unseeded initializers, dropout layers and shuffling draw from pynn's own generator, so this one call is enough.

    Example:
        >>> set_random_seed(42); a = next_seed()
        >>> set_random_seed(42); a == next_seed()
        True
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ArgumentError(f"set_random_seed: seed must be an integer from 0 to 2**32 - 1, received {seed!r}")
    global _generator
    random.seed(int(seed))
    # What users' own code draws comes from NumPy's global generator.
    np.random.seed(int(seed))  # noqa: NPY002
    _generator = np.random.default_rng(int(seed))


def generator() -> np.random.Generator:
    """pynn's own generator."""
    global _generator
    if _generator is None:
        _generator = np.random.default_rng()
    return _generator


def next_seed() -> int:
    """A seed for something that was given none."""
    return int(generator().integers(0, 2**31))


def checked_seed(owner: str, seed: Any) -> int | None:
    """``seed`` as an int or None; anything else is an error that names ``owner``."""
    if seed is None:
        return None
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ArgumentError(f"{owner}: seed must be an integer from 0 to 2**32 - 1 or None, received {seed!r}")
    return int(seed)
