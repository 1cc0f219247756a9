"""Whole numbers, truth values, and what comes out when kinds of numbers meet."""

import numpy as np
import pytest

from pynn import ops
from pynn.errors import DtypeError
from pynn.executor.native import NativeProgram, optimize
from pynn.graph.dtypes import result_type
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace

I = np.array([3, -4, 5], "int32")  # noqa: E741
F = np.array([1.0, 2.0, 3.0], "float32")
B = np.array([True, False, True])
U = np.array([1, 2, 200], "uint8")


@pytest.mark.parametrize(
    ("result", "dtype", "numbers"),
    [
        (lambda: ops.add(I, 1), "int32", [4, -3, 6]),
        (lambda: ops.add(I, 1.5), "float32", [4.5, -2.5, 6.5]),
        (lambda: ops.add(B, B), "bool", B),
        (lambda: ops.multiply(B, I), "int32", [3, 0, 5]),
        (lambda: ops.add(U, 1), "uint8", [2, 3, 201]),
        (lambda: ops.add(U, I), "int32", [4, -2, 205]),
        (lambda: ops.divide(I, 2), "float32", [1.5, -2.0, 2.5]),
        (lambda: ops.floor_divide(I, 2), "int32", [1, -2, 2]),
        (lambda: ops.mod(I, 3), "int32", [0, 2, 2]),
        (lambda: ops.power(I, 2), "int32", [9, 16, 25]),
        (lambda: ops.power(B, B), "int32", [1, 1, 1]),
        (lambda: ops.abs(I), "int32", [3, 4, 5]),
        (lambda: ops.sum(B), "int32", 2),
        (lambda: ops.sum(U), "uint32", 203),
        (lambda: ops.mean(I), "float32", 4 / 3),
        (lambda: ops.max(U), "uint8", 200),
        (lambda: ops.argmin(U), "int32", 0),
        (lambda: ops.where(B, 1, 2), "int32", [1, 2, 1]),
        (lambda: ops.where(B, I, B), "int32", [3, 0, 5]),
        (lambda: ops.where(I, B, True), "bool", [True, False, True]),
        (lambda: ops.equal(I, 3.0), "bool", [True, False, False]),
        (lambda: ops.equal(np.array([2**24, 2**24 + 1]), 2**24), "bool", [True, False]),
        (lambda: ops.logical_and(F, B), "bool", B),
        (lambda: ops.logical_xor(B, [1, 1, 0]), "bool", [False, True, True]),
        (lambda: ops.logical_not(I), "bool", [False] * 3),
        (lambda: ops.any(np.zeros((2, 3)), axis=0), "bool", [False] * 3),
        (lambda: ops.all(B), "bool", False),
        (lambda: ops.cast([0.5, 0.0], "bool"), "bool", [True, False]),
        (lambda: ops.cast(B, int), "int32", [1, 0, 1]),
        (lambda: ops.matmul(I, I), "int32", 50),
        (lambda: ops.einsum("i,i->", B, F), "float32", 4),
        (lambda: ops.take(I, [0, -1, 7]), "int32", [3, 5, -(2**31)]),
        (lambda: ops.clip(I, 0, 1), "int32", [1, 0, 1]),
        (lambda: ops.concatenate([B, B]), "bool", [True, False, True] * 2),
        (lambda: ops.reshape(B, (3, 1)), "bool", B[:, None]),
    ],
)
def test_dtypes_and_numbers(result, dtype, numbers):
    got = result()
    assert got.dtype == dtype
    np.testing.assert_allclose(got, numbers, rtol=1e-6)


def test_weak_numbers_do_not_widen():
    assert result_type("uint8", int) == "uint8"
    assert result_type("int8", "uint8") == "int16"
    assert result_type("int64", float) == "float32"
    assert result_type("float16", "bfloat16") == "float32"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "text"])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(DtypeError, match=dtype):
        ops.cast(F, dtype)


def test_operators_of_traced_values():
    with Trace() as trace:
        x, n = trace.input("x", Spec((3,))), trace.input("n", Spec((3,), "int32"))
        results = [(x > 1) & (x < 3), (x > 2) | (n < 0), ~(x > 1), (x > 1) ^ True, n // 2, 7 % n, I + n]
        program = NativeProgram(trace.finish(results))
    got = program([F, I])
    for a, b in zip(got, [(F > 1) & (F < 3), (F > 2) | (I < 0), F <= 1, F <= 1, I // 2, 7 % I, I + I], strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def test_truth_values_inside_a_chain_cost_nothing():
    """Comparisons stay zeros and ones in float32: what reads them is one kernel, as if there were no bool."""
    with Trace() as trace:
        x, y = trace.input("x", Spec((64, 8))), trace.input("y", Spec((64, 8)))
        right = ops.cast(ops.equal(x, y), "float32") * 0.5
        kept = ops.where(ops.logical_and(x > 0, ops.reshape(ops.greater(y, x), (64, 8))), x, 0.0)
        graph = optimize(trace.finish([ops.add(right, kept)]))
    text = str(graph)
    assert "Cast" not in text
    assert "bool" not in text
    assert len(graph.nodes) == 1


def test_a_comparison_as_a_result_is_cast_by_the_native_kernel():
    with Trace() as trace:
        x = trace.input("x", Spec((64,)))
        graph = optimize(trace.finish([ops.greater(x, 0.5), ops.cast(x, "bool")]))
    assert [n.choice.candidate is not None for n in graph.nodes] == [True] * len(graph.nodes)
