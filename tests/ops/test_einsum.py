"""Einsum and matmul with batch axes against NumPy, values and gradients."""

import numpy as np
import pytest

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.executor.native import compile_graph
from pynn.executor.reference import ReferenceProgram
from pynn.graph.autodiff import gradients
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace

CASES = [
    ("ij,jk->ik", (3, 4), (4, 5)),
    ("ij,jk", (3, 4), (4, 5)),
    ("ij,kj->ki", (3, 4), (5, 4)),
    ("abc,cde->abde", (2, 3, 4), (4, 5, 6)),
    ("abde,dec->abc", (2, 3, 5, 6), (5, 6, 4)),
    ("bthd,bshd->bhts", (2, 3, 4, 5), (2, 6, 4, 5)),
    ("bhts,bshd->bthd", (2, 4, 3, 6), (2, 6, 4, 5)),
    ("bmk,bkn->bmn", (3, 4, 5), (3, 5, 6)),
    ("bkm,bnk->bmn", (3, 5, 4), (3, 6, 5)),
    ("...ab,...bc->...ac", (2, 3, 4, 5), (5, 6)),
    ("...x,xy->...y", (2, 3, 4), (4, 5)),
    ("i,j->ij", (3,), (4,)),
    ("i,i->", (5,), (5,)),
    ("ij,ij->j", (3, 4), (3, 4)),
    ("ijz,jk->ik", (3, 4, 2), (4, 5)),
    ("bij,bjk->bik", (1, 3, 4), (5, 4, 2)),
    ("ij->ji", (3, 4)),
    ("ij->", (3, 4)),
    ("bij->ib", (2, 3, 4)),
]


def _arrays(shapes):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(s) for s in shapes]


@pytest.mark.parametrize(("subscripts", "shapes"), [(c[0], c[1:]) for c in CASES], ids=lambda v: str(v))
def test_einsum(subscripts, shapes):
    arrays = _arrays(shapes)
    want = np.einsum(subscripts, *arrays)
    with Trace() as trace:
        xs = [trace.input(f"x{i}", Spec(s)) for i, s in enumerate(shapes)]
        y = ops.einsum(subscripts, *xs)
        graph = trace.finish([y, *gradients(ops.sum(y * y), xs)])
    got, *grads = compile_graph(graph)([a.astype("float32") for a in arrays])
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
    for i, g in enumerate(grads):
        d = np.random.default_rng(1).standard_normal(shapes[i])
        up, down = (np.einsum(subscripts, *arrays[:i], arrays[i] + e * d, *arrays[i + 1 :]) for e in (1e-5, -1e-5))
        slope = float((up**2).sum() - (down**2).sum()) / 2e-5
        assert float((g * d).sum()) == pytest.approx(slope, rel=1e-4, abs=1e-3)


@pytest.mark.parametrize(
    "shapes",
    [((2, 3, 4), (2, 4, 5)), ((2, 3, 4), (4, 5)), ((3, 4), (2, 4, 5)), ((7, 1, 3, 4), (2, 4, 5)), ((4,), (2, 4, 5)),
     ((2, 3, 4), (4,)), ((4,), (4,)), ((4,), (4, 5))],
    ids=str,
)  # fmt: skip
def test_matmul_broadcasts_as_numpy(shapes):
    arrays = _arrays(shapes)
    with Trace() as trace:
        graph = trace.finish([ops.matmul(*(trace.input(f"x{i}", Spec(s, "float64")) for i, s in enumerate(shapes)))])
    (got,) = ReferenceProgram(graph)(arrays)
    np.testing.assert_allclose(got, np.matmul(*arrays), rtol=1e-12)


@pytest.mark.parametrize(
    ("subscripts", "shapes", "error", "says"),
    [
        ("ij,jk->ik", [(3, 4), (5, 6)], ShapeError, "'j' is 4 in one operand and 5 in another"),
        ("ij->ii", [(3, 3)], ArgumentError, "the result names a letter twice"),
        ("ij,jk->iz", [(3, 4), (4, 5)], ArgumentError, "names a letter that no operand has"),
        ("ij->i", [(3, 4), (4, 5)], ArgumentError, "received 2 operands for 1 terms"),
        ("ijk->i", [(3, 4)], ShapeError, "'ijk' does not fit"),
    ],
)
def test_errors(subscripts, shapes, error, says):
    with Trace() as trace, pytest.raises(error, match=says):
        ops.einsum(subscripts, *(trace.input(f"x{i}", Spec(s)) for i, s in enumerate(shapes)))


def test_matmul_refuses_other_inner_sizes():
    with Trace() as trace, pytest.raises(ShapeError, match=r"matmul: expected x1 of shape \(\.\.\., m, k\)"):
        ops.matmul(trace.input("a", Spec((2, 3, 4))), trace.input("b", Spec((2, 5, 6))))
