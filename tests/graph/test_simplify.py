"""The simplify pass: what it removes, and what it must leave alone."""

import numpy as np
import pytest

from pynn import ops
from pynn.executor.reference import ReferenceProgram
from pynn.graph.autodiff import gradients
from pynn.graph.ir import Spec
from pynn.graph.passes.simplify import constant_value, simplify
from pynn.graph.trace import Trace
from pynn.graph.variable import Variable
from pynn.layers.seed_generator import SeedGenerator

A = np.arange(6, dtype="float32").reshape(2, 3) - 2


def simplified(function, shape=(2, 3)):
    """The simplified graph of ``function``, after a check that it computes the same."""
    with Trace() as trace:
        graph = trace.finish([function(trace.input("x", Spec(shape)))])
    simple = simplify(graph)
    x = np.resize(A, shape)
    np.testing.assert_array_equal(ReferenceProgram(simple)([x])[0], ReferenceProgram(graph)([x])[0])
    return simple


def names(graph):
    return [node.op.name for node in graph.nodes]


NOTHING_LEFT = {
    "x + 0": lambda x: x + 0,
    "0 + x": lambda x: 0 + x,
    "x - 0": lambda x: x - 0.0,
    "x * 1": lambda x: x * 1,
    "1 * x": lambda x: 1 * x,
    "x / 1": lambda x: x / 1,
    "--x": lambda x: ops.negative(-x),
    "reshape to the same": lambda x: ops.reshape(x, (2, 3)),
    "reshape there and back": lambda x: ops.reshape(ops.reshape(x, (6,)), (2, 3)),
    "transpose twice": lambda x: ops.transpose(ops.transpose(x)),
    "broadcast to the same": lambda x: ops.broadcast_to(x, (2, 3)),
    "three at once": lambda x: ops.negative(-((x + 0) * 1.0)),
}


@pytest.mark.parametrize("name", NOTHING_LEFT)
def test_what_does_nothing_disappears(name):
    assert names(simplified(NOTHING_LEFT[name])) == []


def test_equal_things_are_computed_once():
    graph = simplified(lambda x: ops.exp(x) * ops.exp(x) + ops.exp(x))
    assert names(graph).count("exp") == 1
    graph = simplified(lambda x: ops.relu(ops.exp(x)) + ops.tanh(ops.exp(x)) + ops.relu(ops.exp(x)))
    assert names(graph).count("exp") == 1
    assert names(graph).count("relu") == 1


def test_ops_with_other_attributes_are_other_things():
    graph = simplified(lambda x: ops.leaky_relu(x, 0.1) + ops.leaky_relu(x, 0.2))
    assert names(graph).count("leaky_relu") == 2
    graph = simplified(lambda x: ops.sum(x, axis=0, keepdims=True) + ops.sum(x, axis=1, keepdims=True))
    assert len([n for n in names(graph) if "sum" in n or "reduce" in n]) == 2


def test_random_numbers_of_two_draws_stay_two_draws():
    seed = SeedGenerator(1)
    with Trace() as trace:
        x = trace.input("x", Spec((4, 50)))
        both = [ops.dropout(x, 0.5, seed.next()) for _ in "ab"]
        graph = simplify(trace.finish(both))
    one, two = ReferenceProgram(graph)([np.ones((4, 50), "float32")])
    assert (one != two).any()


def test_constants_are_computed_now():
    graph = simplified(lambda x: x * (ops.exp(ops.cast(np.zeros(3), "float32")) + 1))
    assert set(names(graph)) <= {"multiply", "broadcast_to"}
    graph = simplified(lambda x: x + ((2.0 - ops.sqrt(np.float32(4))) * 3))
    assert names(graph) == []  # + 0


def test_large_constants_are_not_made():
    with Trace() as trace:
        ones = ops.broadcast_to(trace.constant(1.0), (1000, 1000))
        graph = simplify(trace.finish([ops.exp(ones)]))
    assert not [v for v in graph.leaves() if v.size > 4096]


def test_zero_times_x_stays_for_it_may_be_nan():
    graph = simplified(lambda x: x * 0)
    assert names(graph) != []
    with np.errstate(invalid="ignore"):
        (got,) = ReferenceProgram(graph)([np.full((2, 3), np.nan, "float32")])
    assert np.isnan(got).all()


def test_states_are_not_constants():
    v = Variable(np.float32(0), name="v")
    with Trace() as trace:
        x = trace.input("x", Spec((2, 3)))
        graph = simplify(trace.finish([x + v]))
    v.assign(5.0)
    np.testing.assert_array_equal(ReferenceProgram(graph)([A])[0], A + 5)


def test_updates_survive_and_old_and_new_states_stay_apart():
    v = Variable(A, name="v")
    with Trace() as trace:
        old = trace.read(v)
        v.assign(old * 1 + 0)  # becomes the old state itself
        v.assign(trace.read(v) * 2)
        graph = simplify(trace.finish([old * 1]))
    assert [variable for variable, _ in graph.updates] == [v]
    (got,) = ReferenceProgram(graph)([])
    np.testing.assert_array_equal(got, A)
    np.testing.assert_array_equal(v.numpy(), A * 2)


def test_constant_value_looks_through_broadcasts():
    with Trace() as trace:
        two = trace.constant(2.0)
        assert constant_value(ops.reshape(ops.broadcast_to(two, (2, 3)), (6,))) == 2
        assert constant_value(trace.constant([1.0, 2.0])) is None
        assert constant_value(trace.input("x", Spec(()))) is None


def test_transposes_are_combined():
    def f(x):
        return ops.transpose(ops.transpose(x, (1, 2, 0)), (1, 2, 0))

    graph = simplified(f, (2, 3, 4))
    assert names(graph) == ["transpose"]
    assert graph.nodes[0].op.perm == (2, 0, 1)


def test_probabilities_are_computed_once():
    """Accuracy's softmax is the second result of the crossentropy that reads the same logits."""
    with Trace() as trace:
        logits, labels = trace.input("logits", Spec((4, 3))), trace.input("labels", Spec((4,), "int32"))
        probabilities = ops.softmax(logits)
        loss = ops.sparse_categorical_crossentropy(labels, probabilities)
        graph = trace.finish([loss, probabilities])
    assert sorted(n.op.name for n in simplify(graph).nodes) == ["sparse_softmax_crossentropy"]


@pytest.mark.parametrize("stride", [2, 1])
def test_the_mask_of_relu_moves_before_the_gradient_of_the_pool(stride):
    """relu then max-pool: the same bits, computed on the smaller array; also where windows overlap."""
    with Trace() as trace:
        x = trace.input("x", Spec((2, 6, 6, 3)))
        pooled = ops.max_pool(ops.relu(x), 2, strides=stride)
        g = trace.input("g", pooled.spec)
        graph = trace.finish(gradients(pooled, [x], g))
    simpler = simplify(graph)
    masks = [n for n in simpler.nodes if n.op.name == "relu_grad"]
    assert [n.inputs[0].shape for n in masks] == [pooled.shape]
    rng = np.random.default_rng(0)
    arrays = [rng.integers(-2, 3, v.shape).astype("float32") for v in graph.inputs]
    (want,), (got,) = ReferenceProgram(graph)(arrays), ReferenceProgram(simpler)(arrays)
    np.testing.assert_array_equal(got, want)
