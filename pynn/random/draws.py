"""Random numbers.

``seed`` is a number (the same draw every time), a :class:`SeedGenerator` (each use gives another; inside a layer, each
step does), or None (as a generator seeded by ``pynn.utils.set_random_seed``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.errors import ArgumentError, DtypeError
from pynn.graph.dtypes import checked_dtype, is_float
from pynn.graph.ir import Value
from pynn.graph.symbolic import callable_on_everything
from pynn.graph.trace import as_value, is_tracing
from pynn.layers.seed_generator import SeedGenerator
from pynn.ops.random import draw
from pynn.utils.random_seed import checked_seed


def _state(function: str, seed: Any) -> Any:
    """Seed and step for one use, ``uint32[2]``."""
    if seed is None:
        seed = SeedGenerator()
    if isinstance(seed, SeedGenerator):
        if is_tracing():
            return seed.next()
        start, step = (int(n) for n in seed.state.numpy())
        seed.state.assign(np.array([start, (step + 1) % 2**32], "uint32"))
        return np.array([start, step], "uint32")
    return np.array([checked_seed(f"random.{function}", seed), 0], "uint32")


def _shape(shape: Any) -> tuple[int, ...]:
    return tuple(int(n) for n in (shape if isinstance(shape, list | tuple | np.ndarray) else [shape]))


def _float_dtype(function: str, dtype: Any) -> str:
    name = checked_dtype(f"random.{function}", dtype)
    if not is_float(name):
        raise DtypeError(f"random.{function}: dtype must be a float, received {name!r}")
    return name


def normal(shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Normal numbers of the given mean and standard deviation.

    Example:
        >>> from pynn import random
        >>> bool((random.normal((3,), seed=1) == random.normal((3,), seed=1)).all())
        True
    """
    dtype = _float_dtype("normal", dtype)
    return ops.cast(ops.random_normal(_shape(shape), _state("normal", seed), float(mean), float(stddev), 0), dtype)


def uniform(shape: Sequence[int], minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers from ``minval`` up to, not including, ``maxval``, equally likely.

    Example:
        >>> from pynn import random
        >>> random.uniform((2, 3), seed=1).shape
        (2, 3)
    """
    dtype = _float_dtype("uniform", dtype)
    return ops.cast(ops.random_uniform(_shape(shape), _state("uniform", seed), float(minval), float(maxval), 0), dtype)


def truncated_normal(
    shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Normal numbers, those further than two standard deviations from the mean drawn again.

    Example:
        >>> from pynn import random
        >>> abs(random.truncated_normal((100,), seed=1)).max() <= 2
        array(True)
    """
    dtype = _float_dtype("truncated_normal", dtype)
    edge = math.erf(math.sqrt(2.0))
    state = _state("truncated_normal", seed)
    between = ops.random_uniform(_shape(shape), state, -edge, edge, 0)  # of the distribution function, and back
    x = ops.clip(ops.multiply(ops.erfinv(between), math.sqrt(2.0)), -2.0, 2.0)
    return ops.cast(ops.add(ops.multiply(x, float(stddev)), float(mean)), dtype)


def randint(shape: Sequence[int], minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Whole numbers from ``minval`` up to, not including, ``maxval``, equally likely.

    Example:
        >>> from pynn import random
        >>> random.randint((2, 3), 0, 10, seed=1).shape
        (2, 3)
    """
    if not int(minval) < int(maxval):
        raise ArgumentError(f"random.randint: minval must be less than maxval, received {minval}, {maxval}")
    dtype = checked_dtype("random.randint", dtype)
    state = _state("randint", seed)
    return ops.cast(_draw("integers", _shape(shape), state, int(minval), int(maxval)), dtype)


def gamma(shape: Sequence[int], alpha: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers of the gamma distribution of shape ``alpha`` (above 0; broadcasts) and scale 1.  No gradient.

    Example:
        >>> from pynn import random
        >>> random.gamma((2, 3), alpha=2.0, seed=1).shape
        (2, 3)
    """
    dtype = _float_dtype("gamma", dtype)
    return ops.cast(_draw("gamma", _shape(shape), _state("gamma", seed), alpha), dtype)


def beta(shape: Sequence[int], alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers from 0 to 1 of the beta distribution of ``alpha`` and ``beta`` (above 0; broadcast).  No gradient.

    Example:
        >>> from pynn import random
        >>> random.beta((2, 3), alpha=2.0, beta=3.0, seed=1).shape
        (2, 3)
    """
    dtype = _float_dtype("beta", dtype)
    return ops.cast(_draw("beta", _shape(shape), _state("beta", seed), alpha, beta), dtype)


def binomial(shape: Sequence[int], counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None) -> Any:
    """How many of ``counts`` trials succeed, each with the given probability (both broadcast).

    Example:
        >>> from pynn import random
        >>> random.binomial((2, 3), counts=10, probabilities=0.5, seed=1).max() <= 10
        array(True)
    """
    dtype = _float_dtype("binomial", dtype)
    return ops.cast(_draw("binomial", _shape(shape), _state("binomial", seed), counts, probabilities), dtype)


def _drawn(kind: str, shape: tuple[int, ...], state: Any, *parameters: Any) -> Value:
    return draw(kind, shape, state, *parameters)


_draw = callable_on_everything(_drawn)


def _categorical(logits: Any, num_samples: int, state: Any) -> Value:
    x = as_value(logits)
    rows, classes = x.shape
    noise = ops.random_uniform((rows, num_samples, classes), state, 2.0**-25, 1.0, 0)
    # The largest of logits plus Gumbel noise is a class drawn with the softmax of the logits (Gumbel, 1954).
    return ops.argmax(ops.subtract(ops.expand_dims(x, 1), ops.log(ops.negative(ops.log(noise)))), axis=-1)


_categorical_anywhere = callable_on_everything(_categorical)


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """``num_samples`` classes for each row of ``logits`` (rows, classes), drawn with its softmax as probabilities.

    Example:
        >>> from pynn import random
        >>> random.categorical([[0.0, 0.0, 100.0]], 4, seed=1)
        array([[2, 2, 2, 2]], dtype=int32)
    """
    if len(ops.shape(logits)) != 2 or num_samples < 1:
        raise ArgumentError(
            "random.categorical: expected logits (rows, classes) and at least one sample, received shape "
            f"{ops.shape(logits)}, num_samples={num_samples}"
        )
    state = _state("categorical", seed)
    return ops.cast(_categorical_anywhere(logits, int(num_samples), state), checked_dtype("random.categorical", dtype))


def dropout(inputs: Any, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Any = None) -> Any:
    """A fraction ``rate`` of the inputs 0, the others divided by ``1 - rate``.

    Args:
        inputs: any array.
        rate: from 0 up to 1.
        noise_shape: of what is drawn; axes of 1 share it, None stands for the inputs' own length.
        seed: see above.

    Example:
        >>> from pynn import random
        >>> random.dropout([1.0, 1.0], rate=0.0, seed=1)
        array([1., 1.], dtype=float32)
    """
    if not 0 <= rate <= 1:
        raise ArgumentError(f"random.dropout: rate must be in [0, 1], received {rate!r}")
    state = _state("dropout", seed)
    if noise_shape is None:
        return ops.dropout(inputs, float(rate), state, 0)
    own: Any = ops.shape(inputs)
    sizes = tuple(n if m is None else int(m) for m, n in zip(noise_shape, own, strict=True))
    kept = ops.greater_equal(ops.random_uniform(sizes, state, 0.0, 1.0, 0), float(rate))
    return ops.where(kept, ops.divide(inputs, max(1.0 - rate, 1e-30)), 0.0)


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
    """``x`` with its parts along ``axis`` in a random order.

    Example:
        >>> from pynn import random
        >>> sorted(random.shuffle([1, 2, 3], seed=1).tolist())
        [1, 2, 3]
    """
    length: Any = ops.shape(x)[axis]
    order = ops.argsort(ops.random_uniform((length,), _state("shuffle", seed), 0.0, 1.0, 0))
    return ops.take(x, order, axis=axis)
