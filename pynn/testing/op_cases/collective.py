"""What ranks compute together, here by a process that is alone: the sum is its own."""

from pynn.graph.ir import Spec
from pynn.ops.collective import BucketFinish, BucketStart, RankMean, RankSeed, RankSum
from pynn.ops.random import STATE
from pynn.testing.op_case import OpCase

CASES = [
    OpCase(RankMean(1.0, 0), [Spec((3, 5))], expect=[(3, 5)]),
    OpCase(RankSum(0.0, 1), [Spec((4,))], grad=(), expect=[(4,)], note="a rank without rows"),
    OpCase(BucketStart((0.5, 0.0, 1.0)), [Spec((2, 3)), Spec(()), Spec((4,))], grad=(), expect=[(11,)]),
    OpCase(BucketFinish(((2, 3), (), (4,))), [Spec((11,))], grad=(), expect=[(2, 3), (), (4,)]),
    OpCase(RankSeed(3), [STATE], grad=(), expect=[(2,)]),
]
