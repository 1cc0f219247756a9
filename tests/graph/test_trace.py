"""Tracing: values, variables and constants while a graph is recorded."""

import threading

import numpy as np
import pytest

from pynn import ops
from pynn.errors import DtypeError, GraphError, ShapeError
from pynn.executor.reference import ReferenceProgram
from pynn.graph import trace as trace_module
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace, as_value, current, is_tracing, scope
from pynn.graph.variable import Variable


def test_a_graph_holds_what_its_results_need_and_nothing_else():
    with Trace() as trace:
        x = trace.input("x", Spec((2, 3)))
        y = ops.relu(x)
        ops.exp(y)  # nobody needs it
        graph = trace.finish([y])
    assert [node.op.name for node in graph.nodes] == ["relu"]
    assert graph.inputs == (x,)
    assert graph.outputs == (y,)


def test_equal_scalars_are_one_constant():
    with Trace() as trace:
        assert trace.constant(2.0) is trace.constant(2)
        assert trace.constant(2.0) is not trace.constant(2, "int32")
        assert trace.constant(2.0) is not trace.constant(3.0)
        assert trace.constant([1.0, 2.0]) is not trace.constant([1.0, 2.0])


def test_a_variable_reads_what_was_written_last():
    v, w = Variable(np.float32(1), name="v"), Variable(np.float32(10), name="w")
    with Trace() as trace:
        seen = [trace.read(v)]
        for _ in range(3):
            v.assign(v + w)
            seen.append(trace.read(v))
        graph = trace.finish(seen)
    assert [variable for variable, _ in graph.updates] == [v]  # w was only read
    assert float(v) == 1  # tracing itself changes nothing
    outputs = ReferenceProgram(graph)([])
    assert [float(o) for o in outputs] == [1, 11, 21, 31]
    assert float(v) == 31


def test_assign_add_is_recorded():
    v = Variable(np.zeros(3, "float32"), name="v")
    with Trace() as trace:
        v.assign_add(trace.constant([1.0, 2.0, 3.0]))
        graph = trace.finish([])
    for _ in range(2):
        ReferenceProgram(graph)([])
    assert v.numpy().tolist() == [2, 4, 6]


def test_a_state_of_another_shape_is_refused_and_one_of_another_dtype_converted():
    v = Variable(np.zeros((2, 3), "float32"), name="v")
    with Trace() as trace:
        x = trace.input("x", Spec((3, 2)))
        with pytest.raises(ShapeError, match=r"Variable 'v': cannot assign .*\(3, 2\), expected \(2, 3\)"):
            v.assign(x)
        assert trace.changed_state() == []
        v.assign(trace.input("n", Spec((2, 3), "int32")))
        assert [new.dtype for _, new in trace.changed_state()] == ["float32"]


def test_arithmetic_on_values_reads_like_numpy():
    with Trace() as trace:
        x = trace.input("x", Spec((3,)))
        y = [x + 1, 1 + x, x - 1, 1 - x, 2 * x, x * 2, x / 2, 2 / x, -x, x**2, x**3.0, 2**x, abs(-x)]
        y += [x > 2, x >= 2, x < 2, x <= 2, np.ones(3, "float32") * x]
        graph = trace.finish(y)
    a = np.array([1, 2, 3], "float32")
    expected = [a + 1, 1 + a, a - 1, 1 - a, 2 * a, a * 2, a / 2, 2 / a, -a, a**2, a**3, 2**a, a]
    expected += [a > 2, a >= 2, a < 2, a <= 2, a]
    for got, want in zip(ReferenceProgram(graph)([a]), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)


def test_what_a_value_cannot_do_says_what_to_do_instead():
    with Trace() as trace:
        x = trace.input("x", Spec((3,)))
        with pytest.raises(TypeError, match=r"no truth.*use ops"):
            bool(x > 1)
        with pytest.raises(TypeError, match=r"NumPy array.*pynn\.ops"):
            np.asarray(x)
        with pytest.raises(TypeError, match=r"no length"):
            len(ops.sum(x))
        assert len(x) == 3


def test_scopes_name_the_layer_that_recorded_a_node():
    with Trace() as trace:
        x = trace.input("x", Spec((3,)))
        with scope("model"):
            with scope("dense"):
                inner = ops.relu(x)
            outer = ops.relu(inner)
        plain = ops.relu(outer)
    assert [v.node.scope for v in (inner, outer, plain)] == ["model/dense", "model", ""]


def test_traces_nest_and_end_with_an_exception():
    assert not is_tracing()
    with Trace() as outer:
        with Trace() as inner:
            assert current() is inner
        assert current() is outer
        with pytest.raises(ZeroDivisionError), Trace():
            1 / 0  # noqa: B018
        assert current() is outer
    assert not is_tracing()
    with pytest.raises(GraphError, match="no trace is active"):
        current()


def test_each_thread_has_its_own_traces():
    seen = []
    with Trace():
        thread = threading.Thread(target=lambda: seen.append(is_tracing()))
        thread.start()
        thread.join()
        assert is_tracing()
    assert seen == [False]


def test_as_value_takes_numbers_arrays_and_variables():
    v = Variable(np.ones(2, "float32"), name="v")
    with Trace() as trace:
        assert as_value(v) is trace.read(v)
        assert as_value(3).dtype == "int32"
        assert as_value([1, 2]).dtype == "int32"
        assert as_value([1.0, 2.0]).dtype == "float32"
        assert as_value(True).dtype == "bool"
        for bad in ("a", [None]):
            with pytest.raises(DtypeError, match="expected numbers, a Variable or a traced value"):
                as_value(bad)


def test_shape_errors_name_the_op_and_the_shapes():
    with Trace() as trace:
        a, b = trace.input("a", Spec((2, 3))), trace.input("b", Spec((4, 5)))
        with pytest.raises(ShapeError, match=r"matmul: expected .*, received float32\[2, 3\] and float32\[4, 5\]"):
            ops.matmul(a, b)
        with pytest.raises(ShapeError, match=r"add: shapes do not fit.*\[2, 3\] and float32\[4, 5\]"):
            ops.add(a, b)


def test_variables_have_a_fixed_place():
    v = Variable(np.ones((3, 5), "float32"), name="v")
    place = v.array.ctypes.data
    assert place % 64 == 0
    v.assign(np.zeros((3, 5)))
    assert v.array.ctypes.data == place
    with pytest.raises(ShapeError, match=r"Variable 'v': cannot assign an array of shape \(5, 3\), expected \(3, 5\)"):
        v.assign(np.zeros((5, 3)))
    view = v.value
    with pytest.raises(ValueError, match="read-only"):
        view[0, 0] = 1
    v.assign(np.full((3, 5), 2))
    assert view[0, 0] == 2  # it follows
    with pytest.raises(DtypeError, match=r"Variable 'u': dtype 'float16' is not supported"):
        Variable(np.ones(2), name="u", dtype="float16")


def test_graphs_print():
    with Trace() as trace:
        x = trace.input("x", Spec((2, 3)))
        with scope("layer"):
            graph = trace.finish([ops.relu(x)])
    text = str(graph)
    assert "Relu(x)" in text
    assert "float32[2, 3]" in text
    assert "# layer" in text


def test_a_trace_left_by_an_error_inside_a_layer_is_gone():
    """A layer that fails must not leave the process tracing."""
    import pynn as keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(ShapeError):
        model(np.ones((2, 4)))
    assert not trace_module.is_tracing()
    assert model(np.ones((2, 3))).shape == (2, 2)
