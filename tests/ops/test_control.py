"""Loops and choices, on arrays and while a step is traced."""

import numpy as np
import pytest

import pynn
from pynn import ops
from pynn.errors import GraphError
from pynn.executor.native import compile_graph
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace

X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "float32")


def traced(function, *arrays):
    with Trace() as trace:
        xs = [trace.input(f"x{i}", Spec(a.shape, str(a.dtype))) for i, a in enumerate(arrays)]
        graph = trace.finish([function(*xs)])
    return compile_graph(graph)(list(arrays))[0]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: ops.map(lambda row: ops.sum(row), x), [3, 7, 11]),
        (lambda x: ops.vectorized_map(lambda row: row * 2, x), 2 * X),
        (lambda x: ops.scan(lambda c, row: (c + row, c * row), ops.zeros(2), x)[0], [9, 12]),
        (lambda x: ops.scan(lambda c, row: (c + row, c + row), ops.zeros(2), x, reverse=True)[1][0], [9, 12]),
        (lambda x: ops.fori_loop(0, 3, lambda i, v: v + x[i], ops.zeros(2)), [9, 12]),
        (lambda x: ops.cond(ops.sum(x) > 20, lambda: x + 1, lambda: x), X + 1),
        (lambda x: ops.switch(ops.cast(x[0, 1], "int32"), [lambda v: v, lambda v: -v, lambda v: v * v], x), X * X),
        (lambda x: ops.while_loop(lambda v: ops.max(v) < 50, lambda v: v * 2, x, maximum_iterations=9), X * 16),
        (lambda x: ops.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * 2), (0, x))[1], X * 8),
        (lambda x: ops.vectorize(lambda row: ops.max(row), signature="(n)->()")(x), [2, 4, 6]),
        (lambda x: ops.sparsemax(x * 0.25), [[0.375, 0.625]] * 3),
    ],
)
def test_on_arrays_and_traced(function, expected):
    np.testing.assert_allclose(function(X), expected, rtol=1e-6)
    np.testing.assert_allclose(traced(function, X), expected, rtol=1e-6)


def test_a_loop_of_unknown_length_says_what_to_do():
    assert ops.while_loop(lambda v: ops.max(v) < 50, lambda v: v * 2, X).max() == 96
    with pytest.raises(GraphError, match="give maximum_iterations"):
        traced(lambda x: ops.while_loop(lambda v: ops.max(v) < 50, lambda v: v * 2, x), X)
    with pytest.raises(GraphError, match="loop up to a known maximum"):
        traced(lambda n: ops.fori_loop(0, n, lambda i, v: v, 1.0), np.array(3, "int32"))


def test_lengths_that_depend_on_numbers_need_arrays():
    for function in (ops.nonzero, ops.unique, ops.bincount):
        with pytest.raises(GraphError, match="call it on arrays"):
            traced(function, np.array([1, 2], "int32"))


def test_a_scan_in_a_model():
    x = pynn.Input(batch_shape=(3, 2))
    model = pynn.Model(x, ops.scan(lambda c, row: (c + row, c + row), ops.zeros(2), x)[1])
    np.testing.assert_allclose(model.predict(X, verbose=0), np.cumsum(X, 0))


def test_ctc_decode_reads_labels():
    logits = np.log(np.array([[[0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1]]]))
    labels, score = ops.ctc_decode(logits, [4])
    np.testing.assert_array_equal(labels, [[[1, 1, -1, -1]]])
    assert score[0, 0] == pytest.approx(-4 * np.log(0.8), rel=1e-5)
    paths, scores = ops.ctc_decode(logits, [4], strategy="beam_search", top_paths=2)
    np.testing.assert_array_equal(paths[0, 0], [1, 1, -1, -1])
    assert scores[0, 0] > scores[0, 1]
