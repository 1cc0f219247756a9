"""The arena: no two values that live at once may overlap, and it must not be larger than need be."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pynn import ops
from pynn.executor.native import NativeProgram
from pynn.executor.reference import ReferenceProgram
from pynn.graph.ir import Spec
from pynn.graph.passes.choose_kernels import choose_kernels
from pynn.graph.passes.plan_memory import plan_memory, root, separate_results
from pynn.graph.trace import Trace
from pynn.graph.variable import Variable


def chain_graph(depth, n=64):
    with Trace() as trace:
        x = trace.input("x", Spec((n, n)))
        h = x
        for _ in range(depth):
            h = ops.matmul(h, x)
        return trace.finish([h])


def test_a_long_chain_needs_two_buffers():
    plan = plan_memory(separate_results(choose_kernels(chain_graph(20))))
    assert plan.arena_bytes == 2 * 64 * 64 * 4
    assert plan.peak_bytes == plan.arena_bytes


def test_a_new_state_is_computed_right_into_its_variable():
    v = Variable(np.ones((4, 4), "float32"), name="v")
    with Trace() as trace:
        x = trace.input("x", Spec((4, 4)))
        v.assign(ops.matmul(x, x))
        graph = trace.finish([])
    plan = plan_memory(separate_results(choose_kernels(graph)))
    assert plan.final_copies == []
    assert plan.arena_bytes == 0


def test_a_state_read_after_its_update_is_copied_at_the_end():
    """w <- w @ w must not overwrite w while the product still reads it."""
    w = Variable(np.arange(16, dtype="float32").reshape(4, 4), name="w")
    expected = w.numpy() @ w.numpy()
    with Trace() as trace:
        w.assign(ops.matmul(w, w))
        graph = trace.finish([])
    program = NativeProgram(graph)
    assert len(program.plan.final_copies) == 1
    program([])
    np.testing.assert_allclose(w.numpy(), expected, rtol=1e-6)


def test_two_variables_can_be_swapped():
    a, b = Variable(np.zeros(3, "float32"), name="a"), Variable(np.ones(3, "float32"), name="b")
    with Trace() as trace:
        old_a, old_b = trace.read(a), trace.read(b)
        a.assign(old_b)
        b.assign(old_a)
        graph = trace.finish([])
    NativeProgram(graph)([])
    assert a.numpy().tolist() == [1, 1, 1]
    assert b.numpy().tolist() == [0, 0, 0]


def test_one_value_may_be_two_outputs_and_an_input_an_output():
    with Trace() as trace:
        x = trace.input("x", Spec((2, 2)))
        y = ops.matmul(x, x)
        graph = trace.finish([y, y, x])
    array = np.array([[1, 2], [3, 4]], "float32")
    one, two, three = NativeProgram(graph)([array])
    np.testing.assert_array_equal(one, array @ array)
    np.testing.assert_array_equal(two, one)
    np.testing.assert_array_equal(three, array)


@st.composite
def graphs(draw):
    """Random directed graphs of products and element-wise ops with several outputs and a state."""
    n = draw(st.integers(1, 9))
    state = Variable(np.full((n, n), 0.5, "float32"), name="state")
    with Trace() as trace:
        values = [trace.input("x", Spec((n, n))), trace.input("z", Spec((n, n))), trace.read(state)]
        for _ in range(draw(st.integers(1, 14))):
            a, b = (values[draw(st.integers(0, len(values) - 1))] for _ in "ab")
            kind = draw(st.sampled_from(["matmul", "add", "relu", "tanh", "multiply", "reshape"]))
            if kind == "reshape":
                values.append(ops.reshape(ops.reshape(a, (n * n,)), (n, n)))
            elif kind in ("relu", "tanh"):
                values.append(getattr(ops, kind)(a))
            elif kind == "matmul":
                values.append(ops.tanh(ops.matmul(a, b)))
            else:
                values.append(getattr(ops, kind)(a, b))
        state.assign(values[draw(st.integers(0, len(values) - 1))])
        outputs = [values[draw(st.integers(0, len(values) - 1))] for _ in range(draw(st.integers(0, 3)))]
        return trace.finish(outputs), state, n


@settings(max_examples=60, deadline=None)
@given(graphs(), st.integers(1, 3))
def test_random_graphs_run_as_the_reference_does(case, threads):
    graph, state, n = case
    rng = np.random.default_rng(n)
    arrays = [rng.uniform(-1, 1, (n, n)).astype("float32") for _ in "xz"]
    arrays = arrays[: len(graph.inputs)]
    before = state.numpy()
    want = ReferenceProgram(graph)(arrays)
    want_state = state.numpy()
    state.assign(before)
    got = NativeProgram(graph, threads=threads)(arrays)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-5)
    np.testing.assert_allclose(state.numpy(), want_state, rtol=2e-5, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(graphs())
def test_living_values_never_overlap(case):
    graph, _, _ = case
    graph = separate_results(choose_kernels(graph))
    plan = plan_memory(graph)
    order = {id(node): i for i, node in enumerate(graph.nodes)}
    lives = {}
    for node in graph.nodes:
        if node.op.is_view:
            continue
        for v in node.outputs:
            if plan.place(v).kind == "arena":
                lives[id(v)] = [v, order[id(node)], order[id(node)]]
        for v in node.inputs:
            if id(root(v)) in lives:
                lives[id(root(v))][2] = order[id(node)]
    spans = [
        (plan.place(v).where, plan.place(v).where + v.spec.nbytes, first, last) for v, first, last in lives.values()
    ]
    for i, (a0, a1, a_first, a_last) in enumerate(spans):
        for b0, b1, b_first, b_last in spans[:i]:
            if a0 < b1 and b0 < a1:  # overlap in memory: one may end where the other begins (in place), no more
                assert a_first >= b_last or b_first >= a_last
