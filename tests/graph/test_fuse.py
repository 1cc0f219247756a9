"""Fusion: chains of element-wise ops and epilogues of products are really formed, and only where they may be."""

import numpy as np
import pytest

import pynn as keras
from pynn import layers, ops
from pynn.executor.native import NativeProgram, optimize
from pynn.executor.reference import ReferenceProgram
from pynn.graph.ir import Spec
from pynn.graph.passes.prepare import preparations
from pynn.graph.trace import Trace
from pynn.graph.variable import Variable
from pynn.ops.elementwise_chain import MAX_STEPS, ElementwiseChain

RNG = np.random.default_rng(0)
N = 8


def variable(*shape):
    return Variable(RNG.uniform(-1, 1, shape).astype("float32"), name="v")


def compiled(function, *shapes):
    """The optimized graph of ``function``; it must compute on NumPy and natively what it computed before."""
    with Trace() as trace:
        inputs = [trace.input(f"x{i}", Spec(s)) for i, s in enumerate(shapes)]
        results = function(*inputs)
        graph = trace.finish(results if isinstance(results, (list, tuple)) else [results])
    arrays = [RNG.uniform(-1, 1, s).astype("float32") for s in shapes]
    want = ReferenceProgram(graph)(arrays)
    optimized = optimize(graph, check=True)
    for preparation in preparations(optimized):
        preparation.refresh()
    for got in (ReferenceProgram(optimized)(arrays), NativeProgram(graph)(arrays)):
        for a, b in zip(got, want, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    return optimized


def kernels(graph):
    return [node.op.name for node in graph.nodes if not node.op.is_view]


def steps(graph):
    """The ops inside of each chain."""
    return [[s.op.name for s in n.op.steps] for n in graph.nodes if isinstance(n.op, ElementwiseChain)]


# ---- chains ----------------------------------------------------------------------------------------------------


def test_a_formula_is_one_kernel():
    graph = compiled(lambda x: ops.tanh(ops.exp(-x) * 0.5 + 1.0), (N, 3))
    assert kernels(graph) == ["elementwise_chain"]
    assert steps(graph) == [["negative", "exp", "multiply", "add", "tanh"]]
    assert len(graph.nodes[-1].outputs) == 1  # nothing in between is stored


def test_one_op_alone_is_no_chain():
    assert kernels(compiled(ops.tanh, (N, 3))) == ["tanh"]


@pytest.mark.parametrize("shape", [(3,), (1, 3), (N, 1), (), (1, 1)])
def test_broadcasts_vanish_into_a_chain(shape):
    graph = compiled(lambda x, b: ops.relu(x * b + b), (N, 3), shape)
    assert kernels(graph) == ["elementwise_chain"]


def test_a_broadcast_in_the_middle_of_the_axes_is_materialized_or_read_rightly():
    compiled(lambda x, b: ops.relu(x * b), (2, 3, 4), (2, 1, 4))
    compiled(lambda x, b: ops.relu(x * b), (2, 3, 4), (1, 3, 1))


def test_views_do_not_break_a_chain():
    graph = compiled(lambda x: ops.exp(ops.reshape(ops.relu(x) + 1.0, (3 * N,))), (N, 3))
    assert kernels(graph) == ["elementwise_chain"]


def test_results_in_between_that_others_need_are_stored():
    graph = compiled(lambda x: (lambda y: [y, ops.exp(y) * 2.0])(ops.tanh(x)), (N, 3))
    assert kernels(graph) == ["elementwise_chain"]
    assert len(graph.nodes[-1].outputs) == 2


def test_a_chain_does_not_swallow_what_a_product_waits_for():
    """y = exp(x); p = y @ w; z = y * p: exp must run before the product, the rest after it."""
    w = variable(3, 3)
    graph = compiled(lambda x: (lambda y: ops.tanh(y * ops.matmul(y, w) + 1.0))(ops.exp(x) * 2.0), (N, 3))
    assert kernels(graph) == ["elementwise_chain", "matmul", "elementwise_chain"]


def test_two_branches_that_meet():
    graph = compiled(lambda x, z: ops.exp(x) * 2.0 + ops.tanh(z) * 3.0, (N, 3), (N, 3))
    assert kernels(graph) == ["elementwise_chain"]


def test_arrays_of_other_sizes_are_other_chains():
    graph = compiled(lambda x, z: [ops.exp(x) * 2.0, ops.exp(z) * 2.0], (N, 3), (N, 4))
    assert kernels(graph) == ["elementwise_chain"] * 2


def test_a_reduction_ends_a_chain():
    graph = compiled(lambda x: ops.exp(x * 2.0) / ops.sum(ops.exp(x * 2.0), axis=-1, keepdims=True) + x, (N, 3))
    assert len(steps(graph)) == 2
    assert len(kernels(graph)) == 3


def test_very_long_chains_are_cut():
    def long(x):
        for _ in range(MAX_STEPS):
            x = ops.tanh(x) + 0.5
        return x

    graph = compiled(long, (N, 3))
    lengths = [len(s) for s in steps(graph)]
    assert sum(lengths) == 2 * MAX_STEPS
    assert max(lengths) <= MAX_STEPS
    assert len(lengths) <= 3


def test_many_inputs_are_cut_too():
    compiled(lambda *xs: ops.tanh(sum(xs[1:], xs[0])), *[(N, 3)] * 30)


def test_many_outputs_are_cut_too():
    def many(x):
        found = [x]
        for _ in range(20):
            found.append(ops.tanh(found[-1]) * 0.9)
        return found[1:]

    compiled(many, (N, 3))


# ---- epilogues -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
@pytest.mark.parametrize("bias", [True, False])
def test_dense_is_one_kernel(activation, bias):
    w, b = variable(3, 5), variable(5)
    function = getattr(ops, activation)
    graph = compiled(lambda x: function(ops.matmul(x, w) + b if bias else ops.matmul(x, w)), (N, 3))
    assert kernels(graph) == ["matmul"]
    (node,) = graph.nodes
    assert node.op.activation == activation
    assert len(node.inputs) == 3 if bias else 2


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh", "linear"])
@pytest.mark.parametrize("channels", [1, 3])
def test_convolution_is_one_kernel(activation, channels):
    layer = layers.Conv2D(5, 3, activation=activation, bias_initializer="ones")
    graph = compiled(layer, (2, 6, 6, channels))
    assert kernels(graph) == ["conv2d"]
    assert graph.nodes[0].op.activation == activation
    assert len(graph.nodes[0].inputs) == 3


def test_the_bias_may_come_first():
    w, b = variable(3, 5), variable(5)
    assert kernels(compiled(lambda x: ops.relu(b + ops.matmul(x, w)), (N, 3))) == ["matmul"]


def test_other_activations_follow_as_a_chain():
    w, b = variable(3, 5), variable(5)
    graph = compiled(lambda x: ops.elu(ops.matmul(x, w) + b), (N, 3))
    assert kernels(graph)[0] == "matmul"
    assert len(graph.nodes[0].inputs) == 3
    assert kernels(graph)[1:] == ["elu"]


def test_a_result_that_is_also_needed_bare_is_not_fused():
    w, b = variable(3, 5), variable(5)
    graph = compiled(lambda x: (lambda y: [y, ops.relu(y)])(ops.matmul(x, w)), (N, 3))
    assert kernels(graph) == ["matmul", "relu"]
    assert graph.nodes[0].op.activation == "linear"
    graph = compiled(lambda x: (lambda y: ops.relu(y + b) * y)(ops.matmul(x, w)), (N, 3))
    assert graph.nodes[0].op.activation == "linear"
    assert len(graph.nodes[0].inputs) == 2


def test_what_is_no_bias_is_not_fused_as_one():
    w = variable(3, 5)
    for shape in [(N, 1), ()]:
        graph = compiled(lambda x, b: ops.relu(ops.matmul(x, w) + b), (N, 3), shape)
        assert len(graph.nodes[[n.op.name for n in graph.nodes].index("matmul")].inputs) == 2
    compiled(lambda x: (lambda y: y + y)(ops.matmul(x, w)), (N, 3))  # the same product twice


def test_a_computed_bias_is_used_when_it_is_ready():
    w, b = variable(3, 5), variable(5)
    compiled(lambda x: ops.relu(ops.matmul(x, w) + ops.mean(ops.matmul(x, w), axis=0)), (N, 3))
    compiled(lambda x: ops.relu(ops.matmul(x, w) + ops.exp(b)), (N, 3))


def test_a_chain_of_dense_layers_is_one_kernel_each():
    w = [variable(3, 5), variable(5, 4), variable(4, 2)]
    b = [variable(5), variable(4), variable(2)]

    def network(x):
        for wi, bi in zip(w, b, strict=True):
            x = ops.relu(ops.matmul(x, wi) + bi)
        return x

    assert kernels(compiled(network, (N, 3))) == ["matmul"] * 3


# ---- whole steps -----------------------------------------------------------------------------------------------


def test_the_step_of_the_course_network_is_a_handful_of_kernels():
    """A new kernel in this step is a pass through memory: whoever adds one should know."""
    model = keras.Sequential(
        [keras.Input((784,)), layers.Dense(64, activation="sigmoid"), layers.Dense(10, activation="sigmoid")]
    )
    model.compile("sgd", "mse")
    model.train_on_batch(np.zeros((128, 784)), np.zeros((128, 10)))
    program = model._programs.only().program
    names = kernels(program.graph)
    assert names.count("matmul") == 5  # two forward, two for the kernels, one back to the hidden layer
    assert names.count("sgd_step") == 1
    assert len(names) <= 16, names
    assert all(node.choice.candidate is not None for node in program.graph.nodes if not node.op.is_view)


def test_every_kernel_of_a_convolutional_step_is_native():
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(6, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Conv2D(8, 3),
            layers.AveragePooling2D(2),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.train_on_batch(np.zeros((4, 12, 12, 1)), np.zeros(4, "int64"))
    program = model._programs.only().program
    slow = [n.op.name for n in program.graph.nodes if not n.op.is_view and n.choice.candidate is None]
    assert slow == []


# ---- residuals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", [lambda v: v, ops.relu, ops.relu6], ids=["linear", "relu", "relu6"])
def test_a_residual_goes_into_the_product_before_it(activation):
    w, b = variable(5, 5), variable(5)
    graph = compiled(lambda x: activation(x + (ops.matmul(x, w) + b)), (N, 5))
    assert kernels(graph) == ["matmul"]
    assert len(graph.nodes[-1].inputs) == 4


def test_of_two_products_the_later_takes_the_other_as_residual():
    w = [variable(3, 5), variable(5), variable(3, 5), variable(5)]
    graph = compiled(lambda x: ops.relu((ops.matmul(x, w[0]) + w[1]) + (ops.matmul(x, w[2]) + w[3])), (N, 3))
    assert kernels(graph) == ["matmul", "matmul"]
    assert [len(node.inputs) for node in graph.nodes] == [3, 4]


def test_a_residual_that_is_not_ready_is_added_afterwards():
    w = variable(5, 5)
    graph = compiled(lambda x: (lambda p: p + ops.exp(x))(ops.matmul(x, w)), (N, 5))
    assert kernels(graph) == ["matmul", "elementwise_chain"]


def test_residuals_of_sequences_are_reshaped():
    w = variable(5, 5)
    graph = compiled(lambda x: x + ops.matmul(x, w), (2, 3, 5))
    assert kernels(graph) == ["matmul"]


def test_a_product_that_others_read_keeps_its_sum_outside():
    w = variable(5, 5)
    graph = compiled(lambda x: (lambda p: [p, p + x])(ops.matmul(x, w)), (N, 5))
    assert kernels(graph) == ["matmul", "add"]
