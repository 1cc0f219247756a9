"""``tensorflow.random``."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn import random as _random
from pynn.compat.importing import missing
from pynn.compat.tensorflow import WAY_OUT
from pynn.graph import dtypes
from pynn.utils.random_seed import set_random_seed


def __getattr__(name: str) -> Any:
    raise missing("tensorflow.random", name, WAY_OUT) if not name.startswith("__") else AttributeError(name)


def set_seed(seed: int) -> None:
    """As ``keras.utils.set_random_seed``."""
    set_random_seed(seed)


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Any:
    return _random.normal(_shape(shape), mean, stddev, dtypes.standardize_dtype(dtype), seed)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Any:
    return _random.truncated_normal(_shape(shape), mean, stddev, dtypes.standardize_dtype(dtype), seed)


def uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Any:
    """Whole numbers from ``minval`` up to below ``maxval`` if ``dtype`` is a kind of them."""
    dtype = dtypes.standardize_dtype(dtype)
    if dtypes.is_integer(dtype):
        return _random.randint(_shape(shape), minval, maxval, dtype, seed)
    return _random.uniform(_shape(shape), minval, 1.0 if maxval is None else maxval, dtype, seed)


def shuffle(value: Any, seed: Any = None, name: Any = None) -> Any:
    return _random.shuffle(value, seed=seed)


def categorical(logits: Any, num_samples: int, dtype: Any = "int64", seed: Any = None, name: Any = None) -> Any:
    return _random.categorical(logits, num_samples, dtypes.standardize_dtype(dtype or "int64"), seed)


def _shape(shape: Any) -> tuple[int, ...]:
    return tuple(int(n) for n in np.atleast_1d(np.asarray(shape, "int64")))
