"""Cases of the matrix product: around the tile (6, 14 rows; 4..32 columns), each transpose, each way of blocking."""

from pynn.graph.ir import Spec
from pynn.ops.matmul import Matmul, PackMatmulKernel
from pynn.testing.op_case import OpCase


def _case(
    m: int,
    k: int,
    n: int,
    ta: bool = False,
    tb: bool = False,
    act: str = "linear",
    bias: bool = False,
    residual: bool = False,
    packed: bool = False,
) -> OpCase:
    specs = [Spec((k, m) if ta else (m, k)), Spec((n, k) if tb else (k, n))]
    if packed:
        specs[1] = Spec((-(-n // 32), k, 32))
    if bias:
        specs.append(Spec((n,)))
    if residual:
        specs.append(Spec((m, n)))
    # Rounding of a sum of k products grows with sqrt(k); each product is of size 1.
    plain = not bias and not residual and not packed and act == "linear"
    return OpCase(
        Matmul(ta, tb, act, n if packed else 0), specs, rtol=1e-5, atol=1e-6 * max(4.0, k**0.5) * 2, expect=[(m, n)],
        grad=None if plain else (),
    )  # fmt: skip


_ACTIVATIONS = ("linear", "relu", "relu6", "sigmoid", "tanh")

CASES = [
    *(_case(m, k, n, ta, tb)
      for ta in (False, True) for tb in (False, True)
      for m, k, n in [(1, 1, 1), (5, 7, 3), (13, 16, 17), (14, 33, 32), (29, 15, 65), (64, 10, 10), (3, 100, 40)]),
    _case(128, 784, 64), _case(784, 128, 64, ta=True), _case(64, 64, 1024, tb=True), _case(8, 1024, 600),
    _case(61, 1100, 530), _case(530, 600, 61, ta=True), _case(40, 2048, 1000, tb=True), _case(2, 3, 2000),
    # A few rows times a large matrix, which is streamed; blocks of K in place; several blocks of rows.
    _case(1, 700, 300), _case(3, 530, 1001, act="relu", bias=True), _case(6, 300, 517, ta=True),
    _case(20, 2100, 70, bias=True), _case(20, 1024, 33), _case(1700, 20, 530), _case(1700, 20, 530, ta=True),
    # Groups of columns that threads divide; several blocks of K of a K-major A in place.
    _case(100, 700, 161, tb=True, act="relu", bias=True), _case(100, 1200, 70, ta=True, act="tanh"),
    *(_case(15, 20, n, act=act, bias=True) for act in _ACTIVATIONS for n in (1, 10, 16, 33)),
    _case(30, 1030, 520, act="sigmoid", bias=True), _case(20, 1200, 700, act="relu", bias=True),
    *(_case(15, 20, n, act=act, bias=bias, residual=True)
      for act in ("linear", "relu6", "tanh") for bias in (False, True) for n in (1, 19, 64)),
    _case(20, 1200, 700, act="relu", bias=True, residual=True), _case(2, 600, 300, act="relu6", residual=True),
    *(_case(m, k, n, ta, packed=True)
      for ta in (False, True) for m, k, n in [(1, 1, 1), (5, 7, 20), (14, 33, 32), (29, 15, 65), (3, 600, 300)]),
    _case(800, 1024, 50, act="relu", bias=True, residual=True, packed=True), _case(17, 1100, 530, packed=True),
    *(OpCase(PackMatmulKernel(), [Spec((k, n))], expect=[(-(-n // 32), k, 32)], grad=())
      for k, n in [(1, 1), (5, 32), (33, 100), (3, 17), (70, 64)]),
]  # fmt: skip
