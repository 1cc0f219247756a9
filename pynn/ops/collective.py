"""Ops that several processes ("ranks") compute together, each with its part of a batch.

They are in the graph of every rank in the same order; :mod:`pynn.distribute` puts them there.  ``weight`` is the rank's
part of the whole, so that a *mean* over all rows of the global batch is the sum of ``weight * (mean of my rows)``, also
where the parts differ in size.  ``index`` is the op's number in the trace: it keeps equal ops apart, and orders them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pynn.graph.ir import Op, Spec, Value
from pynn.graph.trace import current
from pynn.ops.random import STATE
from pynn.reference import collective

#: Works on the arrays of a program: ``(inputs, outputs)``.
Callback = Callable[[list[np.ndarray], list[np.ndarray]], None]


@dataclass(frozen=True)
class _Reduction(Op, abstract=True):
    """Base: the sum over ranks of ``weight * x``."""

    collective: ClassVar[bool] = True
    weight: float
    index: int

    def infer(self, *specs: Spec) -> Spec:
        self.require(len(specs) == 1, "one array", *specs)
        return specs[0]


class RankMean(_Reduction):
    """The mean over ranks: the sum of ``weight * x``, where all ranks' weights add up to 1.

    If ``L = sum_r weight_r L_r`` is to be minimised and each rank computes gradients of its ``L_r``, which are then
    averaged by the same weights, the gradient that has to go on to ``x`` is the mean of those that arrive at the
    ranks' results.
    """

    def infer(self, *specs: Spec) -> Spec:
        self.require_float(*specs)
        return super().infer(*specs)

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (RankMean(self.weight, current().next_collective())(g),)


class RankSum(_Reduction):
    """The sum over ranks, of what is counted; ``weight`` is 1, or 0 for a rank that has no rows.  No gradient."""


@dataclass(frozen=True)
class BucketStart(Op):
    """``weight * array`` of all inputs behind each other in one flat array; inside a program the sum over ranks begins.

    What reads it is :class:`BucketFinish` alone.  Buckets begin in the order of their numbers.
    """

    collective: ClassVar[bool] = True
    weights: tuple[float, ...]
    number: int = 0

    def infer(self, *specs: Spec) -> Spec:
        self.require(len(specs) == len(self.weights), f"{len(self.weights)} arrays", *specs)
        self.require(len({spec.dtype for spec in specs}) == 1, "arrays of one dtype", *specs)
        return Spec((sum(spec.size for spec in specs),), specs[0].dtype)

    def callback(self) -> Callback:
        def run(inputs: list[np.ndarray], outputs: list[np.ndarray]) -> None:
            (flat,) = outputs
            start = 0
            for array, weight in zip(inputs, self.weights, strict=True):
                part = flat[start : start + array.size]
                if weight:
                    np.multiply(array.reshape(-1), part.dtype.type(weight), out=part)
                else:
                    part[...] = 0
                start += array.size
            collective.transport.start(flat)

        return run


@dataclass(frozen=True)
class BucketFinish(Op):
    """The sum over ranks of a flat array, cut into arrays of the given shapes.  Input: of a :class:`BucketStart`."""

    collective: ClassVar[bool] = True
    shapes: tuple[tuple[int, ...], ...]

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        size = sum(math.prod(shape) for shape in self.shapes)
        self.require(len(specs) == 1 and specs[0].shape == (size,), f"one flat array of {size}", *specs)
        return tuple(specs[0].with_shape(shape) for shape in self.shapes)

    def callback(self) -> Callback:
        def run(inputs: list[np.ndarray], outputs: list[np.ndarray]) -> None:
            (flat,) = inputs
            collective.transport.finish(flat)
            start = 0
            for array in outputs:
                array.reshape(-1)[...] = flat[start : start + array.size]
                start += array.size

        return run


@dataclass(frozen=True)
class RankSeed(Op):
    """The state of a random generator with another seed on each rank, so that each drops out other units."""

    rank: int

    def infer(self, *specs: Spec) -> Spec:
        self.require(specs == (STATE,), f"a state {STATE}", *specs)
        return STATE


class Replica:
    """What traced code knows about the other ranks: ``trace.replica``, None where there are none.

    Args:
        rank, size: which one this is, and how many there are.
        share: its part of the rows of the global batch; 0 where it has none and computes on a row that does not count.
        synchronizes: whether batch normalization takes its statistics over the global batch.
    """

    def __init__(self, rank: int, size: int, share: float, synchronizes: bool = True):
        self.rank, self.size, self.share, self.synchronizes = rank, size, share, synchronizes

    def mean(self, x: Any) -> Value:
        """What ``x``, a mean over this rank's rows, is over all rows."""
        return RankMean(self.share, current().next_collective())(x)

    def sum(self, x: Any) -> Value:
        """The sum of what the ranks have counted."""
        return RankSum(1.0 if self.share else 0.0, current().next_collective())(x)
