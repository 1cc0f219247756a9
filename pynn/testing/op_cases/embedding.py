"""Cases of taking and adding rows: rows around the width of a vector, repeated numbers, numbers from the end."""

import numpy as np

from pynn.graph.ir import Spec
from pynn.ops.embedding import AddRows, TakeRows
from pynn.testing.op_case import OpCase


def _numbers(low: int, high: int):
    return lambda rng, spec: rng.integers(low, high, spec.shape).astype(spec.dtype)


def _both(rows: int, inner: tuple[int, ...], numbers: tuple[int, ...]) -> list[OpCase]:
    draw = {1: _numbers(-rows, rows)}
    index, table, picked = Spec(numbers, "int32"), Spec((rows, *inner)), Spec((*numbers, *inner))
    # Sums of a few hundred normal numbers, in float32.
    return [
        OpCase(TakeRows(), [table, index], draw=draw, expect=[picked.shape]),
        OpCase(AddRows(rows), [picked, index], draw=draw, expect=[table.shape], atol=1e-5),
    ]


def _with_outsiders(rng: np.random.Generator, spec: Spec) -> np.ndarray:
    numbers = rng.integers(0, 5, spec.shape).astype(spec.dtype)
    numbers.reshape(-1)[:6] = [5, -6, 2**31 - 1, -(2**31), 1000, -1]
    return numbers


CASES = [
    *_both(7, (16,), (5,)), *_both(200, (33,), (9, 31)), *_both(3, (1,), (400,)), *_both(1, (128,), (2, 3)),
    *_both(65, (), (20,)), *_both(130, (2, 5), (4, 1, 6)), *_both(5, (17,), ()),
    OpCase(TakeRows(), [Spec((5, 20)), Spec((9,), "int32")], draw={1: _with_outsiders}, grad=(), note="NaN rows"),
    OpCase(TakeRows(), [Spec((5, 3), "int32"), Spec((9,), "int32")], draw={1: _with_outsiders}, grad=()),
    OpCase(TakeRows(), [Spec((5, 3), "bool"), Spec((4,), "int32")], grad=()),
    OpCase(AddRows(5), [Spec((9, 20)), Spec((9,), "int32")], draw={1: _with_outsiders}, grad=(), note="left out"),
]  # fmt: skip
