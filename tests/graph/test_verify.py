"""PYNN_CHECK=1: graphs that a pass broke are found, and the message names the pass and what is wrong."""

import numpy as np
import pytest

import pynn as keras
from pynn import layers, ops
from pynn.errors import GraphError
from pynn.executor import native
from pynn.graph.ir import Graph, Node, Spec, Value
from pynn.graph.passes import passes
from pynn.graph.trace import Trace
from pynn.graph.variable import Variable
from pynn.graph.verify import verify


@pytest.fixture
def traced():
    with Trace() as trace:
        x = trace.input("x", Spec((2, 3)))
        w = Variable(np.ones((3, 4), "float32"), name="w")
        y = ops.matmul(x, trace.read(w))
        table = trace.constant(np.ones((2, 4), "float32"))
        z = ops.relu(y + table)
        w.assign(trace.read(w) * 2.0)
        yield trace.finish([z]), w


def test_a_whole_graph_passes(traced):
    verify(traced[0], "as traced")


def broken_by_order(graph, w):
    graph.nodes = graph.nodes[::-1]


def broken_by_a_lost_input(graph, w):
    graph.inputs = ()


def broken_by_a_leaf_without_source(graph, w):
    node = graph.nodes[0]
    node.inputs = (Value(node.inputs[0].spec, name="lost"), *node.inputs[1:])


def broken_by_a_wrong_result_shape(graph, w):
    graph.nodes[0].outputs[0].spec = Spec((2, 5))


def broken_by_a_wrong_operand(graph, w):
    node = graph.nodes[0]
    node.inputs = (node.inputs[0], node.inputs[0])


def broken_by_a_wrong_variable(graph, w):
    node = graph.nodes[0]
    other = Value(node.inputs[1].spec, source=Variable(np.ones(5, "float32"), name="other"))
    node.inputs = (node.inputs[0], other)


def broken_by_writing_twice(graph, w):
    graph.updates = (*graph.updates, *graph.updates)


def broken_by_a_state_that_does_not_fit(graph, w):
    graph.updates = ((w, graph.outputs[0]),)


def broken_by_a_result_nobody_computes(graph, w):
    op = graph.nodes[0].op
    graph.outputs = Node(op, graph.nodes[0].inputs, graph.nodes[0].output_specs).outputs


BREAKS = {
    broken_by_order: "is read before it is computed",
    broken_by_a_lost_input: r"x: float32\[2, 3\].*not among the graph's inputs",
    broken_by_a_leaf_without_source: "lost.*has no source",
    broken_by_a_wrong_result_shape: r"Matmul.*shape rule says",
    broken_by_a_wrong_operand: r"Matmul.*reads what it cannot take: matmul: expected",
    broken_by_a_wrong_variable: r"variable other.*another shape or dtype",
    broken_by_writing_twice: "variable w is written twice",
    broken_by_a_state_that_does_not_fit: "variable w would be given",
    broken_by_a_result_nobody_computes: "is read before it is computed",
}


@pytest.mark.parametrize("break_it", BREAKS, ids=lambda f: f.__name__)
def test_broken_graphs_are_found(traced, break_it):
    graph, w = traced
    break_it(graph, w)
    with pytest.raises(GraphError, match=f"after pass 'shuffle': .*{BREAKS[break_it]}"):
        verify(graph, "shuffle")


def test_pynn_check_runs_it_after_every_pass(monkeypatch):
    def forget_an_input(graph: Graph) -> Graph:
        return Graph((), graph.outputs, graph.updates)

    monkeypatch.setattr(native, "passes", lambda isa: (*passes(isa), ("forget", forget_an_input)))
    monkeypatch.setenv("PYNN_CHECK", "1")
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    with pytest.raises(GraphError, match="after pass 'forget': <x"):
        model.predict(np.ones((1, 3)), verbose=0)


def test_pynn_show_prints_every_pass_and_the_kernels(monkeypatch, capfd):
    monkeypatch.setenv("PYNN_SHOW", "passes,kernels")
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, activation="relu")])
    model.predict(np.ones((1, 3)), verbose=0)
    text = capfd.readouterr().err
    titles = ["as traced", "simplify", "choose kernels", "fuse epilogues", "fuse chains", "plan memory"]
    places = [text.index(f"=== {title} ===") for title in titles]
    assert places == sorted(places)
    assert "predict step of 'sequential" in text
    assert "gemm" in text
