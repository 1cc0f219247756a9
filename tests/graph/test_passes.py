"""Every pass keeps the results: random graphs, evaluated on NumPy after each pass and natively at the end."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pynn import ops
from pynn.executor.native import NativeProgram
from pynn.executor.reference import ReferenceProgram
from pynn.graph.autodiff import gradients
from pynn.graph.ir import Spec
from pynn.graph.passes import passes
from pynn.graph.passes.prepare import preparations
from pynn.graph.trace import Trace
from pynn.graph.variable import Variable
from pynn.graph.verify import verify

N, M = 4, 6  # rows and columns: every value is a matrix of one of the two orders, a row, a column or a number

_UNARY = ["relu", "tanh", "sigmoid", "square", "negative", "exp", "abs"]
_BINARY = ["add", "subtract", "multiply", "maximum", "minimum"]


@st.composite
def graphs(draw):
    """Element-wise ops with broadcasting, products with bias and activation, views, constants, states, gradients."""
    pick = lambda values: values[draw(st.integers(0, len(values) - 1))]  # noqa: E731
    state = Variable(np.linspace(-1, 1, N * M, dtype="float32").reshape(N, M), name="state")
    weights = Variable(np.linspace(-1, 1, M * M, dtype="float32").reshape(M, M), name="weights")
    bias = Variable(np.linspace(-1, 1, M, dtype="float32"), name="bias")
    with Trace() as trace:
        feed = trace.input("x", Spec((N, M)))
        values = [feed, trace.read(state)]
        small = [
            trace.read(bias), trace.constant(0.5), trace.constant(0.0), trace.constant(1.0),
            trace.constant(np.ones((N, 1), "float32")), trace.constant(np.arange(M, dtype="float32")),
        ]  # fmt: skip
        for _ in range(draw(st.integers(1, 16))):
            kind = draw(st.sampled_from(
                ["unary", "unary", "binary", "binary", "small", "small", "matmul", "view", "transpose", "reduce"]
            ))  # fmt: skip
            a = pick(values)
            if kind == "unary":
                new = getattr(ops, draw(st.sampled_from(_UNARY)))(a)
            elif kind == "binary":
                new = getattr(ops, draw(st.sampled_from(_BINARY)))(a, pick(values))
            elif kind == "small":
                pair = (a, pick(small)) if draw(st.booleans()) else (pick(small), a)
                new = getattr(ops, draw(st.sampled_from(_BINARY)))(*pair)
            elif kind == "matmul":
                new = ops.matmul(a, trace.read(weights))
                new = new + trace.read(bias) if draw(st.booleans()) else new
                new = getattr(ops, draw(st.sampled_from(["relu", "sigmoid", "tanh"])))(new)
            elif kind == "view":
                new = ops.reshape(ops.reshape(a, (M, N)), (N, M))
            elif kind == "transpose":
                new = ops.transpose(ops.transpose(a))
            else:
                small.append(ops.mean(a, axis=draw(st.sampled_from([0, 1, None])), keepdims=True))
                continue
            values.append(ops.tanh(new))  # numbers stay small
        if draw(st.booleans()):
            values += gradients(ops.sum(values[-1]), [feed, trace.read(state)])
        if draw(st.booleans()):
            state.assign(pick(values))
        outputs = [pick(values) for _ in range(draw(st.integers(1, 3)))]
        return trace.finish(outputs), state


def run(program, graph, state, before):
    state.assign(before)
    x = np.random.default_rng(0).uniform(-1, 1, (N, M)).astype("float32")
    return [*program([x] * len(graph.inputs)), state.numpy()]


def assert_close(got, want, title):
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5, err_msg=title)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_every_pass_keeps_the_results(case):
    graph, state = case
    before = state.numpy()
    want = run(ReferenceProgram(graph), graph, state, before)
    native = run(NativeProgram(graph), graph, state, before)
    for title, run_pass in passes():
        graph = run_pass(graph)
        verify(graph, title)
        for preparation in preparations(graph):
            preparation.refresh()
        assert_close(run(ReferenceProgram(graph), graph, state, before), want, title)
    assert_close(native, want, "native")
    state.assign(before)
