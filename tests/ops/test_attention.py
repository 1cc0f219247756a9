"""Attention against the same formula with all scores, and the gradients of both."""

import numpy as np
import pytest

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.executor.native import compile_graph
from pynn.graph.autodiff import gradients
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace
from pynn.ops.attention import attention_with_scores


def _run(function, arrays):
    """The result and the gradients of the sum of its squares, by the native program."""
    with Trace() as trace:
        xs = [trace.input(f"x{i}", Spec(a.shape)) for i, a in enumerate(arrays)]
        y = function(*xs)
        graph = trace.finish([y, *gradients(ops.sum(y * y), xs)])
    return compile_graph(graph)(arrays)


def _operands(b=2, t=150, s=270, h=2, d=24, dv=20):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype("float32") for shape in ((b, t, h, d), (b, s, h, d), (b, s, h, dv))]


def _mask(*shape):
    return (np.random.default_rng(1).uniform(size=shape) < 0.6).astype("float32")


def _with_a_blind_query():
    mask = _mask(2, 1, 150, 270)
    mask[1, 0, 3] = 0
    return mask


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"is_causal": True},
        {"scale": 0.5, "mask": _mask(270)},
        {"mask": _mask(2, 1, 1, 270)},
        {"mask": _mask(1, 2, 150, 1)},
        {"mask": _with_a_blind_query()},
    ],
    ids=lambda o: "-".join(o) or "plain",
)
def test_is_the_formula_with_scores(options):
    operands = _operands()
    ours = _run(lambda q, k, v: ops.dot_product_attention(q, k, v, **options), operands)
    plain = _run(lambda q, k, v: attention_with_scores(q, k, v, **options)[0], operands)
    for a, b in zip(ours, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


def test_a_bias_is_trained():
    operands = [*_operands(t=5, s=7), np.random.default_rng(2).standard_normal((2, 5, 7)).astype("float32")]
    y, *grads = _run(lambda q, k, v, bias: ops.dot_product_attention(q, k, v, bias=bias), operands)
    moved = [*operands[:3], operands[3] + 1e-2 * grads[3]]
    before = float((y * y).sum())
    after = float((_run(lambda q, k, v, bias: ops.dot_product_attention(q, k, v, bias=bias), moved)[0] ** 2).sum())
    assert after - before == pytest.approx(1e-2 * float((grads[3] ** 2).sum()), rel=0.1)


def test_huge_scores_stay_finite():
    q, k, v = _operands(t=4, s=6)
    y, *grads = _run(lambda q, k, v: ops.dot_product_attention(q, k, v), [q * 1e4, k * 1e4, v])
    assert all(np.isfinite(a).all() for a in (y, *grads))


def test_memory_grows_with_the_sequence_not_its_square():
    with Trace() as trace:
        xs = [trace.input(n, Spec((1, 4096, 1, 16))) for n in "qkv"]
        y = ops.dot_product_attention(*xs)
        graph = trace.finish(gradients(ops.sum(y * y), xs))
    assert compile_graph(graph).nbytes < 4096 * 4096


def test_errors_say_what_came():
    with Trace() as trace:
        q, k = trace.input("q", Spec((1, 2, 3, 4))), trace.input("k", Spec((1, 5, 2, 4)))
        with pytest.raises(ShapeError, match=r"expected query .* received float32\[1, 2, 3, 4\]"):
            ops.dot_product_attention(q, k, k)
        with pytest.raises(ShapeError, match=r"broadcasts to \(1, 3, 2, 2\)"):
            ops.dot_product_attention(q, q, q, mask=np.ones((2, 5), "float32"))
        with pytest.raises(ArgumentError, match="soft_cap"):
            ops.dot_product_attention(q, q, q, attn_logits_soft_cap=1.0)
