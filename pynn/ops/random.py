"""Random ops: counter-based, so a result depends on the seed and the step alone, never on the number of threads.

The state of a generator is ``uint32[2]``: a seed, and a step that :class:`NextSeed` raises after each run.  Each random
op of a program has a stream number of its own.  Seed, stream and step together are the key and counter of
Philox4x32-10, and element ``i`` of a result is word ``i`` (in a fixed order) of that stream.  Nothing is stored: a
backward op draws the same numbers again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynn.errors import ArgumentError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.trace import as_value, current

STATE = Spec((2,), "uint32")


@dataclass(frozen=True)
class Dropout(Op):
    """``x / (1 - rate)`` where the element's random number is at least ``rate``, else 0.  Inputs: x, state.

    It is linear in x with a mask that the state determines, so it is its own gradient.
    """

    rate: float
    stream: int

    def infer(self, *specs: Spec) -> Spec:
        x, state = specs
        self.require_float(x)
        self.require(state == STATE, f"x and a state {STATE}", *specs)
        return x

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return self(g, inputs[1]), None

    def params(self, node: Node) -> dict[str, Any]:
        return {
            "threshold": math.ceil(self.rate * 2**32),  # word * 2^-32 < rate, in whole numbers
            "stream": self.stream,
            "scale": 1 / (1 - self.rate) if self.rate < 1 else 0.0,
        }

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("dropout", self.params, inplace=lambda node: {0: 0}),)


@dataclass(frozen=True)
class _RandomNumbers(Op, abstract=True):
    """Base: numbers of a shape, drawn from a state."""

    shape: tuple[int, ...]

    def infer(self, *specs: Spec) -> Spec:
        self.require(specs == (STATE,), f"a state {STATE}", *specs)
        return Spec(self.shape)

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (None,)


@dataclass(frozen=True)
class RandomUniform(_RandomNumbers):
    """Numbers in ``[low, high)``, equally likely: ``low + (word >> 8) * 2^-24 * (high - low)``.  Input: state."""

    low: float
    high: float
    stream: int

    def params(self, node: Node) -> dict[str, Any]:
        return {"low": self.low, "span": self.high - self.low, "stream": self.stream}

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("random_uniform", self.params),)


@dataclass(frozen=True)
class RandomNormal(_RandomNumbers):
    """Normal numbers by the Box-Muller transform, in double precision, from pairs of words.  Input: state."""

    mean: float
    stddev: float
    stream: int

    def params(self, node: Node) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, "stream": self.stream}

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("random_normal", self.params),)


@dataclass(frozen=True)
class NextSeed(Op):
    """The state ``steps`` steps later: ``[seed, step + steps]``, modulo 2^32."""

    steps: int = 1

    def infer(self, *specs: Spec) -> Spec:
        self.require(specs == (STATE,), f"a state {STATE}", *specs)
        return STATE

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("next_seed", self.params, inplace=lambda node: {0: 0}),)


@dataclass(frozen=True)
class RandomDraw(Op):
    """Numbers of the distribution ``kind`` by NumPy's generator, seeded by the state.  Inputs: state, its parameters,
    each of ``shape``.  No gradient.

    ``gamma`` (shape), ``beta`` (alpha, beta), ``binomial`` (trials, probability), ``integers`` (low, high).
    """

    kind: str
    shape: tuple[int, ...]

    def infer(self, *specs: Spec) -> Spec:
        state, *parameters = specs
        fits = state == STATE and all(p.shape == self.shape for p in parameters)
        self.require(fits, f"a state {STATE} and parameters of shape {self.shape}", *specs)
        return Spec(self.shape, "int32" if self.kind == "integers" else "float32")

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (None,) * len(inputs)


def draw(kind: str, shape: tuple[int, ...], state: Any, *parameters: Any) -> Value:
    """Numbers of the distribution ``kind``, whose parameters broadcast to ``shape``."""
    from pynn.ops.operands import _float
    from pynn.ops.shape import broadcast_to, cast

    whole = kind == "integers"
    values = [cast(p, "int64") if whole else _float(p) for p in parameters]
    return RandomDraw(kind, shape)(as_value(state, "uint32"), *(broadcast_to(v, shape) for v in values))


def dropout(x: Any, rate: float, state: Any, stream: int | None = None) -> Value:
    """Set a fraction ``rate`` of the elements to zero and scale the others by ``1 / (1 - rate)``.

    Args:
        x: values.
        rate: how likely an element is dropped, in [0, 1].
        state: seed and step, ``uint32[2]``.
        stream: tells random ops of one trace apart; a fresh number by default.

    Raises:
        ArgumentError: ``rate`` is not in [0, 1].
    """
    if not isinstance(rate, (int, float)) or isinstance(rate, bool) or not 0 <= rate <= 1:
        raise ArgumentError(f"dropout: rate must be a number in [0, 1], received {rate!r}")
    x = as_value(x)
    if rate == 0:
        return x
    return Dropout(float(rate), _stream(stream))(x, as_value(state, "uint32"))


def random_uniform(
    shape: Sequence[int], state: Any, low: float = 0.0, high: float = 1.0, stream: int | None = None
) -> Value:
    """float32 numbers of the given shape, uniform in ``[low, high)``."""
    if not low < high:
        raise ArgumentError(f"random_uniform: low must be less than high, received low={low!r}, high={high!r}")
    op = RandomUniform(_shape(shape, "random_uniform"), float(low), float(high), _stream(stream))
    return op(as_value(state, "uint32"))


def random_normal(
    shape: Sequence[int], state: Any, mean: float = 0.0, stddev: float = 1.0, stream: int | None = None
) -> Value:
    """float32 numbers of the given shape, normal with the given mean and standard deviation."""
    if not stddev >= 0:
        raise ArgumentError(f"random_normal: stddev must be at least 0, received {stddev!r}")
    op = RandomNormal(_shape(shape, "random_normal"), float(mean), float(stddev), _stream(stream))
    return op(as_value(state, "uint32"))


def next_seed(state: Any) -> Value:
    """The state for the next run."""
    return NextSeed()(as_value(state, "uint32"))


def _stream(stream: int | None) -> int:
    return current().next_stream() if stream is None else stream


def _shape(shape: Sequence[int], function: str) -> tuple[int, ...]:
    sizes = tuple(int(d) for d in shape)
    if any(d < 0 for d in sizes):
        raise ArgumentError(f"{function}: sizes must be at least 0, received {shape!r}")
    return sizes
