"""Compiled functions: what is fed, what is part of the signature, what changes."""

import gc
import weakref

import numpy as np
import pytest

import pynn
from pynn import ops
from pynn.errors import ArgumentError
from pynn.graph.tensor import Tensor

X = np.arange(6, dtype="float32").reshape(2, 3)


def counting(function, **options):
    """A compiled function, and a list that grows with each of its traces."""
    traces = []

    def traced(*args, **kwargs):
        traces.append(1)
        return function(*args, **kwargs)

    return pynn.jit(traced, **options), traces


def test_numbers_are_fed_and_do_not_compile_again():
    f, traces = counting(lambda x, a, n: ops.sum(x) * a + n)
    assert float(f(X, 2.0, 1)) == 31
    assert float(f(X, 3.5, 2)) == 15 * 3.5 + 2
    assert float(f(X.astype("float64"), 3.5, -7)) == 15 * 3.5 - 7
    assert len(traces) == 1
    assert float(f(X[:1], 1.0, 0)) == 3  # another shape
    assert len(traces) == 2


def test_structures_and_what_is_static():
    def function(tree, training=False, how="sum"):
        total = tree["a"][0] + tree["b"]
        total = ops.sum(total) if how == "sum" else ops.mean(total)
        return {"total": -total if training else total, "same": tree["a"][1], "how": how, "pair": (total, None)}

    f, traces = counting(function)
    tree = {"a": [X, X + 1], "b": 2.0}
    found = f(tree)
    assert isinstance(found["total"], Tensor)
    assert (float(found["total"]), found["how"], found["pair"][1]) == (27, "sum", None)
    np.testing.assert_array_equal(found["same"], X + 1)
    assert float(f(tree, training=True)["total"]) == -27
    assert float(f(tree, how="mean")["total"]) == 4.5
    assert len(traces) == 3
    f(tree, how="mean")
    assert len(traces) == 3


def test_static_arguments_by_position_or_name():
    for options in ({"static_argnums": 1}, {"static_argnames": "shape"}, {"static_argnames": ["shape"]}):
        f = pynn.jit(lambda x, shape: ops.reshape(x, shape), **options)
        assert f(X, (3, 2)).shape == (3, 2)
        assert f(X, shape=(6,)).shape == (6,)
    f = pynn.jit(static_argnames="n")(lambda x, n: x * n)
    assert f(X, 1).tolist() == X.tolist()
    assert f(X, True).dtype == "float32"  # 1 and True are two signatures
    with pytest.raises(ArgumentError, match="no argument 'm', only x, n"):
        pynn.jit(lambda x, n: x, static_argnames="m")
    with pytest.raises(ArgumentError, match=r"must be hashable, received list: \[3, 2\]"):
        pynn.jit(lambda x, shape: x, static_argnames="shape")(X, [3, 2])


def test_variables_are_read_and_assigned():
    total = pynn.Variable(np.zeros(3, "float32"))
    start = pynn.Variable(1.0)

    @pynn.jit
    def add(v, x):
        v.assign_add(ops.sum(x, axis=0) * start)
        return v + 0.0

    np.testing.assert_array_equal(add(total, X), [3, 5, 7])
    start.assign(2.0)
    np.testing.assert_array_equal(add(total, X), [9, 15, 21])
    np.testing.assert_array_equal(total, [9, 15, 21])
    other = pynn.Variable(np.zeros(3, "float32"))
    np.testing.assert_array_equal(add(other, X), [6, 10, 14])
    np.testing.assert_array_equal(total, [9, 15, 21])


def test_setting_trainable_is_seen():
    v, w = pynn.Variable(2.0), pynn.Variable(3.0)

    def slopes():
        with pynn.GradientTape() as tape:
            y = v * w
        return tape.gradient(y, [v, w], unconnected_gradients="zero")

    f, traces = counting(slopes)
    assert [float(g) for g in f()] == [3, 2]
    w.trainable = False
    assert [float(g) for g in f()] == [3, 0]
    w.trainable = True
    assert [float(g) for g in f()] == [3, 2]
    assert len(traces) == 2  # the first program was found again
    pynn.Variable(1.0).trainable = False  # one that it does not use
    f()
    assert len(traces) == 2


def test_a_frozen_batch_normalization_is_seen():
    norm = pynn.layers.BatchNormalization(center=False, scale=False)
    f = pynn.jit(lambda x: norm(x, training=True))
    f(X)
    before = norm.moving_mean.numpy()
    norm.trainable = False
    f(X)
    np.testing.assert_array_equal(norm.moving_mean, before)
    norm.trainable = True
    f(X)
    assert (norm.moving_mean.numpy() != before).any()


def test_random_layers_draw_anew_at_each_call():
    dropout = pynn.layers.Dropout(0.5, seed=1)
    f = pynn.jit(lambda x: dropout(x, training=True))
    x = np.ones((8, 8), "float32")
    assert (f(x) != f(x)).any()


def test_learning_rate_schedules_are_asked_before_each_run():
    v = pynn.Variable(0.0)
    optimizer = pynn.optimizers.SGD(lambda step: [1.0, 10.0, 100.0][step])

    @pynn.jit
    def step(slope):
        optimizer.apply([slope], [v])

    seen = []
    for _ in range(3):
        assert step(-1.0) is None
        seen.append(float(v))
    assert seen == [1, 11, 111]


def test_metrics_inside():
    mean = pynn.metrics.Mean()

    @pynn.jit
    def update(x):
        mean.update_state(x)

    update(X)
    update(X + 1)
    assert mean.result() == 3


def test_methods():
    class Model:
        def __init__(self, factor):
            self.factor, self.traces = factor, 0

        @pynn.jit
        def run(self, x, *, plus=0.0):
            """Doc."""
            self.traces += 1
            return x * self.factor + plus

    a, b = Model(2.0), Model(3.0)
    assert a.run(X).tolist() == (2 * X).tolist()
    assert b.run(X, plus=1.0).tolist() == (3 * X + 1).tolist()
    assert a.run(X).tolist() == (2 * X).tolist()
    assert (a.traces, b.traces) == (1, 1)
    assert Model.run.__doc__ == "Doc."
    gone = weakref.ref(b)
    del b
    gc.collect()
    assert gone() is None


def test_inside_another_one_and_under_a_tape():
    inner = pynn.jit(lambda x: x * x)
    assert pynn.jit(lambda x: inner(x) + 1)(X).tolist() == (X * X + 1).tolist()
    v = pynn.Variable(3.0)
    with pynn.GradientTape() as tape:
        y = inner(v)
    assert tape.gradient(y, v).numpy() == 6


def test_lists_of_no_results_and_numbers_that_come_back():
    f = pynn.jit(lambda x, v: [x, 3, v, "text"])
    v = pynn.Variable(1.0)
    x, three, same, text = f(X, v)
    assert (x.tolist(), three, same is v, text) == (X.tolist(), 3, True, "text")
    assert pynn.jit(lambda x: [])(X) == []


def test_values_of_a_trace_do_not_get_out_unnoticed():
    kept = []
    pynn.jit(lambda x: kept.append(x * 2))(X)
    with pytest.raises(TypeError, match="has no numbers yet"):
        kept[0].numpy()


def test_an_error_in_the_function_leaves_no_trace_open():
    from pynn.graph import trace

    with pytest.raises(TypeError, match="has no truth"):
        pynn.jit(lambda x: 1 if x else 2)(X)
    assert not trace.is_tracing()
