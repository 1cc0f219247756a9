"""Arguments as plain JSON, so that a case can be kept: how they are drawn, and how they become Python objects.

``{"array": shape, "dtype": .., "fill": .., "layout": .., "seed": ..}`` is an array, ``{"tuple": [..]}`` a tuple,
``{"slice": [a, b, c]}`` a slice, ``{"function": name}`` a function; all else stands for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from guarded import guarded

FILLS = ("normal", "normal", "normal", "ones", "zeros", "ties", "special", "denormal", "huge", "extreme")
LAYOUTS = ("plain", "plain", "plain", "start", "fortran", "reversed", "strided", "misaligned", "swapped", "broadcast")
FLOATS = ("float32", "float32", "float32", "float64", "float16")
INTEGERS = ("int32", "int64", "uint8", "int8", "uint16", "int16", "uint32", "uint64")
ODD_DTYPES = ("bool", "complex64", "object", "str", "datetime64[s]", "longdouble", "record")

#: What nobody meant to pass.
HOSTILE: tuple[Any, ...] = (
    None, -1, 0, 1, 2, 3, 7, -7, 1000, 2**31 - 1, 2**31, -(2**31), 2**63 - 1, 2**63, -(2**63), 2**200, 0.5, 1.5, -0.0,
    1e300, float("nan"), float("inf"), float("-inf"), True, False, "", "x", "valid", "same", "float32",
    "channels_first", [], [0], [1], [-1], [1, 1], [2, 3], [0, 0],
    [2**40, 2**40], [None], [1.5], ["x"], [[1, 2], [3, 4]], [[1], [2, 3]],
    {"tuple": []}, {"tuple": [1, 2]}, {"tuple": [-1, 0]}, {"tuple": [0]}, {"tuple": [1, 1, 1]}, {}, {"a": 1},
    {"bytes": "ab"}, {"complex": [1, 2]}, {"numpy": 3}, {"slice": [None, None, None]}, {"function": "negative"},
)  # fmt: skip


class Draw:
    """Short names for what hypothesis draws."""

    def __init__(self, draw: Callable[[Any], Any]):
        from hypothesis import strategies as st

        self._draw, self._st = draw, st

    def integer(self, low: int, high: int) -> int:
        return self._draw(self._st.integers(low, high))

    def choice(self, options: Sequence[Any]) -> Any:
        return self._draw(self._st.sampled_from(options))

    def one_in(self, n: int) -> bool:
        """False is the simpler answer."""
        return self.integer(0, n - 1) == n - 1

    def number(self) -> float:
        return self.choice((0.0, 1.0, 0.5, 2.0, -1.0, 1e-7, -0.0, 1e30, 3))

    def length(self) -> int:
        """Of an axis: mostly short, sometimes beyond a vector's or a block's width, sometimes nothing."""
        return self.choice((2, 3, 1, 4, 5, 7, 0, 8, 9, 16, 17, 33, 65)) if not self.one_in(40) else 300

    def shape(self, low: int = 0, high: int = 4) -> list[int]:
        rank = self.integer(low, high if not self.one_in(15) else max(6, high))
        shape = [self.length() for _ in range(rank)]
        while int(np.prod(shape, dtype=object)) > 40_000:
            shape[shape.index(max(shape))] = 2
        return shape

    def broadcastable(self, shape: Sequence[int]) -> list[int]:
        """A shape that meets ``shape``: some axes 1, some first ones left out."""
        kept = shape[self.integer(0, len(shape)) :] if self.one_in(2) else shape
        return [1 if self.one_in(4) else n for n in kept]

    def axis(self, rank: int) -> int:
        return self.integer(-rank, rank - 1) if rank else self.choice((0, -1))

    def axes(self, rank: int) -> Any:
        if self.one_in(3):
            return None
        if self.one_in(2) or not rank:
            return self.axis(rank)
        return sorted({self.integer(0, rank - 1) for _ in range(self.integer(1, rank))})

    def array(self, shape: Sequence[int], dtype: str | None = None, fill: str | None = None) -> dict[str, Any]:
        if dtype is None:
            kind = self.integer(0, 19)
            dtype = self.choice(FLOATS if kind < 15 else INTEGERS if kind < 19 else ODD_DTYPES)
        return {
            "array": list(shape),
            "dtype": dtype,
            "fill": fill or self.choice(FILLS),
            "layout": self.choice(LAYOUTS),
            "seed": self.integer(0, 3),
        }

    def hostile(self) -> Any:
        if self.one_in(4):
            return self.array(self.shape(0, 3))
        return self.choice(HOSTILE)


def decode(value: Any, functions: dict[str, Any] | None = None) -> Any:
    """The Python object that a piece of a case stands for."""
    if isinstance(value, list):
        return [decode(item, functions) for item in value]
    if not isinstance(value, dict):
        return value
    if "layout" in value:
        return make_array(value)
    if len(value) == 1:
        ((key, inner),) = value.items()
        if key == "tuple":
            return tuple(decode(item, functions) for item in inner)
        if key == "slice":
            return slice(*inner)
        if key == "ellipsis":
            return ...
        if key == "bytes":
            return inner.encode()
        if key == "complex":
            return complex(*inner)
        if key == "numpy":
            return np.int64(inner)
        if key == "function":
            return (functions or {}).get(inner, np.negative)
    return {key: decode(item, functions) for key, item in value.items()}


def make_array(recipe: dict[str, Any]) -> np.ndarray:
    shape, dtype, layout = tuple(recipe["array"]), recipe["dtype"], recipe["layout"]
    numbers = _numbers(shape, dtype, recipe["fill"], np.random.default_rng(recipe["seed"]))
    if numbers.dtype.kind in "OUMV" or dtype == "longdouble":
        return numbers
    if layout in ("plain", "start"):
        array = guarded(shape, numbers.dtype, layout == "start")
        array[...] = numbers
        array.flags.writeable = recipe["seed"] != 1
        return array
    if layout == "fortran":
        return np.asfortranarray(numbers)
    if layout == "reversed":
        return numbers[(slice(None, None, -1),) * numbers.ndim].copy()[(slice(None, None, -1),) * numbers.ndim]
    if layout == "strided" and numbers.ndim:
        wide = np.zeros((*shape[:-1], 2 * shape[-1]), numbers.dtype)
        wide[..., ::2] = numbers
        return wide[..., ::2]
    if layout == "misaligned":
        memory = np.zeros(numbers.nbytes + 1, np.uint8)[1:]
        array = memory.view(numbers.dtype).reshape(shape)
        array[...] = numbers
        return array
    if layout == "swapped":
        return numbers.astype(numbers.dtype.newbyteorder())
    if layout == "broadcast" and numbers.ndim and shape[0] > 0:
        return np.broadcast_to(numbers[:1], shape)
    return numbers


def _numbers(shape: tuple[int, ...], dtype: str, fill: str, rng: np.random.Generator) -> np.ndarray:
    if dtype == "object":
        return np.full(shape, None, object)
    if dtype == "str":
        return np.full(shape, "a")
    if dtype == "record":
        return np.zeros(shape, [("a", "f4"), ("b", "i4")])
    if dtype.startswith("datetime"):
        return np.zeros(shape, dtype)
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return rng.random(shape) < 0.5
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        if fill == "extreme":
            return rng.choice(np.array([limits.min, limits.max, 0, 1], kind), shape)
        low = -3 if kind.kind == "i" and fill in ("special", "huge") else 0
        return rng.integers(low, 5, shape).astype(kind)
    with np.errstate(over="ignore"):
        x = np.asarray(rng.standard_normal(shape))
        if fill in ("ones", "zeros"):
            x = np.full(shape, float(fill == "ones"))
        elif fill == "ties":
            x = rng.integers(0, 3, shape).astype(float)
        elif fill == "denormal":
            x = x * 1e-39
        elif fill == "huge":
            x = x * 1e37
        elif fill in ("special", "extreme"):
            special = rng.choice([np.nan, np.inf, -np.inf, -0.0, 1e-42, 3.4e38, -3.4e38], shape)
            x = np.where(rng.random(shape) < (0.15 if fill == "special" else 0.9), special, x)
        return np.asarray(x).astype(kind)


def is_wild(value: Any) -> bool:
    """Whether an argument has numbers at the borders of what floats can be."""
    if isinstance(value, dict):
        if "layout" in value:
            return value["fill"] in ("special", "extreme", "huge", "denormal")
        return any(map(is_wild, value.values()))
    if isinstance(value, list):
        return any(map(is_wild, value))
    return isinstance(value, float) and not 1e-6 < abs(value) < 1e6 and value != 0
