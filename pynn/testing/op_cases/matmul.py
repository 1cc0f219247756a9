"""Cases of the matrix product: around the tile (6, 14 rows; 4..32 columns), each transpose, both algorithms."""

from pynn.graph.ir import Spec
from pynn.ops.matmul import Matmul
from pynn.testing.op_case import OpCase


def _case(
    m: int, k: int, n: int, ta: bool = False, tb: bool = False, act: str = "linear", bias: bool = False
) -> OpCase:
    specs = [Spec((k, m) if ta else (m, k)), Spec((n, k) if tb else (k, n))]
    if bias:
        specs.append(Spec((n,)))
    # Rounding of a sum of k products grows with sqrt(k); each product is of size 1.
    plain = not bias and act == "linear"
    return OpCase(
        Matmul(ta, tb, act), specs, rtol=1e-5, atol=1e-6 * max(4.0, k**0.5) * 2, expect=[(m, n)],
        grad=None if plain else (),
    )  # fmt: skip


CASES = [
    *(_case(m, k, n, ta, tb)
      for ta in (False, True) for tb in (False, True)
      for m, k, n in [(1, 1, 1), (5, 7, 3), (13, 16, 17), (14, 33, 32), (29, 15, 65), (64, 10, 10), (3, 100, 40)]),
    _case(128, 784, 64), _case(784, 128, 64, ta=True), _case(64, 64, 1024, tb=True), _case(8, 1024, 600),
    _case(61, 1100, 530), _case(530, 600, 61, ta=True), _case(40, 2048, 1000, tb=True), _case(2, 3, 2000),
    *(_case(15, 20, n, act=act, bias=True) for act in ("linear", "relu", "sigmoid", "tanh") for n in (1, 10, 16, 33)),
    _case(30, 1030, 520, act="sigmoid", bias=True), _case(20, 1200, 700, act="relu", bias=True),
]  # fmt: skip
