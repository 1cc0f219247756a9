"""Cases of padding, cutting and joining: each side of each axis, both at once, and every dtype size."""

from pynn.graph.ir import Spec
from pynn.ops.pad import Concatenate, Pad
from pynn.testing.op_case import OpCase

_JOINS: list[tuple[int, list[tuple[int, ...]]]] = [
    (0, [(2, 3), (4, 3)]), (1, [(2, 3), (2, 5), (2, 1)]), (3, [(2, 3, 4, 5), (2, 3, 4, 16)]),
    (1, [(3, 2, 4), (3, 1, 4)]), (0, [(5,), (1,)]), (0, [(3, 4)]), (1, [(700, 33), (700, 64)]),
]  # fmt: skip

CASES = [
    *(OpCase(Pad(before, after), [Spec(shape)], rtol=0, atol=0) for before, after, shape in [
        ((0, 1, 1, 0), (0, 1, 1, 0), (2, 5, 4, 3)), ((0, 0, 1, 0), (0, 1, 0, 0), (2, 5, 4, 3)),
        ((0, -1, -2, 0), (0, -1, 0, 0), (2, 5, 4, 3)), ((1, -2), (-3, 4), (6, 5)), ((-2,), (3,), (7,)),
        ((0, 0, 0), (0, 0, -1), (3, 4, 5)), ((2, 0), (1, 0), (3, 4)), ((0, 3), (0, 0), (3, 9000)),
        ((0, -4000), (0, -1), (2, 9000)), ((0,), (0,), (4,)), ((-5,), (9,), (7,)),
    ]),
    OpCase(Pad((1,) * 8, (0,) * 8), [Spec((1, 2) * 4)], rtol=0, atol=0, note="as many axes as the kernel takes"),
    OpCase(Pad((0, 1), (0, 2)), [Spec((2, 3))], expect=[(2, 6)]),
    OpCase(Pad((0, 1), (-1, 2)), [Spec((2, 3), "int32")], rtol=0, atol=0),
    OpCase(Pad((0, 1), (-1, 2)), [Spec((2, 3), "int64")], rtol=0, atol=0, note="8 bytes: the reference runs it"),
    *(OpCase(Concatenate(axis), [Spec(s) for s in shapes], rtol=0, atol=0) for axis, shapes in _JOINS),
    OpCase(Concatenate(1), [Spec((2, 3)), Spec((2, 5))], expect=[(2, 8)]),
    OpCase(Concatenate(0), [Spec((2,), "int32"), Spec((3,), "int32")], rtol=0, atol=0),
]  # fmt: skip
