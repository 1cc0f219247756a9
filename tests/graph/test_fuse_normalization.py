"""Fusion of batch normalization with what follows it, forwards and backwards, and where it must not happen."""

import numpy as np
import pytest

import pynn as keras
from pynn import layers, ops
from pynn.executor.native import NativeProgram, optimize
from pynn.executor.reference import ReferenceProgram
from pynn.graph.autodiff import gradients
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace

SHAPE, VECTOR = (6, 5, 7), (7,)


def training(function, more=0, shape=SHAPE):
    """The optimized graph of ``function(x, gamma, beta, *more arrays like x)`` and of all its gradients; it must
    compute on NumPy and natively what it computed before."""
    rng = np.random.default_rng(0)
    shapes = [shape, shape[-1:], shape[-1:], *[shape] * more]
    with Trace() as trace:
        inputs = [trace.input(f"x{i}", Spec(s)) for i, s in enumerate(shapes)]
        y, *others = function(*inputs)
        grads = gradients(ops.sum(y * ops.sin(y)), inputs)
        graph = trace.finish([y, *others, *grads])
    arrays = [rng.standard_normal(s).astype("float32") for s in shapes]
    want = ReferenceProgram(graph)(arrays)
    optimized = optimize(graph, check=True)
    for got in (ReferenceProgram(optimized)(arrays), NativeProgram(graph)(arrays)):
        for a, b in zip(got, want, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=3e-5)
    return optimized


def names(graph):
    return [str(node.op).replace("epsilon=0.001, ", "") for node in graph.nodes]


def fused(graph, kind):
    return [n.op for n in graph.nodes if n.op.name == kind]


def test_normalization_and_relu():
    graph = training(lambda x, gamma, beta: [ops.relu(ops.batch_norm_train(x, gamma, beta)[0])])
    (forward,), (backward,) = fused(graph, "batch_norm"), fused(graph, "batch_norm_grad")
    assert forward.activation == backward.activation == "relu"
    assert not forward.residual
    assert not backward.residual
    assert not any("Relu" in name for name in names(graph))


@pytest.mark.parametrize("left", [False, True])
def test_a_residual(left):
    def block(x, gamma, beta, r):
        y = ops.batch_norm_train(x, gamma, beta)[0]
        return [ops.relu(r + y if left else y + r)]

    graph = training(block, more=1)
    (forward,), (backward,) = fused(graph, "batch_norm"), fused(graph, "batch_norm_grad")
    assert forward.activation == backward.activation == "relu"
    assert forward.residual
    assert backward.residual
    assert not any("Relu" in name for name in names(graph))


def test_two_normalizations_added():
    def block(x, gamma, beta, z):
        a, b = (ops.batch_norm_train(v, gamma, beta)[0] for v in (x, z))
        return [ops.relu(a + b)]

    graph = training(block, more=1)
    assert sorted(op.activation for op in fused(graph, "batch_norm")) == ["linear", "relu"]
    assert sorted(op.activation for op in fused(graph, "batch_norm_grad")) == ["linear", "relu"]


def test_statistics_may_be_read_afterwards():
    def block(x, gamma, beta):
        y, mean, variance = ops.batch_norm_train(x, gamma, beta)
        return [ops.relu(y), ops.stop_gradient(mean * 0.5), ops.stop_gradient(variance * 0.5)]

    assert fused(training(block), "batch_norm")[0].activation == "relu"


def test_not_where_the_normalized_values_are_read_too():
    def block(x, gamma, beta):
        y = ops.batch_norm_train(x, gamma, beta)[0]
        return [ops.relu(y) + y]

    assert fused(training(block), "batch_norm")[0].activation == "linear"


def test_not_where_the_residual_comes_from_the_statistics():
    def block(x, gamma, beta):
        y, mean, _ = ops.batch_norm_train(x, gamma, beta)
        return [ops.relu(y + ops.broadcast_to(ops.stop_gradient(mean), y.shape))]

    assert fused(training(block), "batch_norm")[0].activation == "linear"


def test_a_residual_block_of_layers_trains_as_on_numpy(monkeypatch):
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.conv, self.bn = layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization()

        def call(self, x, training=False):
            return ops.relu(self.bn(self.conv(x), training=training) + x)

    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((8, 6, 6, 4)).astype("float32"), rng.standard_normal((8, 2)).astype("float32")
    losses = []
    for executor in ("native", "reference"):
        monkeypatch.setenv("PYNN_EXECUTOR", executor)
        keras.utils.set_random_seed(3)
        model = keras.Sequential(
            [keras.Input((6, 6, 4)), Block(), Block(), layers.GlobalAveragePooling2D(), layers.Dense(2)]
        )
        model.compile("sgd", "mean_squared_error")
        losses.append([model.train_on_batch(x, y) for _ in range(4)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert losses[0][-1] < losses[0][0]


def test_normalization_and_relu6_of_layers(monkeypatch, capsys):
    monkeypatch.setenv("PYNN_SHOW", "passes")
    model = keras.Sequential(
        [
            keras.Input((6, 6, 3)),
            layers.Conv2D(8, 3, use_bias=False),
            layers.BatchNormalization(beta_initializer=keras.initializers.RandomUniform(-1, 8)),
            layers.ReLU(6.0),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        ]
    )
    model.compile("sgd", "mean_squared_error")
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((4, 6, 6, 3)).astype("float32"), rng.standard_normal((4, 2)).astype("float32")
    weights = model.get_weights()
    losses = [model.train_on_batch(x, y) for _ in range(3)]
    shown = capsys.readouterr()
    last = (shown.out + shown.err).split("=== fuse chains ===")[1]
    assert "BatchNorm[activation='relu6']" in last
    assert "BatchNormGrad[activation='relu6']" in last
    assert "Relu6" not in last
    monkeypatch.setenv("PYNN_EXECUTOR", "reference")
    again = keras.Sequential(model.layers)
    again.set_weights(weights)
    again.compile("sgd", "mean_squared_error")
    assert [again.train_on_batch(x, y) for _ in range(3)] == pytest.approx(losses, rel=1e-4)
