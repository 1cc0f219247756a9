"""Hashes of strings that are the same in every run and everywhere: FarmHash64, and SipHash with a salt.

Both as TensorFlow has them, so that numbers fit models that were trained with its layers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from pynn.errors import ArgumentError

_MASK = (1 << 64) - 1
_CROSS = 0xC6A4A7935BD1E995
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def hash_buckets(texts: Iterable[str], buckets: int, salt: list[int] | None = None) -> np.ndarray:
    """A number from 0 to ``buckets - 1`` for each string.

    Example:
        >>> hash_buckets(["A", "B", "C", "D", "E"], 3).tolist()
        [1, 0, 1, 1, 2]
    """
    data = (text.encode() for text in texts)
    hashed = map(farmhash64, data) if salt is None else (siphash64(d, *salt) for d in data)
    return np.array([number % buckets for number in hashed], "int64")


def cross_bucket(features: Iterable[Any], buckets: int) -> int:
    """One number for several features, strings or integers, as TensorFlow's ``sparse.cross_hashed`` has it.

    Example:
        >>> [cross_bucket(pair, 5) for pair in (("A", 101), ("B", 101), ("B", 102))]
        [1, 4, 1]
    """
    joined = 0xDECAFCAFFE
    for feature in features:
        number = farmhash64(feature.encode()) if isinstance(feature, str) else int(feature) & _MASK
        joined = (joined ^ _CROSS ^ _mix(number * _CROSS & _MASK) * _CROSS) & _MASK
        joined = _mix(_mix(joined * _CROSS & _MASK) * _CROSS & _MASK)
    return joined % buckets


def salt_pair(where: str, salt: Any) -> list[int] | None:
    """The two integers of a salt, which may be given as one."""
    if salt is None:
        return None
    pair = list(salt) if isinstance(salt, list | tuple) else [salt, salt]
    if len(pair) != 2 or not all(isinstance(number, int) for number in pair):
        raise ArgumentError(f"{where}: salt must be an integer or two of them, received {salt!r}")
    return pair


def siphash64(data: bytes, key0: int, key1: int) -> int:
    """SipHash-2-4 (Aumasson and Bernstein 2012)."""
    key0, key1 = key0 & _MASK, key1 & _MASK
    v = [
        key0 ^ 0x736F6D6570736575,
        key1 ^ 0x646F72616E646F6D,
        key0 ^ 0x6C7967656E657261,
        key1 ^ 0x7465646279746573,
    ]
    whole = len(data) // 8 * 8
    words = [_word(data, at) for at in range(0, whole, 8)]
    last = int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56
    for word in (*words, last):
        v[3] ^= word
        _sip_round(v)
        _sip_round(v)
        v[0] ^= word
    v[2] ^= 0xFF
    for _ in range(4):
        _sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _sip_round(v: list[int]) -> None:
    v[0] = (v[0] + v[1]) & _MASK
    v[2] = (v[2] + v[3]) & _MASK
    v[1] = _left(v[1], 13) ^ v[0]
    v[3] = _left(v[3], 16) ^ v[2]
    v[0] = _left(v[0], 32)
    v[2] = (v[2] + v[1]) & _MASK
    v[0] = (v[0] + v[3]) & _MASK
    v[1] = _left(v[1], 17) ^ v[2]
    v[3] = _left(v[3], 21) ^ v[0]
    v[2] = _left(v[2], 32)


def _left(x: int, bits: int) -> int:
    return (x << bits | x >> (64 - bits)) & _MASK


def _right(x: int, bits: int) -> int:
    return _left(x & _MASK, 64 - bits)


def _word(data: bytes, at: int, size: int = 8) -> int:
    at = at + len(data) if at < 0 else at
    return int.from_bytes(data[at : at + size], "little")


def _mix(x: int) -> int:
    return x ^ x >> 47


def _pair(u: int, v: int, mul: int) -> int:
    a = _mix(((u ^ v) & _MASK) * mul & _MASK)
    b = _mix(((v & _MASK) ^ a) * mul & _MASK)
    return b * mul & _MASK


def farmhash64(data: bytes) -> int:
    """FarmHash's Fingerprint64 (Pike 2014)."""
    n = len(data)
    mul = (_K2 + 2 * n) & _MASK
    if n > 64:
        return _farm_long(data)
    if n > 16:
        return _farm_33_to_64(data, mul) if n > 32 else _pair(*_halves(data, mul, _K1), mul)
    if n >= 8:
        a, b = (_word(data, 0) + _K2) & _MASK, _word(data, -8)
        return _pair(_right(b, 37) * mul + a, (_right(a, 25) + b) * mul, mul)
    if n >= 4:
        return _pair(n + (_word(data, 0, 4) << 3), _word(data, -4, 4), mul)
    if n:
        y, z = data[0] + (data[n >> 1] << 8), n + (data[-1] << 2)
        return _mix((y * _K2 & _MASK) ^ (z * _K0 & _MASK)) * _K2 & _MASK
    return _K2


def _halves(data: bytes, mul: int, first: int) -> tuple[int, int]:
    a, b = _word(data, 0) * first & _MASK, _word(data, 8)
    c, d = _word(data, -8) * mul & _MASK, _word(data, -16) * _K2 & _MASK
    return _right(a + b, 43) + _right(c, 30) + d, a + _right(b + _K2, 18) + c


def _farm_33_to_64(data: bytes, mul: int) -> int:
    a = _word(data, 0) * _K2 & _MASK
    y, other = _halves(data, mul, _K2)
    z = _pair(y, other, mul)
    e, f = _word(data, 16) * mul & _MASK, _word(data, 24)
    g, h = (y + _word(data, -32)) * mul & _MASK, (z + _word(data, -24)) * mul & _MASK
    return _pair(_right(e + f, 43) + _right(g, 30) + h, e + _right(f + a, 18) + g, mul)


def _weak(data: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = (_word(data, at + i) for i in (0, 8, 16, 24))
    a = (a + w) & _MASK
    b = _right(b + a + z, 21)
    c = a
    a = (a + x + y) & _MASK
    return (a + z) & _MASK, (b + _right(a, 44) + c) & _MASK


def _farm_long(data: bytes) -> int:
    n, y = len(data), (81 * _K1 + 113) & _MASK
    z = _mix((y * _K2 + 113) & _MASK) * _K2 & _MASK
    x = (81 * _K2 + _word(data, 0)) & _MASK
    v, w = (0, 0), (0, 0)

    def step(at: int, mul: int, times: int) -> None:
        nonlocal x, y, z, v, w
        x = _right(x + y + v[0] + _word(data, at + 8), 37) * mul & _MASK
        y = _right(y + v[1] + _word(data, at + 48), 42) * mul & _MASK
        x ^= w[1] * times & _MASK
        y = (y + v[0] * times + _word(data, at + 40)) & _MASK
        z = _right(z + w[0], 33) * mul & _MASK
        v = _weak(data, at, v[1] * mul, x + w[0])
        w = _weak(data, at + 32, z + w[1], y + _word(data, at + 16))
        x, z = z, x

    for at in range(0, (n - 1) // 64 * 64, 64):
        step(at, _K1, 1)
    mul = (_K1 + ((z & 0xFF) << 1)) & _MASK
    w = (w[0] + (n - 1 & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    step(n - 64, mul, 9)
    return _pair(_pair(v[0], w[0], mul) + _mix(y) * _K0 + z, _pair(v[1], w[1], mul) + x, mul)
