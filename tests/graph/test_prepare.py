"""Batch normalization folded into products, packed weights, and the values that are prepared when weights change."""

import gc

import numpy as np
import pytest

import pynn as keras
from pynn import layers, ops
from pynn.executor.native import NativeProgram
from pynn.executor.reference import ReferenceProgram
from pynn.graph.ir import Graph, Spec
from pynn.graph.passes.prepare import _shared
from pynn.graph.trace import Trace
from pynn.graph.variable import Variable
from pynn.models.step import spec_of, trace_step
from pynn.ops.normalization import BatchNormInference

RNG = np.random.default_rng(3)
X = RNG.normal(size=(5, 8, 8, 4)).astype("float32")


def randomize(model):
    """Statistics and weights as after a training, none of them zero or one."""
    model.set_weights([RNG.uniform(0.5, 1.5, w.shape) for w in model.get_weights()])


def graph_of(model, x=X):
    return trace_step(model, "predict", [spec_of(x)])[0]


def check(model, x=X):
    """``predict`` must give what the traced graph gives on NumPy; returns the optimized graph."""
    (want,) = ReferenceProgram(graph_of(model, x))([x])
    np.testing.assert_allclose(model.predict(x, verbose=0), want, rtol=2e-5, atol=1e-5)
    return NativeProgram(graph_of(model, x)).graph


def ops_of(graph):
    return [node.op.name for node in graph.nodes if not node.op.is_view]


def conv_model(*middle, use_bias=True):
    model = keras.Sequential([keras.Input((8, 8, 4)), layers.Conv2D(8, 3, use_bias=use_bias), *middle])
    randomize(model)
    return model


@pytest.mark.parametrize("use_bias", [True, False])
def test_it_disappears_into_a_convolution(use_bias):
    model = conv_model(layers.BatchNormalization(), layers.Activation("relu"), use_bias=use_bias)
    assert ops_of(check(model)) == ["conv2d"]


@pytest.mark.parametrize("use_bias", [True, False])
def test_it_disappears_into_a_dense_layer(use_bias):
    model = keras.Sequential(
        [keras.Input((8,)), layers.Dense(6, use_bias=use_bias), layers.BatchNormalization(), layers.Activation("relu")]
    )
    randomize(model)
    assert ops_of(check(model, X.reshape(-1, 8))) == ["matmul"]


def test_without_a_product_before_it_joins_its_neighbours():
    model = conv_model(layers.Activation("relu"), layers.BatchNormalization(), layers.Activation("tanh"))
    assert ops_of(check(model)) == ["conv2d", "elementwise_chain"]


def test_statistics_that_the_graph_changes_are_not_folded():
    model = conv_model(layers.BatchNormalization())
    graph = graph_of(model)
    mean = next(v for v in model.weights if "mean" in v.path)
    leaf = next(v for v in graph.leaves() if v.source is mean)
    with Trace():
        changing = Graph(graph.inputs, graph.outputs, [(mean, leaf * 2.0)])
    assert any(isinstance(node.op, BatchNormInference) for node in NativeProgram(changing).graph.nodes)


def test_changed_weights_are_prepared_anew():
    model = conv_model(layers.BatchNormalization())
    check(model)
    randomize(model)
    check(model)
    model.layers[0].kernel.assign(model.layers[0].kernel.numpy() * 2)
    check(model)
    model.compile("sgd", "mse")
    before = model.predict(X, verbose=0)
    model.fit(X, np.zeros((5, 6, 6, 8)), epochs=1, verbose=0)
    assert np.abs(model.predict(X, verbose=0) - before).max() > 1e-4
    check(model)


def test_unchanged_weights_are_prepared_once(monkeypatch):
    model = conv_model(layers.BatchNormalization())
    model.predict(X, verbose=0)
    program = model._programs.only().program
    (preparation,) = program._preparations
    runs = []
    monkeypatch.setattr(preparation, "_program", runs.append)
    model.predict(X, verbose=0)
    Variable([1.0]).assign([2.0])  # another variable's change is no reason
    model.predict(X, verbose=0)
    assert not runs
    model.layers[1].gamma.assign(np.ones(8))
    model.predict(X, verbose=0)
    assert len(runs) == 1


def test_programs_for_other_batch_sizes_share_what_is_prepared():
    model = conv_model(layers.BatchNormalization())
    gc.collect()
    before = len(_shared)
    model.predict(X, batch_size=3, verbose=0)  # batches of 3 and 2
    assert len(model._programs) == 2
    assert len(_shared) == before + 2  # one kernel and one bias
    del model
    gc.collect()
    assert len(_shared) == before


def test_a_frozen_layer_is_folded_in_training_too():
    frozen = [layers.Conv2D(8, 3), layers.BatchNormalization()]
    model = keras.Sequential([keras.Input((8, 8, 4)), *frozen, layers.Flatten(), layers.Dense(2)])
    for layer in frozen:
        layer.trainable = False
    randomize(model)
    model.compile("sgd", "mse")
    y = np.zeros((5, 2), "float32")
    model.train_on_batch(X, y)
    program = model._programs.only().program
    assert "batch_norm_inference" not in ops_of(program.graph)
    assert program._preparations


def test_what_follows_from_constants_is_prepared_too():
    x, table = RNG.normal(size=(6000,)).astype("float32"), RNG.normal(size=(6000,)).astype("float32")
    with Trace() as trace:
        v = trace.input("x", Spec(x.shape))
        graph = trace.finish([v * ops.exp(table)])
    program = NativeProgram(graph)
    assert program._preparations
    for _ in range(2):
        np.testing.assert_allclose(program([x])[0], x * np.exp(table), rtol=1e-5)
