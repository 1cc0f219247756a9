"""Cases of products of stacks of matrices: each transpose, around tiles and panels, more rows than a task takes."""

from pynn.graph.ir import Spec
from pynn.ops.batched_matmul import BatchedMatmul
from pynn.testing.op_case import OpCase


def _case(batch: int, m: int, k: int, n: int, ta: bool = False, tb: bool = False) -> OpCase:
    specs = [Spec((batch, k, m) if ta else (batch, m, k)), Spec((batch, n, k) if tb else (batch, k, n))]
    return OpCase(BatchedMatmul(ta, tb), specs, rtol=1e-5, atol=2e-6 * max(4.0, k**0.5), expect=[(batch, m, n)])


CASES = [
    *(_case(batch, m, k, n, ta, tb)
      for ta in (False, True) for tb in (False, True)
      for batch, m, k, n in [(1, 1, 1, 1), (3, 5, 7, 3), (2, 29, 33, 65), (7, 14, 16, 32), (2, 300, 40, 48)]),
]  # fmt: skip
