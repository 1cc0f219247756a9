"""Printed graphs: what a reader of PYNN_SHOW sees."""

import os
import subprocess
import sys

import numpy as np
import pytest

import pynn
from pynn import layers, ops
from pynn.executor.native import NativeProgram
from pynn.graph.ir import Spec
from pynn.graph.show import WIDTH, format_choices, format_graph
from pynn.graph.trace import Trace
from pynn.models.step import trace_step


def graph_of(function, *shapes):
    with Trace() as trace:
        inputs = [trace.input(name, Spec(shape)) for name, shape in zip("abcd", shapes, strict=False)]
        return trace.finish([function(*inputs)])


def lines_of(graph, **options):
    return format_graph(graph, **options).splitlines()


def test_a_listing_names_inputs_results_and_outputs():
    assert lines_of(graph_of(lambda a, b: ops.relu(ops.add(a, b)), (2, 3), (2, 3))) == [
        "graph: 2 inputs, 0 variables read, 0 written, 2 ops",
        "  in   a: float32[2, 3]",
        "  in   b: float32[2, 3]",
        "  %0: float32[2, 3]  =  Add(a, b)",
        "  %1: float32[2, 3]  =  Relu(%0)",
        "  out  %1",
    ]


def test_leaves_may_be_left_out():
    assert lines_of(graph_of(ops.relu, (2,)), leaves=False)[1] == "  %0: float32[2]  =  Relu(a)"


def test_equal_constants_are_called_by_their_number():
    """Simplifying makes new constants; they are the same number to a reader."""
    graph = graph_of(lambda a: (a * 2.0) * (ops.add(1.0, 1.0)), ())
    assert "2#" not in str(NativeProgram(graph).graph)


def test_attributes_that_go_without_saying_are_not_shown():
    text = str(graph_of(lambda a: ops.matmul(ops.reshape(a, (3, 2)), ops.leaky_relu(a, 0.3)), (2, 3)))
    assert "Reshape(a)" in text  # the new shape stands on the left
    assert "Matmul(%0, %1)" in text
    assert "LeakyRelu[negative_slope=0.3](a)" in text


def test_a_chain_reads_as_formulas_and_marks_broadcasts():
    graph = NativeProgram(graph_of(lambda a, b: ops.relu(a * b), (4, 5), (5,))).graph
    assert "Chain{ t0 = multiply(a, b*); t1 = relu(t0) } -> t1" in str(graph)


def test_a_long_chain_takes_a_line_per_step():
    def many(a, b):
        for _ in range(6):
            a = ops.tanh(a * b)
        return a

    lines = lines_of(NativeProgram(graph_of(many, (4, 5), (4, 5))).graph)
    steps = [line for line in lines if " = " in line and ("multiply" in line or "tanh" in line)]
    assert len(steps) == 12
    assert max(map(len, lines)) <= WIDTH
    assert len({line.index("t") for line in steps[1:]}) == 1  # one under the other


def model_with(optimizer):
    model = pynn.Sequential(
        [
            pynn.Input((8, 8, 1)),
            layers.Conv2D(3, 3, activation="relu", name="conv"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax", name="dense"),
        ],
        name="net",
    )
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_training_step_fits_the_width(optimizer):
    graph = trace_step(model_with(optimizer), "train", [Spec((16, 8, 8, 1)), Spec((16,), "int32")])[0]
    for text in (format_graph(graph), format_graph(NativeProgram(graph).graph)):
        assert max(map(len, text.splitlines())) <= WIDTH, text


def test_layers_stand_behind_their_ops_without_the_model():
    text = str(trace_step(model_with("sgd"), "train", [Spec((16, 8, 8, 1)), Spec((16,), "int32")])[0])
    assert "  # conv" in text
    assert "  # grad(dense)" in text
    assert "net/" not in text


def test_states_that_one_op_computes_are_one_line():
    text = str(trace_step(model_with("sgd"), "train", [Spec((16, 8, 8, 1)), Spec((16,), "int32")])[0])
    assert "  set  conv/kernel .. dense/bias <- " in text
    assert ": 4 arrays" in text


def test_choices_say_why_a_kernel_was_refused():
    graph = NativeProgram(graph_of(lambda a, w: ops.conv(a, w), (1, 8, 8, 2), (3, 3, 2, 4))).graph
    lines = format_choices(graph).splitlines()
    assert lines[0] == "=== kernels ==="
    assert any("conv2d_narrow declined: 2 channels" in line for line in lines)


def test_float64_is_shown_as_computed_by_numpy():
    with Trace() as trace:
        graph = trace.finish([ops.relu(trace.input("a", Spec((2,), "float64")))])
    assert "NumPy reference" in format_choices(NativeProgram(graph).graph)
    np.testing.assert_array_equal(NativeProgram(graph)([np.array([-1.0, 2.0])])[0], [0.0, 2.0])


def test_the_legend_is_printed_once_and_unchanged_listings_are_not_repeated():
    code = (
        "import numpy as np, pynn as keras\n"
        "layer = keras.layers.Dense(3)\n"
        "for rows in (1, 2):\n"
        "    layer(np.zeros((rows, 4), 'float32'))\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYNN_SHOW": "passes"},
    ).stderr
    assert out.count("How to read this") == 1
    assert out.count("##### compiling") == 2
    assert "=== choose kernels ===\n(reads as before)" in out
    assert "=== plan memory ===" in out
