"""What the random ops mean: Philox4x32-10 in NumPy, bit for bit what the native kernels compute.

J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.  The state is two words (seed, step);
the key is (seed, stream), the counter (block, block >> 32, step, 0).
"""

import math

import numpy as np


def _multiply_wide(a, m):
    product = a.astype(np.uint64) * np.uint64(m)
    return (product >> np.uint64(32)).astype(np.uint32), product.astype(np.uint32)


def _philox(blocks, seed, stream, step):
    """Four arrays of words for an array of block numbers."""
    x0, x1 = blocks.astype(np.uint32), (blocks >> np.uint64(32)).astype(np.uint32)
    x2, x3 = np.full_like(x0, step), np.zeros_like(x0)
    k0, k1 = int(seed), int(stream)
    for _ in range(10):
        high0, low0 = _multiply_wide(x0, 0xD2511F53)
        high1, low1 = _multiply_wide(x2, 0xCD9E8D57)
        x0, x1, x2, x3 = high1 ^ x1 ^ np.uint32(k0), low1, high0 ^ x3 ^ np.uint32(k1), low0
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return x0, x1, x2, x3


def _words(state, stream, n):
    """The first n words of a stream: word j of block 16 q + l is number 64 q + 16 j + l, which suits all vectors."""
    groups = -(-n // 64)
    words = _philox(np.arange(16 * groups, dtype=np.uint64), state[0], stream, state[1])
    return np.stack([w.reshape(groups, 16) for w in words], axis=1).reshape(-1)[:n]


def dropout(x, state, rate, stream):
    dropped = (_words(state, stream, x.size) < rate * 2.0**32).reshape(x.shape)
    scale = 1 / (1 - rate) if rate < 1 else 0.0
    return np.where(dropped, np.zeros_like(x), x * x.dtype.type(scale))


def random_uniform(state, shape, low, high, stream):
    words = _words(state, stream, math.prod(shape))
    low, span = float(np.float32(low)), float(np.float32(high - low))
    return (low + (words >> np.uint32(8)) * (span * 2.0**-24)).astype(np.float32).reshape(shape)


def random_normal(state, shape, mean, stddev, stream):
    n = math.prod(shape)
    words = _words(state, stream, -(-n // 64) * 64).reshape(-1, 2, 2, 16)
    # Box-Muller: words 0 and 1 of a block give numbers 0 and 1, words 2 and 3 the other two.
    u = (words[:, :, 0] + 0.5) * 2.0**-32  # never 0
    angle = words[:, :, 1] * (2 * np.pi * 2.0**-32)
    radius = np.sqrt(-2 * np.log(u))
    pair = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=2)
    return (mean + stddev * pair.reshape(-1)[:n]).astype(np.float32).reshape(shape)


def next_seed(state, steps):
    return np.array([state[0], (int(state[1]) + steps) & 0xFFFFFFFF], np.uint32)


def random_draw(state, a, b=None, *, kind, shape):
    generator = np.random.Generator(np.random.Philox(key=[int(state[0]), int(state[1])]))
    if kind == "gamma":
        return generator.standard_gamma(a, shape).astype(np.float32)
    if kind == "beta":
        return generator.beta(a, b, shape).astype(np.float32)
    if kind == "binomial":
        return generator.binomial(a.astype(np.int64), b, shape).astype(np.float32)
    return generator.integers(a, b, shape).astype(np.int32)
