"""Optimizer steps on variables: computed in place, the same as on the reference executor, whatever the threads."""

import numpy as np
import pytest

from pynn import ops, optimizers
from pynn.errors import ArgumentError, GraphError
from pynn.executor.native import NativeProgram
from pynn.executor.reference import ReferenceProgram
from pynn.graph.autodiff import gradients
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace
from pynn.graph.variable import Variable

SHAPES = [(300, 64), (64,), (3, 3, 2), (1,)]


def variables():
    rng = np.random.default_rng(0)
    w = [Variable(rng.standard_normal(s).astype(np.float32)) for s in SHAPES]
    slots = [[Variable(np.zeros(s, np.float32)) for s in SHAPES] for _ in range(2)]
    return w, slots, Variable(np.int64(0), dtype="int64")


def adam_graph(w, slots, iterations):
    with Trace() as trace:
        grads = [trace.input("g", v.spec) for v in w]
        groups = ops.adam_step(0.01, iterations, w, grads, *slots)
        for old, new in zip((w, *slots), groups, strict=True):
            for variable, value in zip(old, new, strict=True):
                variable.assign(value)
        iterations.assign(ops.increment(iterations))
        return trace.finish([])


def sgd_graph(w, slots, iterations):
    with Trace() as trace:
        grads = [trace.input("g", v.spec) for v in w]
        groups = ops.sgd_step(0.01, w, grads, slots[0], momentum=0.9, nesterov=True)
        for old, new in zip((w, slots[0]), groups, strict=True):
            for variable, value in zip(old, new, strict=True):
                variable.assign(value)
        iterations.assign(ops.increment(iterations))
        return trace.finish([])


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("build", [adam_graph, sgd_graph])
def test_steps_in_place_follow_the_reference(build, threads):
    states = []
    for native in (True, False):
        w, slots, iterations = variables()
        graph = build(w, slots, iterations)
        if native:
            program = NativeProgram(graph, threads=threads)
            # Weights and slots are written where they are; the counter may be copied, Adam still reads the old one.
            assert [v for _, v in program.plan.final_copies if v is not iterations] == []
        else:
            program = ReferenceProgram(graph)
        rng = np.random.default_rng(1)
        for _ in range(5):
            program([rng.standard_normal(s).astype(np.float32) for s in SHAPES])
        assert int(iterations) == 5
        states.append([v.numpy() for group in (w, *slots) for v in group])
    for got, want in zip(*states, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("SGD", {}), ("SGD", {"momentum": 0.9, "dampening": 0.5}), ("Adam", {"amsgrad": True}), ("AdamW", {}),
     ("Nadam", {}),
     ("Adamax", {}), ("RMSprop", {}), ("RMSprop", {"centered": True, "momentum": 0.5}), ("Adagrad", {}),
     ("Adadelta", {}), ("Lion", {})],
)  # fmt: skip
def test_optimizers_update_everything_in_one_pass(name, arguments):
    """One op for the weights that decay, one for the others, both in place."""
    states = []
    for native in (True, False):
        w, _, _ = variables()
        optimizer = getattr(optimizers, name)(**{"learning_rate": 0.1, "weight_decay": 0.1, **arguments})
        optimizer.exclude_from_weight_decay(var_list=w[1:2])
        optimizer.build(w)
        with Trace() as trace:
            optimizer.apply([trace.input("g", v.spec) for v in w], w)
            graph = trace.finish([])
        steps = [node.op for node in graph.nodes if node.op.name == f"{name.lower().removesuffix('w')}_step"]
        assert sorted((op.count, op.weight_decay > 0) for op in steps) == [(1, False), (3, True)]
        if native:
            program = NativeProgram(graph)
            assert all(v.shape == () for _, v in program.plan.final_copies)
        else:
            program = ReferenceProgram(graph)
        rng = np.random.default_rng(1)
        for _ in range(3):
            program([rng.standard_normal(s).astype(np.float32) for s in SHAPES])
        states.append([v.numpy() for v in (*w, *optimizer.variables)])
    for got, want in zip(*states, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_steps_have_no_gradient_and_check_their_lists():
    with Trace() as trace:
        w = trace.input("w", Spec(()))
        (new,), _ = ops.sgd_step(0.1, [w], [w])
        with pytest.raises(GraphError, match="op 'sgd_step' has no gradient rule"):
            gradients(new, [w])
        with pytest.raises(ArgumentError, match=r"sgd_step: expected as many gradients .* received \[1, 2\]"):
            ops.sgd_step(0.1, [w], [w, w])
