"""The loss functions: which op they use, and what they raise."""

import numpy as np
import pytest

from pynn import ops
from pynn.errors import ArgumentError, ShapeError
from pynn.executor.reference import ReferenceProgram
from pynn.graph.autodiff import gradients
from pynn.graph.ir import Spec
from pynn.graph.trace import Trace


def traced(function, *arrays):
    """The result of a function of traced values, and the names of the ops it recorded."""
    with Trace() as trace:
        xs = [trace.input(f"x{i}", Spec(a.shape, str(a.dtype))) for i, a in enumerate(arrays)]
        graph = trace.finish([function(*xs)])
    return ReferenceProgram(graph)(list(arrays))[0], [node.op.name for node in graph.nodes]


def log_softmax(x, axis=-1):
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


RNG = np.random.default_rng(0)
LOGITS = RNG.standard_normal((6, 5))
LABELS = np.array([0, 4, 2, 2, 1, 3], np.int32)
ONE_HOT = np.eye(5)[LABELS]
EXPECTED = -log_softmax(LOGITS)[np.arange(6), LABELS]


def test_crossentropies_from_logits():
    dense, _ = traced(lambda t, z: ops.categorical_crossentropy(t, z, from_logits=True), ONE_HOT, LOGITS)
    sparse, _ = traced(lambda t, z: ops.sparse_categorical_crossentropy(t, z, from_logits=True), LABELS, LOGITS)
    np.testing.assert_allclose(dense, EXPECTED)
    np.testing.assert_allclose(sparse, EXPECTED)


def test_crossentropies_read_the_logits_of_a_softmax():
    dense, recorded = traced(lambda t, z: ops.categorical_crossentropy(t, ops.softmax(z)), ONE_HOT, LOGITS)
    assert recorded == ["softmax_crossentropy"]
    np.testing.assert_allclose(dense, EXPECTED)
    sparse, recorded = traced(lambda t, z: ops.sparse_categorical_crossentropy(t, ops.softmax(z)), LABELS, LOGITS)
    assert recorded == ["sparse_softmax_crossentropy"]
    np.testing.assert_allclose(sparse, EXPECTED)


def test_crossentropies_of_probabilities_are_normalized():
    p = 3 * np.exp(log_softmax(LOGITS))
    dense, _ = traced(ops.categorical_crossentropy, ONE_HOT, p)
    np.testing.assert_allclose(dense, EXPECTED)
    sparse, _ = traced(ops.sparse_categorical_crossentropy, LABELS, p / 30)
    np.testing.assert_allclose(sparse, EXPECTED)


def test_crossentropy_of_a_certain_mistake_is_finite():
    certain = np.array([[1.0, 0.0]])
    dense, _ = traced(ops.categorical_crossentropy, np.array([[0.0, 1.0]]), certain)
    np.testing.assert_allclose(dense, [-np.log(1e-7)])


@pytest.mark.parametrize("axis", [0, 1, 2, -2])
def test_any_axis(axis):
    x = RNG.standard_normal((3, 4, 5))
    want = log_softmax(x, axis)
    np.testing.assert_allclose(traced(lambda v: ops.log_softmax(v, axis), x)[0], want)
    np.testing.assert_allclose(traced(lambda v: ops.softmax(v, axis), x)[0], np.exp(want))
    labels = RNG.integers(0, x.shape[axis], np.delete(x.shape, axis)).astype(np.int32)
    at = np.expand_dims(labels, axis)
    sparse, _ = traced(lambda t, z: ops.sparse_categorical_crossentropy(t, z, from_logits=True, axis=axis), labels, x)
    np.testing.assert_allclose(sparse, -np.take_along_axis(want, at, axis).squeeze(axis))


def test_binary_crossentropy():
    z = np.array([[-30.0, -1.0, 0.0, 2.0, 50.0]])
    t = np.array([[0.0, 1.0, 1.0, 0.0, 1.0]])
    want = np.logaddexp(0, z) - z * t
    got, _ = traced(lambda t, z: ops.binary_crossentropy(t, z, from_logits=True), t, z)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-20)
    through_sigmoid, recorded = traced(lambda t, z: ops.binary_crossentropy(t, ops.sigmoid(z)), t, z)
    assert "sigmoid" not in recorded
    np.testing.assert_allclose(through_sigmoid, want, rtol=1e-12, atol=1e-20)
    probabilities, _ = traced(ops.binary_crossentropy, t[:, 1:4], 1 / (1 + np.exp(-z[:, 1:4])))
    np.testing.assert_allclose(probabilities, want[:, 1:4], rtol=1e-6)


def test_binary_crossentropy_gradient_at_logit_zero():
    """A zero-initialised layer starts there: the gradient must be sigmoid(0) - t."""
    with Trace() as trace:
        t, z = trace.input("t", Spec((2,), "float64")), trace.input("z", Spec((2,), "float64"))
        loss = ops.sum(ops.binary_crossentropy(t, z, from_logits=True))
        graph = trace.finish(gradients(loss, [z]))
    (dz,) = ReferenceProgram(graph)([np.array([0.0, 1.0]), np.zeros(2)])
    np.testing.assert_allclose(dz, [0.5, -0.5])


def test_errors_name_what_came_and_the_way_out():
    with pytest.raises(ShapeError, match=r"float64\[6, 5\].*sparse_categorical_crossentropy"):
        traced(ops.categorical_crossentropy, EXPECTED, LOGITS)
    with pytest.raises(ShapeError, match=r"labels of shape \(6,\).*categorical_crossentropy"):
        traced(ops.sparse_categorical_crossentropy, LABELS[:4], LOGITS)
    with pytest.raises(ArgumentError, match=r"softmax: axis must be an int in \[-2, 2\)"):
        traced(lambda x: ops.softmax(x, 2), LOGITS)
